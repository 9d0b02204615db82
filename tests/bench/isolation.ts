/**
 * A quiet guest's round trips while another guest of the same daemon is busy, or hostile.
 *
 * @module
 */

import { keepOn, processors, stayOn } from "../support/processors.ts";
import type { Daemon } from "../support/daemon.ts";
import { contenders, start } from "./contender.ts";
import { type Disturbance, DISTURBANCES, type DisturbanceStart } from "./disturbance.ts";
import { Load } from "./load.ts";
import { microseconds, ratio, table } from "./report.ts";
import { median, percentile } from "./statistics.ts";
import { WORKLOADS } from "./workload.ts";

const ROUNDS = 5;
const ROUND_TRIPS = 10_000;
/** Both guests' front-ends and threads. */
const PROCESSORS = 4;

/** What was measured; times in microseconds. */
export interface Isolation {
  readonly device: string;
  readonly contender: string;
  readonly other: "nothing" | Disturbance;
  readonly median: number;
  readonly p99: number;
  /** Whether each of the four threads had a processor of its own. */
  readonly apart: boolean;
}

/** The other guest, while it lasts. */
class Other {
  readonly #worker = new Worker(new URL("./disturbance.ts", import.meta.url), { type: "module" });
  readonly #end = new SharedArrayBuffer(4);

  async begin(start: Omit<DisturbanceStart, "end">): Promise<void> {
    const begun = Promise.withResolvers<void>();
    this.#worker.onmessage = () => begun.resolve();
    this.#worker.postMessage({ ...start, end: this.#end });
    await begun.promise;
  }

  async end(): Promise<void> {
    const ended = Promise.withResolvers<void>();
    this.#worker.onmessage = () => ended.resolve();
    Atomics.store(new Int32Array(this.#end), 0, 1);
    await ended.promise;
  }
}

/** Places the daemon's threads for guests 0 and 1; where names are not to be had, all together. */
function place(daemon: Daemon, places: readonly number[]): void {
  keepOn(daemon.pid, [...new Set([places[1], places[3]])]);
}

async function measure(
  device: typeof WORKLOADS[number],
  contender: ReturnType<typeof contenders>[number],
): Promise<Isolation[]> {
  await using daemon = await start(device, contender, [], { count: 2 });
  if (daemon === undefined) return [];
  const available = processors();
  const places = Array.from(
    { length: PROCESSORS },
    (_, index) => available[index % available.length],
  );
  const apart = available.length >= PROCESSORS;
  place(daemon, places);
  using load = new Load(daemon.connect(0), device, 1);
  using _here = stayOn(places[0]);
  const samples = new Float64Array(ROUND_TRIPS);
  const round = (other: Isolation["other"]): Isolation => {
    const [medians, slowest]: number[][] = [[], []];
    for (let count = 0; count < ROUNDS; count++) {
      load.roundTrips(samples);
      medians.push(percentile(samples, 0.5));
      slowest.push(percentile(samples, 0.99));
    }
    const [middle, p99] = [median(medians), median(slowest)];
    return { device: device.name, contender: contender.name, other, median: middle, p99, apart };
  };
  round("nothing");
  const results = [round("nothing")];
  for (const disturbance of DISTURBANCES) {
    // A peer that ends at the first malformed message has nothing to be measured by.
    if (contender.program !== undefined && disturbance === "breaks its ring") continue;
    const other = new Other();
    const socket = daemon.socket(1);
    await other.begin({ socket, device: device.name, disturbance, processor: places[2] });
    results.push(round(disturbance));
    await other.end();
  }
  return results;
}

/** Measures all devices. */
export async function isolation(): Promise<Isolation[]> {
  const all: Isolation[] = [];
  const rows: string[][] = [];
  for (const device of WORKLOADS) {
    for (const contender of contenders(device)) {
      const [quiet, ...rest] = await measure(device, contender);
      if (quiet === undefined) continue;
      all.push(quiet, ...rest);
      rows.push(...[quiet, ...rest].map((result) => [
        `${device.name}, ${contender.name}, the other ${result.other}`,
        ...[result.median, result.p99].map(microseconds),
        ratio(result.median / quiet.median),
        ratio(result.p99 / quiet.p99),
      ]));
    }
  }
  table(["a quiet guest while", "round trip", "99 %", "to its own", "99 %"], rows);
  if (!all.every(({ apart }) => apart)) {
    console.log("(There is no processor for each thread here: what others use is missing.)\n");
  }
  return all;
}
