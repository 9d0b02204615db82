/**
 * A daemon gives up what it does not need to serve: an attacker who gets hold of it gets little.
 *
 * Each thread gives up its capabilities and the files that it will not open, and the main thread has
 * those of the runtime do the same; then, once for all of them, come the system calls that none
 * makes. What a kernel lacks is left out, and told.
 *
 * @module
 */

import { SystemError } from "../../../ffi/errno.ts";
import { callInThreads } from "../../../ffi/every_thread.ts";
import { S_IFDIR } from "../../../ffi/fd.ts";
import { pathStatus } from "../../../ffi/file.ts";
import {
  dropCapabilities,
  dropCapabilitiesCall,
  FileRules,
  filterSystemCalls,
  landlockVersion,
  noNewPrivilegesCall,
  setNoNewPrivileges,
} from "../../../ffi/sandbox.ts";
import { makeFilter } from "./filter.ts";
import { handledAccess, pathRules, type SandboxPath } from "./paths.ts";
import { missingCalls, type SystemCall } from "./system_calls.ts";

/** What a step could not do, for people; `undefined` where it did. */
type Lack = string | undefined;

function attempt(what: string, step: () => void): Lack {
  try {
    step();
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return `${what} (${error.message})`;
  }
}

function isFolder(path: string): boolean {
  try {
    return pathStatus(path).type === S_IFDIR;
  } catch {
    return false;
  }
}

function fileRules(paths: readonly SandboxPath[]): FileRules {
  const { files, network, scoped } = handledAccess(landlockVersion());
  return new FileRules(pathRules(paths, isFolder), files, network, scoped);
}

/**
 * Confines this thread.
 *
 * @param paths that it may still open
 * @returns what could not be done, for people
 */
export function confineThread(paths: readonly SandboxPath[]): string[] {
  const lacks = [
    attempt("privileges can be gained", setNoNewPrivileges),
    attempt("capabilities stay", dropCapabilities),
    landlockVersion() === 0
      ? "all files stay in reach, for there is no Landlock"
      : attempt("all files stay in reach", () => {
        using rules = fileRules(paths);
        rules.restrict();
      }),
  ];
  return lacks.filter((lack) => lack !== undefined);
}

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
