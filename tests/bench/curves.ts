/**
 * What a request takes as the size of the queue, the number of memory regions and the number of
 * lines grow.
 *
 * @module
 */

import { GuestRam } from "../support/guest_ram.ts";
import type { GuestOptions } from "../support/guest.ts";
import { runningTime } from "../support/process_state.ts";
import {
  PROTOCOL_CONFIG,
  PROTOCOL_CONFIGURE_MEM_SLOTS,
  PROTOCOL_MQ,
  PROTOCOL_REPLY_ACK,
} from "../support/wire.ts";
import { close } from "../../ffi/fd.ts";
import { PAGE_SIZE } from "../../ffi/memory.ts";
import { createMemfd } from "../support/kernel_objects.ts";
import { contenders, start } from "./contender.ts";
import { Load } from "./load.ts";
import { microseconds, table } from "./report.ts";
import { median, percentile } from "./statistics.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

const ROUNDS = 5;
const ROUND_TRIPS = 10_000;
const SIZES = [2, 8, 32, 128, 512, 1024];
const REGIONS = [1, 2, 8, 32, 128, 509];
const LINES = [8, 64, 512, 4096, 65_535];
const AT = 2 ** 40;

/** A point of a curve. */
export interface Point {
  readonly of: "queue size" | "memory regions" | "lines";
  readonly contender: string;
  readonly x: number;
  /** A round trip in microseconds. */
  readonly median: number;
  readonly p99: number;
  /** Processor time of the daemon, in microseconds. */
  readonly processor: number;
}

/** What differs from point to point. */
interface Case {
  readonly of: Point["of"];
  readonly x: number;
  readonly arguments?: readonly string[];
  readonly options?: GuestOptions;
  /** How many regions there are besides the one that is used. */
  readonly regions?: number;
}

const CASES: readonly Case[] = [
  ...SIZES.map((size): Case => ({ of: "queue size", x: size, options: { size } })),
  ...REGIONS.map((count): Case => ({ of: "memory regions", x: count, regions: count - 1 })),
  ...LINES.map((lines): Case => ({ of: "lines", x: lines, arguments: ["-l", `s${lines}`] })),
];

/** Adds regions of a page each below and above the guest's memory. */
function addRegions(load: Load, count: number): void {
  if (count === 0) return;
  const { frontEnd } = load;
  if (!(frontEnd.getProtocolFeatures() & PROTOCOL_CONFIGURE_MEM_SLOTS)) {
    throw new Error("it does not offer CONFIGURE_MEM_SLOTS");
  }
  const page = createMemfd("page", PAGE_SIZE);
  for (let index = 0; index < count; index++) {
    const at = AT + 2 * index * PAGE_SIZE;
    frontEnd.addRegion({ guestAddress: at, userAddress: at, size: PAGE_SIZE, fileOffset: 0 }, page);
  }
  frontEnd.barrier();
  close(page);
}

async function measure(workload: Workload, one: Case): Promise<Point[]> {
  const points: Point[] = [];
  for (const contender of contenders(workload)) {
    const { arguments: args = workload.arguments(1) } = one;
    const work = { ...workload, arguments: () => args };
    await using daemon = await start(work, contender);
    if (daemon === undefined) continue;
    const protocolFeatures = PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG |
      PROTOCOL_CONFIGURE_MEM_SLOTS;
    try {
      using ram = new GuestRam();
      using load = new Load(daemon.connect(), work, 1, { ...one.options, ram, protocolFeatures });
      addRegions(load, one.regions ?? 0);
      const samples = new Float64Array(ROUND_TRIPS);
      load.roundTrips(samples);
      const [medians, slowest, times]: number[][] = [[], [], []];
      for (let round = 0; round < ROUNDS; round++) {
        const before = runningTime(daemon.pid);
        load.roundTrips(samples);
        times.push((runningTime(daemon.pid) - before) / 1000 / ROUND_TRIPS);
        medians.push(percentile(samples, 0.5));
        slowest.push(percentile(samples, 0.99));
      }
      points.push({
        of: one.of,
        x: one.x,
        contender: contender.name,
        median: median(medians),
        p99: median(slowest),
        processor: median(times),
      });
    } catch (error) {
      if (contender.program === undefined) throw error;
      console.log(`  (the peer cannot do ${one.x} ${one.of}: ${(error as Error).message})`);
    }
  }
  return points;
}

/** Measures the GPIO daemon. */
export async function curves(): Promise<Point[]> {
  const [workload] = WORKLOADS;
  const all: Point[] = [];
  for (const one of CASES) all.push(...await measure(workload, one));
  table(
    [workload.program, "round trip", "99 %", "CPU per request"],
    all.map((point) => [
      `${point.of} ${point.x}, ${point.contender}`,
      ...[point.median, point.p99, point.processor].map(microseconds),
    ]),
  );
  return all;
}
