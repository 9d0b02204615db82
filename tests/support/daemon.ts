/**
 * A daemon as a process of its own, from its source or as a compiled program.
 *
 * @module
 */

import { exists } from "./exists.ts";
import { FrontEnd } from "./front_end.ts";
import { hasLandlock, hasSeccomp, lackOf } from "./kernel.ts";
import { fdCount, isListening, openFds, processorTime, residentMemory } from "./process_state.ts";
import { TemporaryFolder } from "./temporary_folder.ts";
import { PATIENCE, until } from "./wait.ts";

/** A folder with compiled programs to test instead of the sources. */
const BIN_DIR = Deno.env.get("VHOST_DEVICE_BIN_DIR");
const ROOT = new URL("../../", import.meta.url).pathname;
/** What the daemons may do; no more than their compiled programs. */
const PERMISSIONS = [
  "--allow-ffi",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys=uid",
];

/** How garbage is collected, and where V8's own code is: as in compiled programs. */
const V8_FLAGS = [
  "--min-semi-space-size=2",
  "--max-semi-space-size=2",
  "--initial-old-space-size=12",
  "--no-short-builtin-calls",
];

/** How long a daemon that listens may take to say so, in milliseconds. */
const ANNOUNCEMENT = 1000;

/** How a daemon is started. */
export interface DaemonOptions {
  /** The number of sockets, and the `-c` that goes with it. */
  readonly count?: number;
  /** A program to run instead, with the same command line. */
  readonly program?: string;
  /** For V8 instead of the usual ones, where the daemon is run from its source. */
  readonly v8Flags?: readonly string[];
  /** For Deno in addition, likewise. */
  readonly denoFlags?: readonly string[];
  /** Shell commands that come first, for example to set limits. */
  readonly prepare?: string;
  /** A command that runs all this, for example `env` with options. */
  readonly wrapper?: readonly string[];
  /** Runs our source, whatever there is of compiled programs. */
  readonly fromSource?: boolean;
  /** Is only waited for until it listens, as closely as can be, and not until it has said so. */
  readonly quick?: boolean;
  /** The `-s` option; false where the arguments say where to listen. */
  readonly socketOption?: boolean;
}

/** How a process ended, and how long after it was asked to. */
export interface Ending {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly milliseconds: number;
}

/** The command that runs a daemon. */
export function command(program: string, options: DaemonOptions = {}): string[] {
  if (options.program !== undefined) return [options.program];
  if (BIN_DIR && !options.fromSource) return [`${BIN_DIR}/${program}`];
  const flags = options.v8Flags ?? V8_FLAGS;
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    ...PERMISSIONS,
    ...options.denoFlags ?? [],
    `--v8-flags=${flags.join(",")}`,
    `${ROOT}cmd/${program}.ts`,
  ];
}

/** A running daemon with its sockets in a folder of its own. */
export class Daemon implements AsyncDisposable {
  readonly folder = new TemporaryFolder();
  readonly #child: Deno.ChildProcess;
  #ending: Promise<Deno.CommandStatus>;

  private constructor(program: string, args: readonly string[], options: DaemonOptions) {
    const sockets = options.socketOption === false
      ? []
      : ["-s", this.folder.file("socket"), "-c", `${options.count ?? 1}`];
    // Standard error goes to a file: the test's thread is often blocked and reads no pipe.
    const script = `${options.prepare ?? ":"}; log=$1; shift; exec "$@" </dev/null >"$log" 2>&1`;
    const [first, ...rest] = [
      ...options.wrapper ?? [],
      ...["sh", "-c", script, "sh", this.folder.file("log")],
      ...command(program, options),
      ...sockets,
      ...args,
    ];
    this.#child = new Deno.Command(first, {
      args: rest,
      env: { DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#ending = this.#child.status;
  }

  /** Starts a daemon and waits until its sockets are there. */
  static async start(
    program: string,
    args: readonly string[],
    options: DaemonOptions = {},
  ): Promise<Daemon> {
    const daemon = new Daemon(program, args, options);
    if (options.socketOption === false) return daemon;
    const last = daemon.socket((options.count ?? 1) - 1);
    let ended = false;
    daemon.#ending.then(() => ended = true);
    const deadline = performance.now() + 3 * PATIENCE;
    while (!isListening(last)) {
      if (ended || performance.now() > deadline) {
        const log = daemon.log;
        await daemon[Symbol.asyncDispose]();
        throw new Error(`${program} did not start:\n${log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, options.quick ? 1 : 5));
    }
    if (!options.quick) await daemon.#announced(last);
    return daemon;
  }

  /**
   * Waits for the line that says what is served at a socket, so that tests can look at the log from
   * the start. Some daemons log less than that, which is known only by waiting.
   */
  async #announced(socket: string): Promise<void> {
    const deadline = performance.now() + ANNOUNCEMENT;
    while (!this.log.includes(` at ${socket}`) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What the daemon has printed so far, but for what this machine's kernel lacks. */
  get log(): string {
    const log = this.wholeLog;
    return hasLandlock && hasSeccomp ? log : log.replace(lackOf(log), "");
  }

  /** All that the daemon has printed so far. */
  get wholeLog(): string {
    const path = this.folder.file("log");
    return exists(path) ? Deno.readTextFileSync(path) : "";
  }

  /** The path of a guest's socket. */
  socket(guest = 0): string {
    return this.folder.file(`socket${guest}`);
  }

  /** Connects a front-end. */
  connect(guest = 0): FrontEnd {
    return FrontEnd.connect(this.socket(guest));
  }

  fds(): Map<number, string> {
    return openFds(this.pid);
  }

  fdCount(): number {
    return fdCount(this.pid);
  }

  residentMemory(): number {
    return residentMemory(this.pid);
  }

  processorTime(): number {
    return processorTime(this.pid);
  }

  /** Waits until the log has a line that matches. */
  untilLogged(pattern: RegExp): void {
    until(`a log line ${pattern}`, () => pattern.test(this.log));
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ending> {
    const begin = performance.now();
    this.#child.kill(signal);
    const { code, signal: ended } = await this.#ending;
    return { code, signal: ended, milliseconds: performance.now() - begin };
  }

  /** Waits for an end that comes by itself. */
  async ended(): Promise<number> {
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE);
    const { code } = await this.#ending;
    clearTimeout(kill);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE);
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.#ending;
    clearTimeout(kill);
    this.folder[Symbol.dispose]();
  }
}
