/**
 * The instructions that a request takes in V8's interpreter, counted by valgrind: the work that the
 * code asks for, the same on any machine and under any load. How fast it is once it is compiled,
 * this does not tell.
 *
 * @module
 */

import { Daemon } from "../support/daemon.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { Load } from "./load.ts";
import { median } from "./statistics.ts";
import type { Workload } from "./workload.ts";

const WARM_UP = 2000;
const REQUESTS = 300;
const ROUNDS = 6;

/** What it was counted with: figures of others differ. */
export const COUNTED_WITH = `Deno ${Deno.version.deno}, ${Deno.build.arch}`;

function control(...args: string[]): void {
  const { success } = new Deno.Command("callgrind_control", { args, stdout: "null" }).outputSync();
  if (!success) throw new Error(`callgrind_control ${args.join(" ")} has failed`);
}

/** Instructions per request: the median of a few rounds, in some of which garbage is collected. */
export async function interpretedInstructions(workload: Workload): Promise<number> {
  using folder = new TemporaryFolder();
  await using daemon = await Daemon.start(workload.program, workload.arguments(1), {
    fromSource: true,
    // What earlier runs have left there changes how much of the code is known from the start.
    denoFlags: ["--no-code-cache"],
    v8Flags: [
      "--single-threaded",
      "--no-opt",
      "--no-maglev",
      "--no-sparkplug",
      "--no-lazy-feedback-allocation",
      "--random-seed=1",
      "--hash-seed=1",
      // Garbage is collected before, or never.
      "--min-semi-space-size=64",
      "--max-semi-space-size=64",
    ],
    wrapper: [
      ...["valgrind", "--tool=callgrind", "--trace-children=yes", "--instr-atstart=no"],
      ...["--smc-check=all-non-file", `--callgrind-out-file=${folder.file("counts")}`],
    ],
  });
  using load = new Load(daemon.connect(), workload, 1);
  load.oneByOne(WARM_UP);
  const pid = `${daemon.pid}`;
  for (let round = 0; round < ROUNDS; round++) {
    control("-i", "on", pid);
    load.oneByOne(REQUESTS);
    control("-i", "off", pid);
    control("-d", pid);
  }
  const counts = Array.from({ length: ROUNDS }, (_, round) => {
    const text = Deno.readTextFileSync(folder.file(`counts.${round + 1}`));
    return Number(/^totals: (\d+)$/m.exec(text)?.[1]);
  });
  return Math.round(median(counts) / REQUESTS);
}
