/**
 * A daemon on spidev nodes of the kernel, and guests in front of it, all inside the guest that the
 * tests run in: its kernel has two make-believe SPI buses (uml_sim.c) that return what they are sent.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { close, O_RDWR, open } from "../../../ffi/fd.ts";
import {
  readBitsPerWord,
  readMaxSpeed,
  readMode,
  writeBitsPerWord,
  writeMode,
} from "../../../ffi/spidev.ts";
import { command, Daemon } from "../../support/daemon.ts";
import { encodeHead, RESULT, SpiGuest } from "../../support/spi_driver.ts";
import { Random } from "../../support/random.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { until } from "../../support/wait.ts";
import { pattern } from "../spi/spidev.ts";

export const NODE = "/dev/spidev0.0";
export const OTHER_NODE = "/dev/spidev0.1";
export const OTHER_BUS = "/dev/spidev1.0";
export const SIM = "/sys/kernel/debug/uml_sim";
export const MODE_FUNCTIONS_ALL = 0x7f;
export const FUNC_CS_HIGH = 0x10;

/** What the bus was asked to do since the last time the log was emptied. */
export function wholeBusLog(bus = 0): string[] {
  const text = Deno.readTextFileSync(`${SIM}/spi${bus}/log`);
  return text.split("\n").filter((line) => line !== "");
}

/** The same without changes of settings; empties the log. */
export function busLog(bus = 0): string[] {
  const lines = wholeBusLog(bus);
  Deno.writeTextFileSync(`${SIM}/spi${bus}/log`, "\n");
  return lines.filter((line) => !line.startsWith("setup"));
}

/** Only the transfers among them. */
export function transfers(bus = 0): string[] {
  return busLog(bus).filter((line) => !line.startsWith("cs"));
}

export function failNext(number: number): void {
  Deno.writeTextFileSync("/sys/module/uml_sim/parameters/spi_fail", `${number}`);
}

export interface Situation {
  readonly daemon: Daemon;
  readonly guests: readonly SpiGuest[];
}

/** Runs something with a daemon of these nodes and its guests, after an empty bus log. */
export async function served(
  device: string | string[],
  use: (guest: SpiGuest, situation: Situation) => void | Promise<void>,
  count = 1,
  { messageTimeout = 1_000_000, messages = "command", maxTransfer = 1000 } = {},
): Promise<void> {
  using folder = new TemporaryFolder();
  const file = folder.file("spi.yaml");
  Deno.writeTextFileSync(
    file,
    JSON.stringify({
      guests: [device].flat().map((device) => ({ device, messages })),
      "message-timeout-us": messageTimeout,
      "max-transfer-ms": maxTransfer,
    }),
  );
  const args = ["--config", file];
  await using daemon = await Daemon.start("vhost-device-spi", args, { count });
  const guests = Array.from({ length: count }, (_, guest) => new SpiGuest(daemon.connect(guest)));
  try {
    busLog();
    await use(guests[0], { daemon, guests });
  } finally {
    for (const guest of guests) guest[Symbol.dispose]();
  }
  assertNotMatch(daemon.log, /internal error/);
}

/** Runs the program to its end. */
export async function run(args: readonly string[], options: Deno.CommandOptions = {}) {
  const [program, ...rest] = [...command("vhost-device-spi"), ...args];
  const child = new Deno.Command(program, { ...options, args: rest });
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, output: text.decode(stdout), error: text.decode(stderr) };
}

/** Checks that the program refuses to start with these arguments. */
export async function refused(device: string, code: number, pattern: RegExp): Promise<void> {
  const outcome = await run(["-s", "/tmp/refused", "-l", device]);
  assertMatch(outcome.error, pattern);
  assertEquals(outcome.error.trimEnd().split("\n").length, 1, "more than one line");
  assertStrictEquals(outcome.code, code);
}

export function settingsOf(path: string) {
  const fd = open(path, O_RDWR);
  try {
    return { mode: readMode(fd), bits: readBitsPerWord(fd), speed: readMaxSpeed(fd) };
  } finally {
    close(fd);
  }
}

/** Settings stay with the node when it is closed. */
export function configure(path: string, mode: number, bits: number): void {
  const fd = open(path, O_RDWR);
  writeMode(fd, mode);
  writeBitsPerWord(fd, bits);
  close(fd);
}

export function config(guest: SpiGuest) {
  const bytes = guest.frontEnd.getConfig(0, 32);
  assert(bytes !== undefined);
  const view = new DataView(bytes.buffer);
  return {
    chipSelects: view.getUint8(0),
    csChange: view.getUint8(1),
    txNbits: view.getUint8(2),
    rxNbits: view.getUint8(3),
    bitsPerWord: view.getUint32(4, true),
    modes: view.getUint32(8, true),
    frequency: view.getUint32(12, true),
  };
}

export const ok = (rx: ArrayLike<number>) => ({
  result: RESULT.OK,
  rx: Array.from(rx),
  used: rx.length + 1,
});

/** A request that makes sense more often than not, and the room for its answer. */
export function randomRequest(random: Random): [request: Uint8Array, room: number] {
  const tx = random.oneIn(4)
    ? []
    : Array.from({ length: 1 + random.below(8) }, () =>
      random.pick([0x02, 0x03, 0x05, 0x06, 0x0f, 0x13, 0x9f, 0x20, random.below(256)]));
  const head = encodeHead({
    chipSelect: random.oneIn(8) ? random.below(4) : random.below(2),
    csChange: random.oneIn(8) ? random.below(3) : random.below(2),
    mode: random.pick([0, 0, 0, 3]),
    bitsPerWord: random.oneIn(8) ? 16 : 8,
    frequency: random.pick([0, 1_000_000, 10_000_000]),
    setup: random.pick([0, 0, 1000]),
    inactive: random.pick([0, 0, 2_000_000]),
  });
  const room = random.oneIn(2) ? tx.length : random.oneIn(2) ? 0 : random.below(8);
  return [Uint8Array.of(...head, ...tx), random.oneIn(3) ? 1 : room + 1];
}

/** Takes a bus away, or puts it back. */
export function setPresent(bus: number, present: boolean): void {
  Deno.writeTextFileSync(`${SIM}/spi${bus}/present`, present ? "1" : "0");
}

/** Begins a transfer of 0.8 ms for each byte. */
export function submitLong(guest: SpiGuest, length = 1000): void {
  const request = new Uint8Array(32 + length);
  request.set(encodeHead({ frequency: 10_000 }));
  request.set(pattern(length), 32);
  guest.queues[0].submit(guest.segments(request, length + 1));
  until("its first piece", () => sentLength() > 0);
}

/** What comes back for it, with its result. */
export function longAnswer(): Uint8Array<ArrayBuffer> {
  const answer = new Uint8Array(1001);
  answer.set(pattern(1000));
  return answer;
}

/** How many bytes have gone over the bus since its log was emptied. */
export function sentLength(): number {
  const lengths = wholeBusLog().map((line) => Number(/ len (\d+)/.exec(line)?.[1] ?? 0));
  return lengths.reduce((sum, length) => sum + length, 0);
}
