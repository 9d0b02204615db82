/**
 * Where the programs of daemons are.
 *
 * @module
 */

/** The executable that is all programs. */
const ALL = "vhost-device";

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * The command that runs a daemon: of the sources where this program is run from them, else beside
 * this program, else it is this program, or it is found by its name.
 *
 * @param program for example `gpio`, or a path, from the folder on that it runs in
 * @param entry the `import.meta.url` of the module that the process was started with
 */
export function daemonCommand(program: string, entry: string): string[] {
  if (program.includes("/")) return [program];
  const name = program.startsWith(`${ALL}-`) ? program : `${ALL}-${program}`;
  const self = Deno.execPath();
  if (!Deno.build.standalone) {
    const { pathname } = new URL(`${name}.ts`, entry);
    const module = decodeURIComponent(pathname);
    return exists(module) ? [self, "run", "--quiet", "--no-prompt", "--allow-all", module] : [name];
  }
  const folder = self.slice(0, self.lastIndexOf("/") + 1);
  if (exists(folder + name)) return [folder + name];
  return self === folder + ALL ? [self, name] : [name];
}
