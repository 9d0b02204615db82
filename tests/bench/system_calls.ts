/**
 * The system calls of a daemon, counted by strace(1).
 *
 * @module
 */

import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";

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

  /** Ends the count. @returns how often each call was made */
  async end(): Promise<Map<string, number>> {
    this.#child.kill("SIGINT");
    await this.#child.status;
    const counts = new Map<string, number>();
    for (const [, name] of Deno.readTextFileSync(this.#path).matchAll(/^\d+ +(\w+)\(/gm)) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
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

/** Counts the calls that a process makes while `action` runs. */
export async function systemCallsOf(
  pid: number,
  action: () => void,
): Promise<Map<string, number>> {
  await using calls = SystemCalls.of(pid);
  action();
  return await calls.end();
}
