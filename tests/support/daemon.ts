/**
 * A daemon as a process of its own, from source or as a compiled program.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { isSocketAlive } from "../../ffi/socket.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

/** The programs under test. */
export type Program = "vhost-device-gpio" | "vhost-device-i2c" | "vhost-device-spi";

const root = new URL("../../", import.meta.url);

/**
 * What to run for a program: its source with this deno, or the executable in the folder that
 * `VHOST_DEVICE_BIN_DIR` names.
 */
export function programCommand(program: Program): string[] {
  const folder = Deno.env.get("VHOST_DEVICE_BIN_DIR");
  if (folder !== undefined && folder !== "") return [`${folder}/${program}`];
  const source = fileURLToPath(new URL(`cmd/${program}.ts`, root));
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-all", source];
}

/** What a program that ends by itself has done. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function runProgram(
  program: Program,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const [path, ...first] = programCommand(program);
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args: [...first, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void) {
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) take(chunk);
}

/** A running daemon. */
export class Daemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #collected: Promise<void>;
  readonly #folder: TemporaryFolder;
  #log = "";
  #wake: (() => void)[] = [];

  private constructor(
    child: Deno.ChildProcess,
    readonly sockets: readonly string[],
    folder: TemporaryFolder,
  ) {
    this.#child = child;
    this.#folder = folder;
    this.#collected = collect(child.stderr, (text) => {
      this.#log += text;
      this.#wake.splice(0).forEach((wake) => wake());
    }).then(() => this.#wake.splice(0).forEach((wake) => wake()));
  }

  /**
   * Starts a program with sockets in a fresh folder, and waits until they are there.
   *
   * @param args all arguments but `--socket-path`
   * @param guests the number of sockets to expect
   */
  static async start(program: Program, args: readonly string[], guests = 1): Promise<Daemon> {
    const folder = new TemporaryFolder();
    const base = `${folder.path}/socket`;
    const [path, ...first] = programCommand(program);
    const child = new Deno.Command(path, {
      args: [...first, "--socket-path", base, ...args],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const sockets = Array.from({ length: guests }, (_, guest) => `${base}${guest}`);
    const daemon = new Daemon(child, sockets, folder);
    await daemon.waitForLog(new RegExp(`guest ${guests - 1}: .* at `), 1, 20_000);
    const missing = sockets.filter((socket) => !isSocketAlive(socket));
    if (missing.length > 0) throw new Error(`not served: ${missing.join(", ")}`);
    return daemon;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Everything logged so far. */
  get log(): string {
    return this.#log;
  }

  /** The number of open file descriptors. */
  get fdCount(): number {
    return [...Deno.readDirSync(`/proc/${this.pid}/fd`)].length;
  }

  /** The resident memory in KiB. */
  get residentKib(): number {
    const status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  }

  /** Waits until the log has matched `pattern` `times` times. */
  async waitForLog(pattern: RegExp, times = 1, limit = 10_000): Promise<void> {
    const all = new RegExp(pattern.source, pattern.flags.replace("g", "") + "g");
    const end = Date.now() + limit;
    while ((this.#log.match(all)?.length ?? 0) < times) {
      const rest = end - Date.now();
      if (rest <= 0) throw new Error(`the log has no ${pattern}:\n${this.#log}`);
      let timer = 0;
      const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, rest));
      await Promise.race([new Promise<void>((resolve) => this.#wake.push(resolve)), timeout]);
      clearTimeout(timer);
    }
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended by itself.
    }
    const status = await this.#child.status;
    await this.#collected;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#folder[Symbol.dispose]();
  }
}
