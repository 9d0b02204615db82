/**
 * The instructions that a request takes in V8's interpreter, counted by valgrind: the work that the
 * code asks for, the same on any machine and under any load. How fast it is once it is compiled,
 * this does not tell.
 *
 * @module
 */

import { SYS_epoll_pwait } from "../../ffi/libc.ts";
import { Daemon } from "../support/daemon.ts";
import { busiestThread, waitsIn } from "../support/process_state.ts";
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

/**
 * Instructions per request on the guest's thread: the median of a few rounds, in some of which
 * garbage is collected.
 */
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
      ...["--smc-check=all-non-file", "--separate-threads=yes"],
      `--callgrind-out-file=${folder.file("counts")}`,
    ],
  });
  using load = new Load(daemon.connect(), workload, 1);
  const thread = busiestThread(daemon.pid, () => load.oneByOne(WARM_UP));
  // Elsewhere it may sleep as well, for valgrind runs one thread at a time.
  const sleeps = () => waitsIn(daemon.pid, thread, SYS_epoll_pwait);
  const pid = `${daemon.pid}`;
  for (let round = 0; round < ROUNDS; round++) {
    control("-i", "on", pid);
    load.oneByOne(REQUESTS, sleeps);
    control("-i", "off", pid);
    control("-d", pid);
  }
  const counts = new Array<number>(ROUNDS).fill(0);
  for (const { name } of Deno.readDirSync(folder.path)) {
    const [, round] = /^counts\.(\d+)-\d+$/.exec(name) ?? [];
    if (round === undefined) continue;
    const text = Deno.readTextFileSync(folder.file(name));
    // The guest's thread has the most; what others do, the longer it takes, the more.
    const count = Number(/^totals: (\d+)$/m.exec(text)?.[1]);
    counts[Number(round) - 1] = Math.max(counts[Number(round) - 1], count);
  }
  return Math.round(median(counts) / REQUESTS);
}
