/**
 * Starts, stops, kills and replaces the process of a hostile front-end.
 *
 * @module
 */

import type { Random } from "../support/random.ts";
import type { Tried } from "./figures.ts";
import type { Line } from "./hostile_process.ts";

const MODULE = new URL("hostile_process.ts", import.meta.url).pathname;

/** The hostile front-end of a socket, whichever process it is just now. */
export class HostileClient implements AsyncDisposable {
  readonly problems: string[] = [];
  #child: Deno.ChildProcess | undefined;
  #reading: Promise<void> | undefined;

  constructor(
    readonly type: string,
    readonly socket: string,
    readonly random: Random,
    readonly tried: Tried,
  ) {}

  #count(what: string): void {
    this.tried[what] = (this.tried[what] ?? 0) + 1;
  }

  /** Starts a process, and waits until it has begun with its cases. */
  async start(): Promise<void> {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MODULE, this.type, this.socket, `${this.random.u32()}`],
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const begun = Promise.withResolvers<void>();
    this.#reading = this.#read(this.#child.stdout, begun.resolve).finally(begun.resolve);
    await begun.promise;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>, begun: () => void): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      // The last line may be half one, for good if the process was killed.
      rest = lines.pop()!;
      for (const line of lines) this.#take(JSON.parse(line));
      begun();
    }
  }

  #take({ tried, problem }: Line): void {
    for (const [what, count] of Object.entries(tried)) {
      this.tried[what] = (this.tried[what] ?? 0) + count;
    }
    if (problem !== undefined) this.problems.push(problem);
  }

  /** Stops the process for a while, in the middle of whatever it does. */
  async suspend(milliseconds: number): Promise<void> {
    const child = this.#child!;
    this.#count("stops");
    child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    child.kill("SIGCONT");
  }

  /** Kills the process, and starts another one. */
  async replace(): Promise<void> {
    this.#count("kills");
    await this.end();
    await this.start();
  }

  /** Kills the process. Has returned when all that it had is closed. */
  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    child?.kill("SIGKILL");
    await child?.status;
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
