/**
 * The programs of a scenario while they run.
 *
 * @module
 */

import { RuntimeError } from "../../errors.ts";
import { Console } from "./console.ts";
import { descendants, signal } from "./descendants.ts";
import type { Guard } from "./guard.ts";
import type { Terminal } from "./terminal.ts";

/** How long a program may take to end when it is asked to, in milliseconds. */
const GRACE = 3000;
/** How long what it has printed may take to come after its end, in milliseconds. */
const LAST_WORDS = 200;
/** How often what does not want to end is killed again. */
const ROUNDS = 50;

/** How a program has ended. */
export interface Ending {
  readonly code: number;
  readonly signal: string | null;
}

/** An ending for people. */
export function showEnding({ code, signal }: Ending): string {
  return signal === null ? `exit status ${code}` : `signal ${signal}`;
}

/** What is run. */
export interface Launch {
  readonly name: string;
  readonly command: readonly string[];
  /** Where it runs. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** True if it can be typed to. */
  readonly takesInput: boolean;
  /** Where all goes that it prints. */
  readonly log: string;
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Opens a log, which begins with this run.
 *
 * @param isAgain true if it has begun already
 */
export function openLog(path: string, isAgain: boolean): Deno.FsFile {
  return Deno.openSync(path, { create: true, write: true, append: isAgain, truncate: !isAgain });
}

/** One program. */
export class Process {
  readonly name: string;
  /** What it prints to standard output and standard error. */
  readonly output = new Console();
  readonly log: string;
  /** Where steps look and type; its output, unless it has a console elsewhere. */
  console: Console = this.output;
  terminal: Terminal | undefined;
  /** Set once it has ended and all that it has printed is there. */
  ended: Ending | undefined;
  /** True once it is asked to end. */
  isDismissed = false;
  readonly #child: Deno.ChildProcess;
  readonly #file: Deno.FsFile;
  readonly #onChange: () => void;
  readonly #over: Promise<void>;

  /**
   * @param isAgain true if it was started before
   * @throws {RuntimeError} if it cannot be started
   */
  constructor(launch: Launch, isAgain: boolean, guard: Guard, onChange: () => void) {
    const { name, command: [program, ...args], folder, environment, takesInput, log } = launch;
    this.name = name;
    this.log = log;
    this.#onChange = onChange;
    this.#file = openLog(log, isAgain);
    try {
      this.#child = new Deno.Command(program, {
        args,
        cwd: folder,
        env: environment,
        stdin: takesInput ? "piped" : "null",
        stdout: "piped",
        stderr: "piped",
        // A group of processes of its own, which is ended as a whole.
        detached: true,
      }).spawn();
    } catch (error) {
      this.#file.close();
      throw new RuntimeError(`'${program}' cannot be started: ${(error as Error).message}`);
    }
    guard.add(this.pid);
    if (takesInput) {
      const writer = this.#child.stdin.getWriter();
      this.terminal = { type: (bytes) => writer.write(bytes), close() {}, drain() {} };
    }
    this.#over = this.#run(guard);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Ends it and all of its group. */
  async end(): Promise<void> {
    this.isDismissed = true;
    if (this.ended === undefined) {
      signal(-this.pid, "SIGTERM");
      const kill = setTimeout(() => signal(-this.pid, "SIGKILL"), GRACE);
      await this.#over;
      clearTimeout(kill);
      // What it has left behind.
      signal(-this.pid, "SIGKILL");
    }
    this.terminal?.close();
    this.terminal = undefined;
  }

  async #run(guard: Guard): Promise<void> {
    const output = Promise.all([this.#child.stdout, this.#child.stderr].map(async (stream) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) {
        this.#file.writeSync(chunk);
        this.output.append(decoder.decode(chunk, { stream: true }));
        this.#onChange();
      }
    }));
    const status = await this.#child.status;
    await Promise.race([output, delay(LAST_WORDS)]);
    await guard.remove(this.pid);
    this.terminal?.drain();
    this.ended = { code: status.code, signal: status.signal };
    this.#onChange();
  }
}

/** All of them. */
export class Processes {
  readonly #onChange: () => void;
  readonly #guard: Guard;
  readonly #all = new Map<string, Process>();

  constructor(guard: Guard, onChange: () => void) {
    this.#guard = guard;
    this.#onChange = onChange;
  }

  get all(): readonly Process[] {
    return [...this.#all.values()];
  }

  find(name: string): Process | undefined {
    return this.#all.get(name);
  }

  /** @throws {RuntimeError} if it has not been started */
  get(name: string): Process {
    const found = this.#all.get(name);
    if (found === undefined) throw new RuntimeError(`'${name}' has not been started yet`);
    return found;
  }

  /** @throws {RuntimeError} if it cannot be started */
  launch(launch: Launch): Process {
    const process = new Process(launch, this.#all.has(launch.name), this.#guard, this.#onChange);
    this.#all.set(launch.name, process);
    return process;
  }

  /** Ends everything: what was started last first, and whatever has got away in the end. */
  async endAll(first: (process: Process) => boolean): Promise<void> {
    const all = [...this.#all.values()].reverse();
    for (const isFirst of [true, false]) {
      await Promise.all(all.filter((it) => first(it) === isFirst).map((process) => process.end()));
    }
    for (let round = 0; round < ROUNDS; round++) {
      const left = descendants().filter((pid) => pid !== this.#guard.pid);
      if (left.length === 0) return;
      for (const pid of left) signal(pid, "SIGKILL");
      await delay(10);
    }
  }
}
