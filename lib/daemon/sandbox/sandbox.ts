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
import { S_IFDIR } from "../../../ffi/fd.ts";
import { pathStatus } from "../../../ffi/file.ts";
import {
  dropCapabilities,
  FileRules,
  landlockVersion,
  setNoNewPrivileges,
} from "../../../ffi/sandbox.ts";
import { handledAccess, pathRules, type SandboxPath } from "./paths.ts";

/** What a step could not do, for people; `undefined` where it did. */
export type Lack = string | undefined;

/** Takes a step that some kernels lack. */
export function attempt(what: string, step: () => void): Lack {
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

/** The rules of files for a thread that may still open these paths. */
export function fileRules(paths: readonly SandboxPath[]): FileRules {
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
