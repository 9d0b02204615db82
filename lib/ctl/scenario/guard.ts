/**
 * What ends everything where this process cannot do it any more.
 *
 * @module
 */

/**
 * Reads a line for each group of processes that there is, and one for each that has ended. The end
 * comes when nobody can write any more: what is left then is ended, and the folder removed.
 */
const SCRIPT = `
trap '' INT TERM HUP
groups=
while read -r sign group; do
  case $sign in
  +) groups="$groups $group" ;;
  -) others=
     for other in $groups; do [ "$other" = "$group" ] || others="$others $other"; done
     groups=$others ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
rm -rf -- "$1"
`;

/** A process that waits for the end of this one. */
export class Guard {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  /** @param folder is removed in the end */
  constructor(folder: string) {
    this.#child = new Deno.Command("sh", {
      args: ["-c", SCRIPT, "sh", folder],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** A group of processes is there. */
  add(group: number): Promise<void> {
    return this.#tell(`+ ${group}\n`);
  }

  /** It has ended. */
  remove(group: number): Promise<void> {
    return this.#tell(`- ${group}\n`);
  }

  /** Has the folder removed, and what is left ended. */
  async release(): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#child.status;
  }

  async #tell(line: string): Promise<void> {
    // Without it everything is ended by this process alone.
    await this.#writer.write(new TextEncoder().encode(line)).catch(() => {});
  }
}
