/**
 * A quiet guest's round trips while another guest of the same daemon is busy, or hostile.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { keepOn, processors } from "../support/processors.ts";
import { pause } from "../support/wait.ts";
import { type Contender, contenders, start } from "./contender.ts";
import { type Disturbance, DISTURBANCES, type DisturbanceStart, ORDER } from "./disturbance.ts";
import { Load } from "./load.ts";
import { place, placesFor, quietFrontEnd, type Share } from "./places.ts";
import { microseconds, ratio, table } from "./report.ts";
import { median, percentile } from "./statistics.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

const ROUNDS = 9;
const ROUND_TRIPS = 10_000;
/** How long the other is at it before anything is measured, in milliseconds. */
const SETTLE = 20;
/** How much longer a quiet guest's round trip may take beside another, where each has a processor. */
const LIMIT = 1.2;

/** What was measured; times in microseconds. */
export interface Isolation {
  readonly device: string;
  readonly contender: string;
  readonly other: Disturbance;
  /** Of which daemon the other is a guest: a second one shows what the machine does to it. */
  readonly daemon: "same" | "another";
  readonly median: number;
  readonly p99: number;
  /** The same without the other, by turns. */
  readonly quietMedian: number;
  readonly quietP99: number;
  /** For what there is a processor each. */
  readonly share: Share;
}

interface Times {
  readonly medians: number[];
  readonly p99: number[];
}

/** The other guest. */
class Other implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

  constructor(start: DisturbanceStart) {
    const program = fileURLToPath(new URL("./disturbance.ts", import.meta.url));
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "--allow-all", program, JSON.stringify(start)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout.getReader();
  }

  /** Returns once it does so. */
  async do(order: typeof ORDER[keyof typeof ORDER]): Promise<void> {
    await this.#orders.write(Uint8Array.of(order));
    const { done } = await this.#answers.read();
    if (done) throw new Error("the other guest's front-end has ended");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close();
    await this.#child.status;
    await this.#answers.cancel();
  }
}

async function measure(device: Workload, contender: Contender): Promise<Isolation[]> {
  await using daemon = await start(device, contender, [], { count: 2 });
  await using second = await start(device, contender);
  if (daemon === undefined || second === undefined) return [];
  const places = placesFor(processors());
  using load = new Load(daemon.connect(0), device, 1);
  place(daemon, load, places);
  keepOn(second.pid, [places.other]);
  const samples = new Float64Array(ROUND_TRIPS);
  const measured = new Map<Other | undefined, Times>();
  const round = (other?: Other) => {
    load.roundTrips(samples);
    const times = measured.get(other) ?? { medians: [], p99: [] };
    measured.set(other, times);
    times.medians.push(percentile(samples, 0.5));
    times.p99.push(percentile(samples, 0.99));
  };
  const all: Isolation[] = [];
  for (const disturbance of DISTURBANCES) {
    // A peer that ends at the first malformed message has nothing to be measured by.
    if (contender.program !== undefined && disturbance === "breaks its ring") continue;
    const start = { device: device.name, disturbance, processor: places.otherFrontEnd };
    await using another = new Other({ ...start, socket: second.socket() });
    await using same = new Other({ ...start, socket: daemon.socket(1) });
    const others = [same, another];
    for (const other of others) await other.do(ORDER.REST);
    using _place = quietFrontEnd(places);
    measured.clear();
    load.roundTrips(samples);
    for (let count = 0; count < ROUNDS; count++) {
      round();
      for (const other of others) {
        await other.do(ORDER.DISTURB);
        pause(SETTLE);
        round(other);
        await other.do(ORDER.REST);
      }
    }
    const quiet = measured.get(undefined)!;
    all.push(...others.map((other, index): Isolation => ({
      device: device.name,
      contender: contender.name,
      other: disturbance,
      daemon: index === 0 ? "same" : "another",
      median: median(measured.get(other)!.medians),
      p99: median(measured.get(other)!.p99),
      quietMedian: median(quiet.medians),
      quietP99: median(quiet.p99),
      share: places.share,
    })));
  }
  return all;
}

/** Measures all devices. */
export async function isolation(): Promise<Isolation[]> {
  const all: Isolation[] = [];
  for (const device of WORKLOADS) {
    for (const contender of contenders(device)) all.push(...await measure(device, contender));
  }
  table(
    ["a quiet guest while another", "round trip", "99 %", "to a quiet one", "99 %"],
    all.map(({ device, contender, other, daemon, median, p99, quietMedian, quietP99 }) => [
      `${device}, ${contender}, ${other}${daemon === "same" ? "" : " (of another daemon)"}`,
      ...[median, p99].map(microseconds),
      ...[median / quietMedian, p99 / quietP99].map(ratio),
    ]),
  );
  console.log(`(There is a processor for ${all[0].share}.)\n`);
  if (all[0].share === "all") return all;
  for (const one of all) {
    if (one.contender !== "ours" || one.daemon !== "same") continue;
    const [middle, p99] = [one.median / one.quietMedian, one.p99 / one.quietP99];
    if (middle <= LIMIT && p99 <= LIMIT) continue;
    console.error(
      `${one.device}: ${ratio(middle)} and ${ratio(p99)} times as long while another ` +
        `${one.other}, more than ${LIMIT}`,
    );
    Deno.exitCode = 1;
  }
  return all;
}
