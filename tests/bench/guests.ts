/**
 * How long a daemon takes to its first answer, its memory, and what all guests get together, by the
 * number of guests.
 *
 * @module
 */

import { runningTime } from "../support/process_state.ts";
import { type Contender, contenders, start } from "./contender.ts";
import { Load } from "./load.ts";
import { count, mebibytes, milliseconds, table } from "./report.ts";
import { median } from "./statistics.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

/** Of the GPIO daemon, and of the others, which do the same with their guests. */
const NUMBERS = [1, 2, 4, 8, 16, 32, 64] as const;
const FEW = [1, 8] as const;
const STARTS = 5;
const REQUESTS = 200_000;
/** Requests of each guest after which its thread has compiled what it runs. */
const WARM_UP = 30_000;

/** A daemon with that many guests. */
export interface Guests {
  readonly device: string;
  readonly contender: string;
  readonly guests: number;
  /** From the start of the process to the answer to the first message of the last guest, in ms. */
  readonly start: number;
  /** Resident memory with all front-ends connected, in bytes. */
  readonly memory: number;
  /** Requests per second of all guests, 64 of one guest after 64 of the other. */
  readonly rate: number;
  /** Processor time per request, in microseconds. */
  readonly processor: number;
}

async function startTime(workload: Workload, contender: Contender, guests: number) {
  const times: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    const begin = performance.now();
    await using daemon = await start(workload, contender, [], { count: guests, quick: true });
    if (daemon === undefined) return undefined;
    using frontEnd = daemon.connect(guests - 1);
    frontEnd.barrier();
    times.push(performance.now() - begin);
  }
  return median(times);
}

async function measure(workload: Workload, contender: Contender, guests: number) {
  const time = await startTime(workload, contender, guests);
  await using daemon = await start(workload, contender, [], { count: guests });
  if (daemon === undefined || time === undefined) return undefined;
  const loads = Array.from(
    { length: guests },
    (_, guest) => new Load(daemon.connect(guest), workload, 64),
  );
  try {
    const memory = daemon.residentMemory();
    for (const load of loads) load.throughput(WARM_UP);
    const [begin, used] = [performance.now(), runningTime(daemon.pid)];
    for (let done = 0; done < REQUESTS;) {
      for (const load of loads) {
        load.throughput(64);
        done += 64;
      }
    }
    const rate = REQUESTS / ((performance.now() - begin) / 1000);
    const processor = (runningTime(daemon.pid) - used) / 1000 / REQUESTS;
    const who = { device: workload.name, contender: contender.name, guests };
    return { ...who, start: time, memory, rate, processor };
  } finally {
    for (const load of loads) load[Symbol.dispose]();
  }
}

/** Measures all devices. */
export async function guests(): Promise<Guests[]> {
  const all: Guests[] = [];
  for (const workload of WORKLOADS) {
    for (const contender of contenders(workload)) {
      for (const number of workload === WORKLOADS[0] ? NUMBERS : FEW) {
        const result = await measure(workload, contender, number);
        if (result === undefined) break;
        all.push(result);
      }
    }
  }
  table(
    ["guests", "first answer", "memory", "requests/s", "CPU per request"],
    all.map((result) => [
      `${result.device}, ${result.contender}, ${result.guests}`,
      milliseconds(result.start),
      mebibytes(result.memory),
      count(result.rate),
      `${result.processor.toFixed(2)} µs`,
    ]),
  );
  return all;
}
