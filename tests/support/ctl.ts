/**
 * `vhost-device-ctl` as a process of its own, from its source or compiled.
 *
 * @module
 */

import { permissionFlags } from "../../lib/permissions.ts";
import { ctl as program } from "../../lib/ctl/main.ts";

/** A folder with compiled programs to test instead of the sources. */
const BIN_DIR = Deno.env.get("VHOST_DEVICE_BIN_DIR");
const ROOT = new URL("../../", import.meta.url).pathname;

/** What came of it. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Uint8Array;
}

/** It runs. */
export class RunningCtl implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;
  #text = "";
  readonly #errors: Promise<string>;

  constructor(args: readonly string[]) {
    this.#child = spawn(args, "null");
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#errors = new Response(this.#child.stderr).text();
  }

  /** The next line of its standard output. */
  async line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`it has ended: ${await this.#errors}`);
      this.#text += value;
    }
    const [line] = this.#text.split("\n", 1);
    this.#text = this.#text.slice(line.length + 1);
    return line;
  }

  /** Its exit code, or the signal by which it was ended. */
  async ended(): Promise<number | string> {
    const { code, signal } = await this.#child.status;
    return signal ?? code;
  }

  /** What it has printed to standard error, once it has ended. */
  get errors(): Promise<string> {
    return this.#errors;
  }

  get pid(): number {
    return this.#child.pid;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Nobody reads what it prints from now on. */
  async hangUp(): Promise<void> {
    await this.#output.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#output.cancel();
    await Promise.all([this.#child.status, this.#errors]);
  }
}

function spawn(
  args: readonly string[],
  stdin: "null" | "piped",
  environment: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  const [first, ...rest] = BIN_DIR ? [`${BIN_DIR}/${program.name}`, ...args] : [
    ...[Deno.execPath(), "run", "--quiet", "--no-prompt"],
    ...permissionFlags(program.permissions),
    `${ROOT}cmd/${program.name}.ts`,
    ...args,
  ];
  return new Deno.Command(first, {
    args: rest,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...environment },
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs it to its end. */
export async function ctl(
  args: readonly string[],
  input?: Uint8Array,
  environment?: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const child = spawn(args, input === undefined ? "null" : "piped", environment);
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    try {
      await writer.write(input);
      await writer.close();
    } catch {
      // It has ended without reading it all.
    }
  }
  const { code, stdout, stderr } = await child.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr), bytes: stdout };
}

/** Runs it, and returns what it prints; it has to succeed, and to say nothing else. */
export async function ctlOutput(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ctl(args);
  if (code !== 0 || stderr !== "") {
    throw new Error(`${program.name} ${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  }
  return stdout;
}
