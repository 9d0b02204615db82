/**
 * The processes that this one has started, and those that these have started.
 *
 * @module
 */

import { SystemError } from "../../../ffi/errno.ts";
import { listFolder, readBeginning } from "../../../ffi/file.ts";

/** More than any /proc/PID/stat has. */
const STAT_SIZE = 1024;

/** By process: its parent. Source: proc_pid_stat(5) */
function parents(): Map<number, number> {
  const found = new Map<number, number>();
  const decoder = new TextDecoder();
  for (const name of listFolder("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = decoder.decode(readBeginning(`/proc/${name}/stat`, STAT_SIZE));
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // What is dead already only waits for its parent to notice.
      if (state !== "Z" && state !== "X") found.set(Number(name), Number(parent));
    } catch (error) {
      // It has ended meanwhile.
      if (!(error instanceof SystemError)) throw error;
    }
  }
  return found;
}

/** All that live. */
export function descendants(): number[] {
  const all = parents();
  const mine = new Set([Deno.pid]);
  for (let size = 0; size !== mine.size;) {
    size = mine.size;
    for (const [process, parent] of all) if (mine.has(parent)) mine.add(process);
  }
  mine.delete(Deno.pid);
  return [...mine];
}

/** Sends a signal; whoever has ended meanwhile is left alone. */
export function signal(process: number, name: Deno.Signal): void {
  try {
    Deno.kill(process, name);
  } catch (error) {
    // A group of processes that is gone has no name of its own among the errors.
    if (!(error instanceof Deno.errors.NotFound) && !/ESRCH/.test(`${error}`)) throw error;
  }
}
