/**
 * How long a daemon takes for changes of the guest's memory, each with one that has seen nothing
 * before.
 *
 * @module
 */

import { contenders, start } from "./contender.ts";
import { table } from "./report.ts";
import { type MemoryTableTimes, memoryTableTimes } from "./table_times.ts";
import { WORKLOADS } from "./workload.ts";

const GIBIBYTE = 2 ** 30;
const SIZES = [256, 8192] as const;
/** How long one page more may take beside 256 GiB, in milliseconds. */
const PAGE_LIMIT = 1;

/** Times beside that much memory. */
export interface MemoryTables extends MemoryTableTimes {
  readonly contender: string;
  readonly gibibytes: number;
}

/** Measures the GPIO daemon. */
export async function memoryTables(): Promise<MemoryTables[]> {
  const [workload] = WORKLOADS;
  const all: MemoryTables[] = [];
  for (const contender of contenders(workload)) {
    for (const gibibytes of SIZES) {
      await using daemon = await start(workload, contender);
      if (daemon === undefined) continue;
      try {
        using frontEnd = daemon.connect();
        const times = memoryTableTimes(frontEnd, gibibytes * GIBIBYTE);
        all.push({ contender: contender.name, gibibytes, ...times });
      } catch (error) {
        if (contender.program === undefined) throw error;
        console.log(
          `  (the peer cannot be measured with ${gibibytes} GiB: ${(error as Error).message})`,
        );
      }
    }
  }
  table(
    [
      "guest memory, sparse",
      "table set",
      "set again",
      "set with a page more",
      "slowest of 51",
      "a page added",
      "slowest of 51",
    ],
    all.map(({ contender, gibibytes, set, repeated, extended, worstExtended, added, worst }) => [
      `${gibibytes} GiB, ${contender}`,
      ...[set, repeated, extended, worstExtended, added, worst]
        .map((value) => value === undefined ? "cannot" : `${value.toFixed(3)} ms`),
    ]),
  );
  for (const { contender, gibibytes, added } of all) {
    if (contender !== "ours" || gibibytes > 256 || (added ?? 0) < PAGE_LIMIT) continue;
    console.error(`a page beside 256 GiB takes ${added} ms, more than ${PAGE_LIMIT} ms`);
    Deno.exitCode = 1;
  }
  return all;
}
