/**
 * Programs that serve a part over the control socket.
 *
 * @module
 */

import { until } from "./wait.ts";

/** One that runs. */
export class PartProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Starts one, and waits until it serves.
   *
   * @param args of Python; the program prints a line once it serves
   */
  static async start(...args: string[]): Promise<PartProgram> {
    const child = new Deno.Command("python3", { args, stdin: "null", stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    if (value === undefined) throw new Error(`it ended with ${(await child.status).code}`);
    return new PartProgram(child);
  }

  /** Stops it until {@linkcode resume}. */
  suspend(): void {
    this.#child.kill("SIGSTOP");
    const stat = `/proc/${this.pid}/stat`;
    until("it is stopped", () => /\) T /.test(Deno.readTextFileSync(stat)));
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await Promise.all([this.#child.status, this.#child.stdout.cancel()]);
  }
}
