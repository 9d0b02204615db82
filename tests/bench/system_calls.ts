/**
 * The system calls of a daemon, counted by strace(1).
 *
 * @module
 */

import { busiestThread, isAsleep } from "../support/process_state.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";
import type { Load } from "./load.ts";

const WARM_UP = 2000;

/** A strace at work. */
export class SystemCalls implements AsyncDisposable {
  readonly #folder = new TemporaryFolder();
  readonly #child: Deno.ChildProcess;

  private constructor(pid: number) {
    this.#child = new Deno.Command("strace", {
      args: ["-f", "-qq", "-o", this.#path, "-p", `${pid}`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Begins to count; all threads of the process are seen when this settles. */
  static of(pid: number): SystemCalls {
    const calls = new SystemCalls(pid);
    until(
      "strace has all threads",
      () =>
        [...Deno.readDirSync(`/proc/${pid}/task`)].every(({ name }) =>
          /^TracerPid:\s+[1-9]/m.test(Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`))
        ),
    );
    return calls;
  }

  get #path(): string {
    return this.#folder.file("calls");
  }

  /** Ends the count. @returns how often each call was made by the thread that made the most */
  async end(): Promise<Map<string, number>> {
    this.#child.kill("SIGINT");
    await this.#child.status;
    const threads = new Map<string, Map<string, number>>();
    const lines = Deno.readTextFileSync(this.#path).matchAll(/^(\d+) +(\w+)\(/gm);
    for (const [, thread, name] of lines) {
      const counts = threads.get(thread) ?? new Map<string, number>();
      threads.set(thread, counts);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...threads.values()].sort((a, b) => total(b) - total(a))[0] ?? new Map();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGINT");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    this.#folder[Symbol.dispose]();
  }
}

/** How many calls those are. */
export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, calls) => sum + calls, 0);
}

/**
 * Counts the calls that a daemon's thread makes for so many requests, one at a time, each of which
 * finds it asleep.
 */
export async function systemCallsOf(
  pid: number,
  load: Load,
  count: number,
): Promise<Map<string, number>> {
  const thread = busiestThread(pid, () => load.oneByOne(WARM_UP));
  await using calls = SystemCalls.of(pid);
  load.oneByOne(count, () => isAsleep(pid, thread));
  return await calls.end();
}
