/**
 * The make-believe I2C hardware of a guest's kernel (uml_sim.c, i2c-stub), and daemons on top.
 *
 * @module
 */

import { assert, assertNotMatch } from "@std/assert";
import { hostAdapters } from "../../../lib/i2c/host/find_adapters.ts";
import { command, Daemon } from "../../support/daemon.ts";
import { I2cGuest, type Outcome } from "../../support/i2c_driver.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

const SIM = "/sys/kernel/debug/uml_sim";

/** The number of the adapter with this name. */
export function busNumber(name: string): number {
  const found = hostAdapters().find((adapter) => adapter.name.startsWith(name));
  assert(found !== undefined, `no adapter is called ${name}`);
  return found.number;
}

/** What a bus was asked to do since the last time this was called, a line each. */
export function busLog(bus = "i2c0"): string[] {
  const path = `${SIM}/${bus}/log`;
  const lines = Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");
  Deno.writeTextFileSync(path, "\n");
  return lines.map((line) => line.trim());
}

/** Takes a bus away, or puts it back. */
export function setPresent(present: boolean, bus = "i2c0"): void {
  Deno.writeTextFileSync(`${SIM}/${bus}/present`, present ? "1" : "0");
}

/** The status of each message. */
export function statuses(outcomes: readonly Outcome[]): number[] {
  return outcomes.map(({ status }) => status);
}

/** A daemon and its guests. */
export interface Situation {
  readonly daemon: Daemon;
  readonly guests: readonly I2cGuest[];
}

/** Runs something with a daemon and its guests, after empty bus logs. */
export async function served(
  args: readonly string[],
  use: (guest: I2cGuest, situation: Situation) => void | Promise<void>,
  count = 1,
): Promise<void> {
  await using daemon = await Daemon.start("vhost-device-i2c", args, { count });
  const guests = Array.from({ length: count }, (_, guest) => new I2cGuest(daemon.connect(guest)));
  try {
    for (const { name } of Deno.readDirSync(SIM)) busLog(name);
    await use(guests[0], { daemon, guests });
  } finally {
    for (const guest of guests) guest[Symbol.dispose]();
  }
  assertNotMatch(daemon.log, /internal error/);
}

/** Runs a daemon that gives up, and returns its exit code and what it said. */
export function refused(
  args: readonly string[],
  user: { uid?: number; gid?: number } = {},
): { code: number; message: string } {
  using folder = new TemporaryFolder();
  Deno.chmodSync(folder.path, 0o777);
  const [program, ...rest] = command("vhost-device-i2c");
  const { code, stderr } = new Deno.Command(program, {
    args: [...rest, "-s", folder.file("socket"), ...args],
    stdin: "null",
    ...user,
  }).outputSync();
  return { code, message: new TextDecoder().decode(stderr).trim() };
}

/** What a daemon prints and ends. */
export function printed(...args: string[]): string {
  const [program, ...rest] = command("vhost-device-i2c");
  const { stdout } = new Deno.Command(program, { args: [...rest, ...args] }).outputSync();
  return new TextDecoder().decode(stdout);
}
