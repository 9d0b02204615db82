/**
 * What drivers have sent, sent again to the daemon in front of a real spidev node: do the messages
 * on the bus end where the drivers' messages ended?
 *
 * Runs inside a guest with a make-believe bus (uml_sim.c). The folder given has what was recorded.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { Daemon } from "../../../support/daemon.ts";
import { RESULT, SpiGuest } from "../../../support/spi_driver.ts";
import type { RecordedRequest } from "../../../support/spi_recorder.ts";
import { TemporaryFolder } from "../../../support/temporary_folder.ts";
import { pause } from "../../../support/wait.ts";
import { type ChipName, chipNames, type Recording } from "./chips.ts";

const LOG = "/sys/kernel/debug/uml_sim/spi0/log";

function load(): Recording {
  return JSON.parse(Deno.readTextFileSync(`${Deno.args[0]}/recording.json`));
}

/** Sends requests as a driver has, with data that lies side by side where it did. */
class Replay {
  readonly #guest: SpiGuest;
  readonly #head: number;
  readonly #result: number;
  readonly #blocks: readonly number[];
  #turn = 0;
  /** Behind what was written last: as recorded, and here. */
  #recordedEnd = 0;
  #end = 0;

  constructor(guest: SpiGuest) {
    this.#guest = guest;
    this.#head = guest.ram.allocate(32);
    this.#result = guest.ram.allocate(1);
    this.#blocks = [guest.ram.allocate(32768), guest.ram.allocate(32768)];
  }

  send({ head, tx, rx, address }: RecordedRequest): void {
    const { ram, queues: [queue], frontEnd } = this.#guest;
    const at = address === this.#recordedEnd
      ? this.#end
      : this.#blocks[this.#turn++ % 2] + address % 8;
    ram.write(this.#head, [0, ...head.slice(1)]);
    ram.write(at, tx);
    const full = tx.length > 0 && rx > 0;
    const into = full ? at + 16384 : at;
    queue.submit([
      { address: this.#head, length: 32 },
      ...(tx.length > 0 ? [{ address: at, length: tx.length }] : []),
      ...(rx > 0 ? [{ address: into, length: rx, writable: true }] : []),
      { address: this.#result, length: 1, writable: true },
    ]);
    queue.waitUsed(frontEnd);
    assertEquals([...ram.read(this.#result, 1)], [RESULT.OK]);
    this.#recordedEnd = tx.length > 0 ? address + tx.length : 0;
    this.#end = at + tx.length;
  }
}

/** Where messages ended on the bus. */
function messagesOnBus(): number[][] {
  const messages: number[][] = [];
  for (const line of Deno.readTextFileSync(LOG).split("\n")) {
    if (line === "cs 0 on") messages.push([]);
    const length = / len (\d+)/.exec(line)?.[1];
    if (length !== undefined) messages.at(-1)!.push(Number(length));
  }
  return messages;
}

interface Expectations {
  /** Of the daemon's log. */
  readonly logged?: RegExp;
  readonly notLogged?: RegExp;
}

/** What a chip's driver has sent. */
function recorded(chip: ChipName): { requests: RecordedRequest[]; messages: number[][] } {
  const { requests, messages } = load();
  const chipSelect = chipNames.indexOf(chip);
  const own = requests.filter((request) => request.chipSelect === chipSelect);
  assert(own.length > 0, "nothing was recorded");
  return { requests: own, messages: messages[chip].map((lengths) => [...lengths]) };
}

/**
 * Sends requests to a daemon with this rule.
 *
 * @param before is called before each request
 * @returns where messages ended on the bus, and the daemon's log
 */
async function send(
  requests: readonly RecordedRequest[],
  rule: string | undefined,
  before: (index: number) => void = () => {},
): Promise<{ onBus: number[][]; log: string }> {
  using folder = new TemporaryFolder();
  const file = folder.file("spi.yaml");
  const guest = { device: "/dev/spidev0.0", ...(rule === undefined ? {} : { messages: rule }) };
  // Nothing but gaps is to depend on how fast this machine is.
  const config = { guests: [guest], "message-timeout-us": 1_000_000 };
  Deno.writeTextFileSync(file, JSON.stringify(config));
  await using daemon = await Daemon.start("vhost-device-spi", ["--config", file]);
  using driven = new SpiGuest(daemon.connect());
  const driver = new Replay(driven);
  const onBus: number[][] = [];
  const takeLog = () => {
    onBus.push(...messagesOnBus());
    Deno.writeTextFileSync(LOG, "\n");
  };
  for (const [index, request] of requests.entries()) {
    // The bus keeps a log of limited length.
    if (index % 50 === 0 && !isSelected()) takeLog();
    before(index);
    driver.send(request);
  }
  await daemon.stop();
  takeLog();
  return { onBus, log: daemon.log };
}

async function replay(chip: ChipName, rule: string | undefined, expected: Expectations) {
  const { requests, messages } = recorded(chip);
  const { onBus, log } = await send(requests, rule);
  assertEquals(onBus, messages);
  if (expected.logged !== undefined) assertMatch(log, expected.logged);
  if (expected.notLogged !== undefined) assertNotMatch(log, expected.notLogged);
}

/** As Linux' driver announces it for the chip, in milliseconds. */
const GAP = 40;
/** The longest delays that spidev takes, in nanoseconds: a machine under load has its own gaps. */
const LONGEST_DELAY = 65_000_000;
const TRIES = 5;

/** The same request of a guest whose devicetree has other delays. */
function withDelays(request: RecordedRequest, hold: number, inactive: number): RecordedRequest {
  const head = Uint8Array.from(request.head);
  const view = new DataView(head.buffer);
  view.setUint32(24, hold, true);
  view.setUint32(28, inactive, true);
  return { ...request, head: [...head] };
}

/** Sends requests with gaps between messages, and what belongs to one at once. */
async function replayWithGaps(chip: ChipName, rule: string | undefined, logged?: RegExp) {
  const { requests, messages } = recorded(chip);
  const starts = new Set<number>();
  let count = 0;
  for (const lengths of messages) {
    starts.add(count);
    count += lengths.length;
  }
  for (const start of starts) {
    if (start === 0) continue;
    const gap = requests[start].time - requests[start - 1].time;
    assert(gap >= GAP, `the driver has left ${gap} ms`);
  }
  const delayed = requests.map((it) => withDelays(it, LONGEST_DELAY, LONGEST_DELAY));
  // Where the machine stands still in the middle of a message, that is a gap as well.
  for (let tries = 1;; tries++) {
    const { onBus, log } = await send(delayed, rule, (index) => {
      if (starts.has(index)) pause(2 * LONGEST_DELAY / 1e6);
    });
    if (tries < TRIES && JSON.stringify(onBus) !== JSON.stringify(messages)) continue;
    assertEquals(onBus, messages);
    if (logged !== undefined) assertMatch(log, logged);
    return;
  }
}

function isSelected(): boolean {
  const lines = Deno.readTextFileSync(LOG).trim().split("\n").filter((it) => it.startsWith("cs"));
  return lines.at(-1)?.endsWith("on") ?? false;
}

function replays(
  name: string,
  chip: ChipName,
  rule: string | undefined,
  expected: Expectations = {},
): void {
  Deno.test(`S9 ${name}`, () => replay(chip, rule, expected));
}

const MEMORY = /chip select 0 \(\/dev\/spidev0\.0\): .*one of a memory/;

replays("at25 under 'eeprom:2'", "at25", "eeprom:2", { notLogged: MEMORY });
replays("spi-nor under 'nor'", "nor", "nor", { notLogged: MEMORY });
replays("spinand under 'nand'", "nand", "nand");
replays("adxl355, a register map with bulk writes, under 'prefix:1'", "adxl355", "prefix:1");
replays("mcp3208 under 'prefix:1'", "mcp3208", "prefix:1");
replays("mcp3208 where nothing was said", "mcp3208", undefined, { notLogged: MEMORY });
replays("spidev's write(), read() and full duplex under 'prefix:0'", "spidev", "prefix:0");
replays("at25 where nothing was said: a warning", "at25", undefined, { logged: MEMORY });
replays("spi-nor where nothing was said: a warning", "nor", undefined, { logged: MEMORY });
Deno.test("S9 at25 with gaps, under 'gap'", () => replayWithGaps("gap", "gap"));
Deno.test("S9 at25 with gaps, where nothing was said", () =>
  replayWithGaps("gap", undefined, /the guest leaves 65 ms between messages/));
