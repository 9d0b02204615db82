/**
 * What becomes of processes whose parent has ended.
 *
 * Opened apart from the rest of the C library: only a program that starts others needs it.
 *
 * @module
 */

import { check } from "./errno.ts";

const PR_SET_CHILD_SUBREAPER = 36;

const functions = {
  /** `int prctl(int op, unsigned long arg2, …)`: prctl(2) */
  prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * From now on, this process is the parent of its descendants that have lost their own: none of them
 * can get away unseen.
 *
 * @throws {SystemError} as prctl(2)
 */
export function adoptOrphans(): void {
  const library = Deno.dlopen("libc.so.6", functions);
  check("prctl", library.symbols.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n));
  library.close();
}
