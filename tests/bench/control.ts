/**
 * How many sets a client of the control socket gets done, and a guest's round trips meanwhile.
 *
 * @module
 */

import { TemporaryFolder } from "../support/temporary_folder.ts";
import { processors } from "../support/processors.ts";
import { start } from "./contender.ts";
import type { ControlLoadStart } from "./control_load.ts";
import { Load } from "./load.ts";
import { place, placesFor, quietFrontEnd, type Share } from "./places.ts";
import { count, microseconds, ratio, table } from "./report.ts";
import { median, percentile } from "./statistics.ts";
import { WORKLOADS } from "./workload.ts";

const ROUNDS = 9;
const ROUND_TRIPS = 10_000;
/** What one connection has to get done in a second. */
const RATE = 10_000;
/** How much longer a guest's round trip may take meanwhile. */
const LIMIT = 1.2;
/** How long as many sets as can be are measured, in milliseconds. */
const FULL_SPEED = 1000;

/** What was measured. */
export interface ControlFigures {
  /** A guest's round trip in microseconds, with no client, and with one that sets so often. */
  readonly idle: number;
  readonly busy: number;
  /** Sets a second, as asked for, and as many as are answered. */
  readonly paced: number;
  readonly most: number;
  /** For what there is a processor each; the client counts as another guest. */
  readonly share: Share;
}

/** A client, while it lasts. */
class Client {
  readonly #worker = new Worker(new URL("./control_load.ts", import.meta.url), { type: "module" });
  readonly #shared = new SharedArrayBuffer(8);
  readonly #words = new Int32Array(this.#shared);

  async begin(start: Omit<ControlLoadStart, "shared">): Promise<void> {
    const begun = Promise.withResolvers<void>();
    this.#worker.onmessage = () => begun.resolve();
    this.#worker.postMessage({ ...start, shared: this.#shared });
    await begun.promise;
  }

  /** How many sets have been answered. */
  get answered(): number {
    return Atomics.load(this.#words, 1);
  }

  async end(): Promise<void> {
    const ended = Promise.withResolvers<void>();
    this.#worker.onmessage = () => ended.resolve();
    Atomics.store(this.#words, 0, 1);
    await ended.promise;
  }
}

/** Measures the daemon for GPIO. */
export async function control(): Promise<ControlFigures> {
  using folder = new TemporaryFolder();
  const path = folder.file("control");
  const gpio = WORKLOADS.find(({ name }) => name === "gpio")!;
  await using daemon = (await start(gpio, { name: "ours" }, ["--control", path]))!;
  const places = placesFor(processors());
  using load = new Load(daemon.connect(), gpio, 1);
  place(daemon, load, places);
  using _place = quietFrontEnd(places);
  const samples = new Float64Array(ROUND_TRIPS);
  const measure = () => {
    load.roundTrips(samples);
    return percentile(samples, 0.5);
  };
  for (let round = 0; round < 3; round++) measure();
  const [idle, busy, rates]: number[][] = [[], [], []];
  // The last of its lines, with which the guest has nothing to do.
  const client = { path, line: "7", processor: places.otherFrontEnd };
  for (let round = 0; round < ROUNDS; round++) {
    idle.push(measure());
    const paced = new Client();
    await paced.begin({ ...client, rate: RATE });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const [begin, before] = [performance.now(), paced.answered];
    busy.push(measure());
    rates.push((paced.answered - before) / (performance.now() - begin) * 1000);
    await paced.end();
  }
  const full = new Client();
  await full.begin({ ...client, rate: Infinity });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const [begin, before] = [performance.now(), full.answered];
  await new Promise((resolve) => setTimeout(resolve, FULL_SPEED));
  const most = (full.answered - before) / (performance.now() - begin) * 1000;
  await full.end();
  const figures = {
    ...{ idle: median(idle), busy: median(busy), paced: median(rates), most },
    share: places.share,
  };
  table(["a guest's round trip", "", "to idle", "sets a second"], [
    ["without a client", microseconds(figures.idle), "", ""],
    [
      `while one sets a line ${count(RATE)} times a second`,
      microseconds(figures.busy),
      ratio(figures.busy / figures.idle),
      count(figures.paced),
    ],
    ["no guest's, as fast as can be", "", "", count(figures.most)],
  ]);
  console.log(`(There is a processor for ${places.share}; the client counts as one.)\n`);
  const problems = [
    ...(figures.busy > LIMIT * figures.idle ? [`more than ${LIMIT} times as long as idle`] : []),
    ...(figures.most < RATE ? [`fewer than ${count(RATE)} sets a second`] : []),
  ];
  for (const problem of problems) console.error(`control: ${problem}`);
  if (problems.length > 0) Deno.exitCode = 1;
  return figures;
}
