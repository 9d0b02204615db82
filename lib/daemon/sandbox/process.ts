/**
 * What the main thread does of the sandbox for the whole process: threads of the runtime, and the
 * filter of system calls. Guests' threads have no need of it.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { SystemError } from "../../../ffi/errno.ts";
import { callInThreads } from "../../../ffi/every_thread.ts";
import {
  dropCapabilitiesCall,
  filterSystemCalls,
  landlockVersion,
  noNewPrivilegesCall,
} from "../../../ffi/sandbox.ts";
import { threadId } from "../../../ffi/thread_id.ts";
import { makeFilter } from "./filter.ts";
import type { SandboxPath } from "./paths.ts";
import { attempt, confineThread, fileRules } from "./sandbox.ts";
import { callsOf, missingCalls } from "./system_calls.ts";

/** What a process goes on to do. */
export interface Conduct {
  /** What the main thread and those of the runtime may still open. */
  readonly paths: readonly SandboxPath[];
  /** Threads that have confined themselves. */
  readonly confined: readonly number[];
  /** True if one of them goes on to connect to another daemon. */
  readonly connects: boolean;
}

/** Confines the threads of the runtime, which run no code of ours, likewise. */
function confineHelpers(paths: readonly SandboxPath[], ours: readonly number[]): string[] {
  let missed = 0;
  const lack = attempt("threads of the runtime keep capabilities and files", () => {
    using rules = landlockVersion() === 0 ? undefined : fileRules(paths);
    const calls = [noNewPrivilegesCall, dropCapabilitiesCall(), ...(rules ? [rules.call] : [])];
    const outcome = callInThreads(calls, ours);
    missed = outcome.missed;
    const failed = outcome.errors.find((error) => error !== 0);
    if (failed !== undefined) throw new SystemError("in one of them", failed);
  });
  return [
    ...(lack === undefined ? [] : [lack]),
    ...(missed === 0 ? [] : [`${missed} of the runtime's threads keep capabilities and files`]),
  ];
}

/** Confines all threads: of the system calls only those are left that a daemon makes. */
function confineProcess(connects: boolean): string[] {
  const machine = Deno.build.arch === "x86_64" ? "x86" : "arm64";
  const calls = callsOf(Deno.pid, connects);
  const lack = attempt(
    "all system calls stay in reach",
    () => filterSystemCalls(makeFilter(machine, calls, missingCalls)),
  );
  return lack === undefined ? [] : [lack];
}

/** Confines the main thread and those of the runtime, and then all threads together. */
export function confineAll({ paths, confined, connects }: Conduct, log: Logger): void {
  const lacks = [
    ...confineThread(paths),
    ...confineHelpers(paths, [threadId(), ...confined]),
    ...confineProcess(connects),
  ];
  if (lacks.length > 0) log.warn(`the sandbox has gaps on this kernel: ${lacks.join("; ")}`);
}
