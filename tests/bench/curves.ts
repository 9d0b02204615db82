/**
 * What a request takes as the size of the queue, the number of memory regions and the number of
 * lines grow.
 *
 * @module
 */

import type { Daemon } from "../support/daemon.ts";
import { GuestRam } from "../support/guest_ram.ts";
import type { GuestOptions } from "../support/guest.ts";
import { runningTime } from "../support/process_state.ts";
import { keepOn, processors, stayOn } from "../support/processors.ts";
import {
  memoryTable,
  PROTOCOL_CONFIG,
  PROTOCOL_CONFIGURE_MEM_SLOTS,
  PROTOCOL_MQ,
  PROTOCOL_REPLY_ACK,
  REQUEST,
} from "../support/wire.ts";
import { close } from "../../ffi/fd.ts";
import { PAGE_SIZE } from "../../ffi/memory.ts";
import { createMemfd } from "../support/kernel_objects.ts";
import { type Contender, contenders, start } from "./contender.ts";
import { Load } from "./load.ts";
import { microseconds, table } from "./report.ts";
import { median, percentile } from "./statistics.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

const ROUNDS = 9;
const ROUND_TRIPS = 10_000;
const SIZES = [2, 8, 32, 128, 512, 1024];
const REGIONS = [1, 2, 8, 32, 128, 509];
const LINES = [8, 64, 512, 4096, 65_535];
const AT = 2 ** 40;
/** As many descriptors can come with a message. */
const MOST_OF_A_TABLE = 32;

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
  /** Processors of the daemon and its front-end together. */
  readonly processors: 1;
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

/**
 * Adds regions of a page each above the guest's memory: one by one, or all with a new table where
 * the daemon takes nothing else.
 */
function addRegions({ frontEnd }: Load, ram: GuestRam, count: number): void {
  if (count === 0) return;
  const page = createMemfd("page", PAGE_SIZE);
  const regions = Array.from({ length: count }, (_, index) => {
    const at = AT + 2 * index * PAGE_SIZE;
    return { guestAddress: at, userAddress: at, size: PAGE_SIZE, fileOffset: 0 };
  });
  try {
    if (frontEnd.getProtocolFeatures() & PROTOCOL_CONFIGURE_MEM_SLOTS) {
      for (const region of regions) frontEnd.addRegion(region, page);
    } else if (1 + count > MOST_OF_A_TABLE) {
      throw new Error("it does not offer CONFIGURE_MEM_SLOTS");
    } else {
      const fds = [...ram.regions.map(({ fd }) => fd), ...regions.map(() => page)];
      const table = memoryTable([...ram.regions, ...regions]);
      if (frontEnd.outcome(REQUEST.SET_MEM_TABLE, table, fds) !== 0n) {
        throw new Error("it refuses that table");
      }
    }
    frontEnd.barrier();
  } finally {
    close(page);
  }
}

/** A contender at work. */
interface Runner extends Disposable {
  readonly contender: Contender;
  readonly daemon: Daemon;
  readonly load: Load;
  readonly medians: number[];
  readonly p99: number[];
  readonly times: number[];
}

const PROTOCOL = PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG | PROTOCOL_CONFIGURE_MEM_SLOTS;

function runner(contender: Contender, daemon: Daemon, workload: Workload, one: Case): Runner {
  const ram = new GuestRam();
  const options = { ...one.options, ram, protocolFeatures: PROTOCOL };
  const load = new Load(daemon.connect(), workload, 1, options);
  addRegions(load, ram, one.regions ?? 0);
  const close = () => {
    load[Symbol.dispose]();
    ram[Symbol.dispose]();
  };
  const measured = { medians: [], p99: [], times: [] };
  return { contender, daemon, load, ...measured, [Symbol.dispose]: close };
}

/** Measures the contenders by turns, each on the same processor as its front-end. */
async function measure(workload: Workload, one: Case): Promise<Point[]> {
  const work = one.arguments === undefined
    ? workload
    : { ...workload, arguments: () => one.arguments! };
  await using daemons = new AsyncDisposableStack();
  using loads = new DisposableStack();
  const [here] = processors();
  const runners: Runner[] = [];
  for (const contender of contenders(workload)) {
    const daemon = await start(work, contender);
    if (daemon === undefined) continue;
    daemons.use(daemon);
    keepOn(daemon.pid, [here]);
    try {
      runners.push(loads.use(runner(contender, daemon, work, one)));
    } catch (error) {
      if (contender.program === undefined) throw error;
      console.log(`  (the peer cannot do ${one.x} ${one.of}: ${(error as Error).message})`);
    }
  }
  using _place = stayOn(here);
  const samples = new Float64Array(ROUND_TRIPS);
  for (const { load } of runners) load.roundTrips(samples);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { daemon, load, medians, p99, times } of runners) {
      const before = runningTime(daemon.pid);
      load.roundTrips(samples);
      times.push((runningTime(daemon.pid) - before) / 1000 / ROUND_TRIPS);
      medians.push(percentile(samples, 0.5));
      p99.push(percentile(samples, 0.99));
    }
  }
  return runners.map(({ contender, medians, p99, times }) => ({
    of: one.of,
    x: one.x,
    contender: contender.name,
    median: median(medians),
    p99: median(p99),
    processor: median(times),
    processors: 1,
  }));
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
  console.log("(Daemon and front-end share a processor.)\n");
  return all;
}
