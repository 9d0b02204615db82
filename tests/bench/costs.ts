/**
 * What requests cost a daemon: system calls, instructions, collections of garbage, memory.
 *
 * @module
 */

import { Daemon } from "../support/daemon.ts";
import { type Contender, contenders, start } from "./contender.ts";
import { countsInstructions, instructionsOf } from "./instructions.ts";
import { Load } from "./load.ts";
import { count, mebibytes, table } from "./report.ts";
import { systemCallsOf, total } from "./system_calls.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

const FEW = 2000;
const MANY = 100_000;
const MILLION = 1_000_000;

/** What requests of a kind cost. */
export interface Costs {
  readonly device: string;
  readonly contender: string;
  /** System calls per request, one request at a time. */
  readonly systemCalls: number;
  /** Instructions in user space per request; `undefined` where the machine does not count them. */
  readonly instructions?: number | undefined;
  /** Resident memory before and after a million requests, in bytes. */
  readonly before: number;
  readonly after: number;
  /** Collections of garbage during those; `undefined` for a program that is not ours. */
  readonly collections?: number | undefined;
}

/** System calls per request, one request at a time. */
export async function systemCallsPerRequest(daemon: Daemon, load: Load): Promise<number> {
  return total(await systemCallsOf(daemon.pid, load, FEW)) / FEW;
}

/** Instructions per request, one request at a time, when everything is compiled. */
export async function instructionsPerRequest(daemon: Daemon, load: Load): Promise<number> {
  load.oneByOne(MANY);
  return await instructionsOf(daemon.pid, () => load.oneByOne(MANY)) / MANY;
}

async function costsOf(workload: Workload, contender: Contender): Promise<Costs | undefined> {
  await using daemon = await start(workload, contender);
  if (daemon === undefined) return undefined;
  using load = new Load(daemon.connect(), workload);
  load.throughput(MANY);
  const before = daemon.residentMemory();
  load.throughput(MILLION);
  const after = daemon.residentMemory();
  return {
    device: workload.name,
    contender: contender.name,
    systemCalls: await systemCallsPerRequest(daemon, load),
    instructions: countsInstructions() ? await instructionsPerRequest(daemon, load) : undefined,
    before,
    after,
    collections: contender.program === undefined ? await collections(workload) : undefined,
  };
}

/** How often the garbage collector runs during a million requests; from the source only. */
async function collections(workload: Workload): Promise<number> {
  const options = { v8Flags: ["--trace-gc"], fromSource: true };
  await using daemon = await Daemon.start(workload.program, workload.arguments(1), options);
  using load = new Load(daemon.connect(), workload);
  load.throughput(MILLION);
  load.oneByOne(MANY);
  const seen = () => [...daemon.log.matchAll(/ ms: (Scav|Mark)/g)].length;
  const before = seen();
  load.throughput(MILLION);
  load.oneByOne(MANY);
  return seen() - before;
}

/** Measures all devices. */
export async function costs(): Promise<Costs[]> {
  const all: Costs[] = [];
  for (const workload of WORKLOADS) {
    for (const contender of contenders(workload)) {
      const result = await costsOf(workload, contender);
      if (result !== undefined) all.push(result);
    }
  }
  table(
    ["", "system calls", "instructions", "memory before", "after a million", "collections"],
    all.map((result) => [
      `${result.device}, ${result.contender}`,
      result.systemCalls.toFixed(3),
      result.instructions === undefined ? "not counted" : count(result.instructions),
      mebibytes(result.before),
      mebibytes(result.after),
      result.collections === undefined ? "" : `${result.collections}`,
    ]),
  );
  return all;
}
