/**
 * Inside the guest: measures the daemons by turns, and prints the figures as a line of JSON.
 *
 * @module
 */

import { hostAdapters } from "../../lib/i2c/host/find_adapters.ts";
import type { Daemon } from "../support/daemon.ts";
import { processorTime } from "../support/process_state.ts";
import { type Contender, contenders, start } from "./contender.ts";
import { Load } from "./load.ts";
import { median, percentile } from "./statistics.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

const ROUNDS = Number(Deno.env.get("BENCH_ROUNDS") ?? 5);
const ROUND_TRIPS = 1000;
/** Requests after which a daemon has compiled what it runs. */
const WARM_UP = 10_000;
const DEPTHS = [1, 16, 64] as const;
/** The peers take no larger queue. */
const PEERS_QUEUE = 256;

/** What was measured of one contender: medians of the rounds. */
export interface NodeFigure {
  readonly device: string;
  readonly contender: string;
  /** From offer to answer, in microseconds. */
  readonly median: number;
  readonly p99: number;
  /** Requests per second by depth, where it can do them. */
  readonly rates: Readonly<Record<number, number>>;
  /** Processor time of the daemon per request in microseconds, one at a time. */
  readonly processor: number;
}

/** A contender at work. */
interface Runner {
  readonly contender: Contender;
  readonly daemon: Daemon;
  readonly load: Load;
  readonly deepest: number;
  readonly medians: number[];
  readonly p99: number[];
  readonly times: number[];
  readonly rates: Map<number, number[]>;
}

const samples = new Float64Array(ROUND_TRIPS);

function roundTrips({ daemon, load, medians, p99, times }: Runner): void {
  const before = processorTime(daemon.pid);
  load.roundTrips(samples);
  times.push((processorTime(daemon.pid) - before) * 1e6 / ROUND_TRIPS);
  medians.push(percentile(samples, 0.5));
  p99.push(percentile(samples, 0.99));
}

/** @returns false if the contender cannot do it */
function throughput({ contender, load, rates }: Runner, depth: number): boolean {
  try {
    const rate = load.throughput(ROUND_TRIPS, depth);
    rates.set(depth, [...rates.get(depth) ?? [], rate]);
    return true;
  } catch (error) {
    if (contender.program === undefined) throw error;
    rates.delete(depth);
    console.log(`  (the peer cannot do ${depth} at a time: ${(error as Error).message})`);
    return false;
  }
}

async function measure(workload: Workload): Promise<NodeFigure[]> {
  await using daemons = new AsyncDisposableStack();
  const runners: Runner[] = [];
  for (const contender of contenders(workload)) {
    const daemon = await start(workload, contender);
    if (daemon === undefined) continue;
    daemons.use(daemon);
    const most = contender.program === undefined
      ? 64
      : Math.floor(PEERS_QUEUE / workload.descriptors);
    const deepest = DEPTHS.findLast((depth) => depth <= most)!;
    const load = new Load(daemon.connect(), workload, deepest);
    const measured = { medians: [], p99: [], times: [], rates: new Map() };
    runners.push({ contender, daemon, load, deepest, ...measured });
  }
  for (const { load } of runners) {
    for (let count = 0; count < WARM_UP; count += ROUND_TRIPS) load.roundTrips(samples);
  }
  for (let round = 0; round < ROUNDS; round++) runners.forEach(roundTrips);
  for (const depth of DEPTHS) {
    let able = runners.filter(({ deepest }) => deepest >= depth);
    for (let round = 0; round < ROUNDS; round++) {
      able = able.filter((runner) => throughput(runner, depth));
    }
  }
  return runners.map(({ contender, medians, p99, times, rates }) => ({
    device: workload.name,
    contender: contender.name,
    median: median(medians),
    p99: median(p99),
    rates: Object.fromEntries([...rates].map(([depth, values]) => [depth, median(values)])),
    processor: times.reduce((sum, time) => sum + time, 0) / times.length,
  }));
}

if (import.meta.main) {
  const bus = hostAdapters().find(({ name }) => name.startsWith("main"))!.number;
  const nodes: Readonly<Record<string, string>> = { i2c: `${bus}:80`, spi: "/dev/spidev0.0" };
  const all: NodeFigure[] = [];
  for (const workload of WORKLOADS) {
    const node = nodes[workload.name];
    if (node === undefined) continue;
    all.push(...await measure({ ...workload, arguments: () => ["-l", node] }));
  }
  console.log(JSON.stringify(all));
  // What a daemon that does not answer holds is nobody's concern any more.
  Deno.exit(0);
}
