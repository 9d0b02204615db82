/**
 * What the main thread does of the sandbox for the whole process: threads of the runtime, and the
 * filter of system calls. Guests' threads have no need of it.
 *
 * @module
 */

import { SystemError } from "../../../ffi/errno.ts";
import { callInThreads } from "../../../ffi/every_thread.ts";
import {
  dropCapabilitiesCall,
  filterSystemCalls,
  landlockVersion,
  noNewPrivilegesCall,
} from "../../../ffi/sandbox.ts";
import { makeFilter } from "./filter.ts";
import type { SandboxPath } from "./paths.ts";
import { attempt, fileRules } from "./sandbox.ts";
import { missingCalls, type SystemCall } from "./system_calls.ts";

/**
 * Confines the threads of the runtime, which run no code of ours, likewise.
 *
 * @param paths that they may still open
 * @param ours threads that have confined themselves
 */
export function confineHelpers(paths: readonly SandboxPath[], ours: readonly number[]): string[] {
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

/**
 * Confines all threads: of the system calls only those are left that a daemon makes.
 *
 * @param allowed those
 * @returns what could not be done, for people
 */
export function confineProcess(allowed: readonly SystemCall[]): string[] {
  const machine = Deno.build.arch === "x86_64" ? "x86" : "arm64";
  const lack = attempt(
    "all system calls stay in reach",
    () => filterSystemCalls(makeFilter(machine, allowed, missingCalls)),
  );
  return lack === undefined ? [] : [lack];
}
