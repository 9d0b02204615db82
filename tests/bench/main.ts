/**
 * How fast the GPIO daemon answers: the time from kick to call, and requests per second with the
 * queue kept full; and how long it takes for a change of the guest's memory.
 *
 * Another daemon of the same command line can be measured in the same run, by turns:
 * `PEER=/path/to/daemon`.
 *
 * @module
 */

import { Daemon } from "../support/daemon.ts";
import { Load } from "./load.ts";
import { memoryTableTimes } from "./memory_table.ts";
import { median, percentile } from "./statistics.ts";

const PROGRAM = "vhost-device-gpio";
const ARGUMENTS = ["-l", "s8"];
const ROUNDS = Number(Deno.env.get("BENCH_ROUNDS") ?? 7);
const ROUND_TRIPS = 20_000;
const REQUESTS = 300_000;

/** One daemon under measurement. */
class Contender {
  readonly trips: number[] = [];
  readonly slowest: number[] = [];
  readonly rates: number[] = [];
  readonly #samples = new Float64Array(ROUND_TRIPS);

  constructor(readonly name: string, readonly daemon: Daemon, readonly load: Load) {}

  static async start(name: string, program?: string): Promise<Contender> {
    const options = program === undefined ? {} : { program };
    const daemon = await Daemon.start(PROGRAM, ARGUMENTS, options);
    return new Contender(name, daemon, new Load(daemon.connect()));
  }

  /** Lets both sides compile what they will run. */
  warmUp(): void {
    this.load.roundTrips(this.#samples);
    this.load.throughput(REQUESTS);
  }

  measure(): void {
    this.load.roundTrips(this.#samples);
    this.trips.push(percentile(this.#samples, 0.5));
    this.slowest.push(percentile(this.#samples, 0.99));
    this.rates.push(this.load.throughput(REQUESTS));
  }

  async stop(): Promise<void> {
    if (!this.load.checkAnswers()) throw new Error(`${this.name} has answered with an error`);
    this.load[Symbol.dispose]();
    await this.daemon[Symbol.asyncDispose]();
  }
}

function row(cells: readonly string[]): void {
  const [name, ...rest] = cells;
  console.log(name.padEnd(26) + rest.map((cell) => cell.padStart(16)).join(""));
}

const GIBIBYTE = 2 ** 30;
/** How long one page more may take beside 256 GiB, in milliseconds. */
const PAGE_LIMIT = 1;

const milli = (value: number) => `${value.toFixed(2)} ms`;
const micro = (value: number) => `${value.toFixed(2)} µs`;
const count = (value: number) => Math.round(value).toLocaleString("en");

async function compare(): Promise<void> {
  const peer = Deno.env.get("PEER");
  const contenders = [await Contender.start(PROGRAM)];
  if (peer) contenders.push(await Contender.start("peer", peer));
  for (const contender of contenders) contender.warmUp();
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of contenders) contender.measure();
  }
  row(["", "round trip", "99th percentile", "requests/s"]);
  for (const { name, trips, slowest, rates } of contenders) {
    row([name, micro(median(trips)), micro(median(slowest)), count(median(rates))]);
  }
  if (contenders.length === 2) {
    const [ours, theirs] = contenders;
    const ratio = (a: number[], b: number[]) => (median(a) / median(b)).toFixed(2);
    row([
      `${ours.name} / peer`,
      ratio(ours.trips, theirs.trips),
      ratio(ours.slowest, theirs.slowest),
      ratio(ours.rates, theirs.rates),
    ]);
  }
  for (const contender of contenders) await contender.stop();
}

/** Counts what the daemon's garbage collector does while it serves a million requests. */
async function collections(): Promise<void> {
  const million = 1_000_000;
  await using daemon = await Daemon.start(PROGRAM, ARGUMENTS, { v8Flags: ["--trace-gc"] });
  using load = new Load(daemon.connect());
  load.throughput(million);
  load.roundTrips(new Float64Array(ROUND_TRIPS));
  const lines = () => daemon.log.split("\n").filter((line) => / ms: (Scav|Mark)/.test(line));
  const before = lines().length;
  const memory = daemon.residentMemory();
  load.throughput(million);
  load.roundTrips(new Float64Array(ROUND_TRIPS));
  const during = lines().slice(before);
  const growth = (daemon.residentMemory() - memory) / 1024;
  console.log(
    `\ngarbage collections during ${count(million + ROUND_TRIPS)} requests: ${during.length}, ` +
      `resident memory ${growth >= 0 ? "+" : ""}${count(growth)} KiB`,
  );
  for (const line of during) console.log(`  ${line.trim()}`);
}

/** Times changes of the memory table, each with a daemon that has seen nothing before. */
async function memoryTables(): Promise<void> {
  const peer = Deno.env.get("PEER");
  console.log();
  row(["guest memory, sparse", "table set", "set again", "a page added", "slowest of 51"]);
  for (const gibibytes of [256, 8192]) {
    const added = await memoryTableRow(`${count(gibibytes)} GiB`, gibibytes);
    if (gibibytes > 256 || added < PAGE_LIMIT) continue;
    console.error(`a page beside 256 GiB takes ${milli(added)}, more than ${milli(PAGE_LIMIT)}`);
    Deno.exitCode = 1;
  }
  if (peer) await memoryTableRow("peer, 256 GiB", 256, peer);
}

/** @returns how long a page more takes */
async function memoryTableRow(name: string, gibibytes: number, program?: string): Promise<number> {
  await using daemon = await Daemon.start(PROGRAM, ARGUMENTS, program ? { program } : {});
  using frontEnd = daemon.connect();
  const { set, repeated, added, worst } = memoryTableTimes(frontEnd, gibibytes * GIBIBYTE);
  row([name, ...[set, repeated, added, worst].map(milli)]);
  return added;
}

console.log(
  `${PROGRAM}, ${ROUNDS} rounds of ${count(ROUND_TRIPS)} round trips and of ` +
    `${count(REQUESTS)} requests with the queue kept full; medians of the rounds\n`,
);
await compare();
await memoryTables();
if (!Deno.env.get("VHOST_DEVICE_BIN_DIR")) await collections();
