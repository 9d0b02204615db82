/**
 * The User-Mode Linux guest: Linux's own drivers in front of a daemon's sockets.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const run = fileURLToPath(new URL("../guest/uml/run.sh", import.meta.url));

/** How a guest is started. */
export interface GuestBoot {
  /** Sockets of back-ends, each with `gpio`, `i2c`, `spi` or a virtio device id. */
  readonly devices?: readonly (readonly [socket: string, id: string])[];
  /** A devicetree source, in which `@SOCKETS@` stands for {@linkcode GuestBoot.sockets}. */
  readonly devicetree?: string;
  /** The folder of the sockets that the devicetree names. */
  readonly sockets?: string;
  /** Further arguments of run.sh. */
  readonly options?: readonly string[];
  /** Seconds after which the guest is killed. */
  readonly limit?: number;
}

/** What became of a guest. */
export interface GuestOutcome {
  /** The script's exit status; 124 when the time ran out, 125 when the guest died. */
  readonly status: number;
  /** Everything that the script printed. */
  readonly output: string;
  /** What run.sh and, where asked for, the kernel had to say. */
  readonly errors: string;
}

function command(script: string, boot: GuestBoot): Deno.Command {
  const { devices = [], devicetree, sockets, options = [], limit = 60 } = boot;
  return new Deno.Command(run, {
    args: [
      ...["-t", String(limit)],
      ...devices.flatMap(([socket, id]) => ["-d", `${socket}:${id}`]),
      ...(devicetree === undefined ? [] : ["-b", devicetree]),
      ...(sockets === undefined ? [] : ["-s", sockets]),
      ...options,
      "--",
      "bash",
      "-c",
      script,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a bash script in a fresh guest, to its end. */
export async function runInGuest(script: string, boot: GuestBoot = {}): Promise<GuestOutcome> {
  const { code, stdout, stderr } = await command(script, boot).output();
  const text = new TextDecoder();
  return {
    status: code,
    output: text.decode(stdout).replaceAll("\r\n", "\n"),
    errors: text.decode(stderr),
  };
}

/**
 * Runs a bash script in a fresh guest, which has to succeed.
 *
 * @returns what it printed
 */
export async function guestOutput(script: string, boot: GuestBoot = {}): Promise<string> {
  const { status, output, errors } = await runInGuest(`set -e\n${script}`, boot);
  if (status !== 0) {
    throw new Error(`the guest's script ended with ${status}:\n${output}\n${errors}`);
  }
  return output;
}

/** Starts a guest that is to be killed while it runs. */
export function startGuest(script: string, boot: GuestBoot = {}): Deno.ChildProcess {
  return command(script, boot).spawn();
}
