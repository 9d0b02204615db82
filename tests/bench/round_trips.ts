/**
 * How fast the daemons answer a driver that does nothing else, and what that takes of a processor.
 *
 * @module
 */

import type { Daemon } from "../support/daemon.ts";
import { runningTime } from "../support/process_state.ts";
import { keepOn, processors, stayOn } from "../support/processors.ts";
import { type Contender, contenders, start } from "./contender.ts";
import { Load } from "./load.ts";
import { count, microseconds, ratio, table } from "./report.ts";
import { median, percentile } from "./statistics.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

const ROUNDS = Number(Deno.env.get("BENCH_ROUNDS") ?? 7);
const ROUND_TRIPS = 20_000;
const REQUESTS = 100_000;
export const DEPTHS = [1, 16, 64] as const;
/** How long a daemon looks for work before it sleeps, where it does. */
const POLL = 200;

/** How both sides are placed, and how they wait. */
interface Setting {
  readonly name: string;
  /** Processors of the two sides together. */
  readonly processors: 1 | 2;
  readonly polls: boolean;
}

const SETTINGS: readonly Setting[] = [
  { name: "one processor", processors: 1, polls: false },
  { name: "two processors", processors: 2, polls: false },
  { name: "two processors, both sides poll", processors: 2, polls: true },
];

/** What was measured of one contender: medians of the rounds. */
export interface Trips {
  readonly device: string;
  readonly setting: string;
  readonly contender: string;
  /** From offer to answer, in microseconds. */
  readonly median: number;
  readonly p99: number;
  readonly p999: number;
  /** Requests per second, by depth. */
  readonly rates: Readonly<Record<number, number>>;
  /** Processor time of the daemon per request in microseconds, by depth. */
  readonly processor: Readonly<Record<number, number>>;
  /** Likewise that of the driver, which is the same for all: what no daemon can be faster than. */
  readonly driver: Readonly<Record<number, number>>;
}

/** How many requests are made with so many of them at a time. */
function requests(depth: number): number {
  return depth === 1 ? ROUND_TRIPS : REQUESTS;
}

/** A contender at work. */
class Runner {
  readonly #medians: number[] = [];
  readonly #p99: number[] = [];
  readonly #p999: number[] = [];
  readonly #rates = new Map<number, number[]>(DEPTHS.map((depth) => [depth, []]));
  readonly #times = new Map<number, number[]>(DEPTHS.map((depth) => [depth, []]));
  readonly #driverTimes = new Map<number, number[]>(DEPTHS.map((depth) => [depth, []]));
  readonly #samples = new Float64Array(ROUND_TRIPS);

  constructor(
    readonly contender: Contender,
    readonly daemon: Daemon,
    readonly load: Load,
    readonly polls: boolean,
  ) {}

  /** Lets both sides compile what they will run. */
  warmUp(): void {
    this.load.roundTrips(this.#samples, this.polls);
    for (const depth of DEPTHS) this.load.throughput(requests(depth), depth, this.polls);
  }

  measure(): void {
    this.load.roundTrips(this.#samples, this.polls);
    this.#medians.push(percentile(this.#samples, 0.5));
    this.#p99.push(percentile(this.#samples, 0.99));
    this.#p999.push(percentile(this.#samples, 0.999));
    for (const depth of DEPTHS) {
      const count = requests(depth);
      this.load.spoil();
      const [daemon, driver] = this.#runningTimes();
      this.#rates.get(depth)!.push(this.load.throughput(count, depth, this.polls));
      const [daemonThen, driverThen] = this.#runningTimes();
      this.#times.get(depth)!.push((daemonThen - daemon) / 1000 / count);
      this.#driverTimes.get(depth)!.push((driverThen - driver) / 1000 / count);
      if (!this.load.areRight()) throw new Error(`${this.contender.name}: a wrong answer`);
    }
  }

  #runningTimes(): [daemon: number, driver: number] {
    return [runningTime(this.daemon.pid), runningTime(Deno.pid)];
  }

  result(device: string, setting: string): Trips {
    const medians = (of: Map<number, number[]>) =>
      Object.fromEntries([...of].map(([depth, values]) => [depth, median(values)]));
    return {
      device,
      setting,
      contender: this.contender.name,
      median: median(this.#medians),
      p99: median(this.#p99),
      p999: median(this.#p999),
      rates: medians(this.#rates),
      processor: medians(this.#times),
      driver: medians(this.#driverTimes),
    };
  }

  async stop(): Promise<void> {
    this.load[Symbol.dispose]();
    await this.daemon[Symbol.asyncDispose]();
  }
}

async function measure(workload: Workload, setting: Setting): Promise<Trips[]> {
  const [first, second = first] = processors();
  const daemonsPlace = setting.processors === 1 ? first : second;
  const runners: Runner[] = [];
  for (const contender of contenders(workload)) {
    // A peer is measured as it is: it has no such option.
    const polling = setting.polls && contender.program === undefined;
    const args = polling ? ["--poll-us", `${POLL}`] : [];
    const daemon = await start(workload, contender, args);
    if (daemon === undefined) continue;
    keepOn(daemon.pid, [daemonsPlace]);
    const load = new Load(daemon.connect(), workload);
    runners.push(new Runner(contender, daemon, load, setting.polls));
  }
  using _place = stayOn(first);
  for (const runner of runners) runner.warmUp();
  for (let round = 0; round < ROUNDS; round++) {
    for (const runner of runners) runner.measure();
  }
  const results = runners.map((runner) => runner.result(workload.name, setting.name));
  for (const runner of runners) await runner.stop();
  return results;
}

const shortTime = (value: number) => `${value.toFixed(2)} µs`;

function row(trips: Trips): string[] {
  return [
    `  ${trips.contender}`,
    ...[trips.median, trips.p99, trips.p999].map(microseconds),
    ...DEPTHS.map((depth) => count(trips.rates[depth])),
    ...DEPTHS.map((depth) => shortTime(trips.processor[depth])),
    shortTime(trips.driver[64]),
  ];
}

function ratios([ours, peer]: readonly Trips[]): string[] {
  const of = (pick: (trips: Trips) => number) => ratio(pick(ours) / pick(peer));
  return [
    "  ours / peer",
    of((trips) => trips.median),
    of((trips) => trips.p99),
    of((trips) => trips.p999),
    ...DEPTHS.map((depth) => of((trips) => trips.rates[depth])),
    ...DEPTHS.map((depth) => of((trips) => trips.processor[depth])),
    "",
  ];
}

/** Measures all devices, in front of our driver. */
export async function roundTrips(): Promise<Trips[]> {
  const all: Trips[] = [];
  const here = processors().length;
  const settings = SETTINGS.filter((setting) => setting.processors <= here);
  for (const workload of WORKLOADS) {
    console.log(`${workload.program}: ${workload.request}`);
    const rows: string[][] = [];
    for (const setting of settings) {
      const results = await measure(workload, setting);
      all.push(...results);
      rows.push([setting.name], ...results.map(row));
      if (results.length === 2) rows.push(ratios(results));
    }
    const times = ["median", "99 %", "99.9 %"];
    const processor = ["CPU, 1", "16", "64", "driver's, 64"];
    table(["", ...times, "1 at a time", "16", "64", ...processor], rows);
  }
  return all;
}
