/**
 * The QEMU guest: a second front-end, with Linux's own drivers behind it.
 *
 * @module
 */

import { fail } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Daemon } from "./daemon.ts";
import type { GuestOutcome } from "./uml.ts";
import { PATIENCE } from "./wait.ts";

const run = fileURLToPath(new URL("../guest/qemu/run.sh", import.meta.url));

/** How a guest is started. */
export interface QemuBoot {
  /** Which QEMU; SPI takes 11, edge events of GPIO take 10. */
  readonly version?: "7" | "10" | "11";
  /** Sockets of back-ends, and what they are. */
  readonly devices?: readonly (readonly [socket: string, device: "gpio" | "i2c" | "spi"])[];
  /** Further arguments of run.sh. */
  readonly options?: readonly string[];
  /** Further arguments of QEMU. */
  readonly qemuOptions?: readonly string[];
  /** Seconds after which the guest is killed. */
  readonly limit?: number;
}

function command(script: string, boot: QemuBoot): Deno.Command {
  const { version = "10", devices = [], options = [], qemuOptions = [], limit = 60 } = boot;
  return new Deno.Command(run, {
    args: [
      ...["-q", version, "-t", String(limit)],
      ...devices.flatMap(([socket, device]) => ["-d", `${socket}:${device}`]),
      ...qemuOptions.flatMap((option) => ["-x", option]),
      ...options,
      ...["--", "bash", "-c", script],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function outcome(child: Promise<Deno.CommandOutput>): Promise<GuestOutcome> {
  const { code, stdout, stderr } = await child;
  const text = new TextDecoder();
  return {
    status: code,
    output: text.decode(stdout).replaceAll("\r\n", "\n"),
    errors: text.decode(stderr),
  };
}

/**
 * A bash script that runs in a fresh guest and has to succeed.
 *
 * @returns what it printed
 */
export async function qemuOutput(script: string, boot: QemuBoot = {}): Promise<string> {
  return await new RunningGuest(script, boot).output();
}

/** Starts a guest that is to be killed while it runs. */
export function startQemuGuest(script: string, boot: QemuBoot = {}): Deno.ChildProcess {
  return command(script, boot).spawn();
}

/** A guest at work. */
export class RunningGuest {
  readonly #child: Deno.ChildProcess;
  readonly #outcome: Promise<GuestOutcome>;

  constructor(script: string, boot: QemuBoot = {}) {
    this.#child = command(`set -e\n${script}`, boot).spawn();
    this.#outcome = outcome(this.#child.output());
  }

  /** Waits for the script's end, which has to be a success, and returns what it printed. */
  async output(): Promise<string> {
    const { status, output, errors } = await this.#outcome;
    if (status !== 0) {
      throw new Error(`the guest's script ended with ${status}:\n${output}\n${errors}`);
    }
    return output;
  }

  /** Waits for something that happens while the script runs. */
  async until(what: string, condition: () => boolean): Promise<void> {
    let ended: GuestOutcome | undefined;
    this.#outcome.then((outcome) => ended = outcome);
    await waitFor(what, () => ended !== undefined || condition());
    if (ended !== undefined) {
      fail(`${what}: the guest ended:\n${ended.output}${ended.errors}`);
    }
  }

  /** Has QEMU killed with SIGKILL, and waits until it has gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGTERM"); // run.sh sends QEMU SIGKILL
    await this.#outcome;
  }
}

/** Waits for a condition that announces itself by nothing. */
export async function waitFor(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 3 * PATIENCE;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: it does not come`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits until the daemon's log has a match, or several. */
export async function logged(daemon: Daemon, pattern: RegExp, times = 1): Promise<void> {
  const all = new RegExp(pattern, "gm");
  try {
    await waitFor(`${pattern} in the log`, () => (daemon.log.match(all)?.length ?? 0) >= times);
  } catch (error) {
    throw new Error(`${(error as Error).message}:\n${daemon.log}`);
  }
}

/** The control connection of a QEMU started with `-qmp unix:PATH,server=on,wait=off`. */
export class Monitor implements Disposable {
  readonly #connection: Deno.Conn;
  #lines: string[] = [];
  #rest = "";

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** QEMU's options for a monitor at `path`. */
  static options(path: string): string[] {
    return ["-qmp", `unix:${path},server=on,wait=off`];
  }

  /** Connects to the monitor of a QEMU that runs. */
  static async connect(path: string): Promise<Monitor> {
    const monitor = new Monitor(await Deno.connect({ transport: "unix", path }));
    await monitor.execute("qmp_capabilities");
    return monitor;
  }

  /** Executes a command and waits until it is done. */
  async execute(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const message = JSON.stringify({ execute: name, arguments: args });
    await this.#connection.write(new TextEncoder().encode(`${message}\n`));
    for (;;) {
      const answer = JSON.parse(await this.#line());
      if (answer.error !== undefined) throw new Error(`${name}: ${answer.error.desc}`);
      if (answer.return !== undefined) return answer.return;
      // Else it is the greeting or an event.
    }
  }

  async #line(): Promise<string> {
    const buffer = new Uint8Array(4096);
    while (this.#lines.length === 0) {
      const size = await this.#connection.read(buffer);
      if (size === null) throw new Error("the monitor is gone");
      this.#lines = (this.#rest + new TextDecoder().decode(buffer.subarray(0, size))).split("\n");
      this.#rest = this.#lines.pop()!;
    }
    return this.#lines.shift()!;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
