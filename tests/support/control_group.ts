/**
 * A control group with little memory.
 *
 * @module
 */

/** Where versions 2 and 1 have their groups, and the file of the limit in each. */
const VERSIONS = [
  ["/sys/fs/cgroup", "memory.max"],
  ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
] as const;

/** A group, until it is disposed of; the processes in it have to be gone by then. */
export class ControlGroup implements Disposable {
  private constructor(readonly folder: string) {}

  /** Makes one that may have so many bytes, or `undefined` where this user or machine cannot. */
  static make(limit: number): ControlGroup | undefined {
    for (const [parent, file] of VERSIONS) {
      const folder = `${parent}/vhost-device-test-${Deno.pid}`;
      try {
        if (file === "memory.max") {
          // Where there is no such file, this is no such hierarchy.
          const control = `${parent}/cgroup.subtree_control`;
          Deno.writeTextFileSync(control, "+memory", { create: false });
        }
        Deno.mkdirSync(folder);
      } catch {
        continue;
      }
      const group = new ControlGroup(folder);
      try {
        Deno.writeTextFileSync(`${folder}/${file}`, `${limit}`, { create: false });
        return group;
      } catch {
        group[Symbol.dispose]();
      }
    }
    return undefined;
  }

  /** The shell command with which a process joins it. */
  get join(): string {
    return `echo $$ >${this.folder}/cgroup.procs`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder);
  }
}
