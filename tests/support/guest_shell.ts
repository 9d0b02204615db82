/**
 * A guest that stays, for scripts one after the other, while the test does something in between.
 *
 * @module
 */

import { exists } from "./exists.ts";
import { TemporaryFolder } from "./temporary_folder.ts";
import { type GuestBoot, startGuest } from "./uml.ts";

/** In the guest: the folder through which scripts come and what they print goes. */
const FOLDER = "/shell";

/** Runs scripts with numbers as names until there is a file `end`. */
const LOOP = `
cd ${FOLDER}
n=0
while :; do
  n=$((n + 1))
  until [ -e $n.ready ]; do [ ! -e end ] || exit 0; sleep 0.01; done
  status=0
  bash -e ./$n.sh >$n.output 2>&1 </dev/null || status=$?
  echo $status >$n.status
  mv $n.status $n.over
done`;

/** Such a guest. */
export class GuestShell implements AsyncDisposable {
  readonly #folder = new TemporaryFolder();
  readonly #guest: Deno.ChildProcess;
  readonly #ended: Promise<string>;
  #isOver = false;
  #count = 0;

  constructor(boot: GuestBoot) {
    const mount = ["-M", `${this.#folder.path}:${FOLDER}:rw`];
    this.#guest = startGuest(LOOP, { ...boot, options: [...boot.options ?? [], ...mount] });
    this.#ended = this.#guest.output().then(({ code, stdout, stderr }) => {
      this.#isOver = true;
      const text = new TextDecoder();
      return `the guest ended with ${code}:\n${text.decode(stdout)}\n${text.decode(stderr)}`;
    });
  }

  /**
   * Runs a bash script, which has to succeed.
   *
   * @returns what it printed
   */
  async run(script: string): Promise<string> {
    const number = ++this.#count;
    const file = (ending: string) => this.#folder.file(`${number}.${ending}`);
    Deno.writeTextFileSync(file("sh"), script);
    Deno.writeTextFileSync(file("ready"), "");
    while (!exists(file("over"))) {
      if (this.#isOver) throw new Error(await this.#ended);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const output = Deno.readTextFileSync(file("output"));
    const status = Deno.readTextFileSync(file("over")).trim();
    if (status !== "0") throw new Error(`the guest's script ended with ${status}:\n${output}`);
    return output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Deno.writeTextFileSync(this.#folder.file("end"), "");
    await this.#ended;
    this.#folder[Symbol.dispose]();
  }
}
