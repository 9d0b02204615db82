/**
 * How much this process may have: getrlimit(2).
 *
 * @module
 */

import { check } from "./errno.ts";
import { listFolder } from "./file.ts";
import { libc } from "./libc.ts";

const RLIMIT_NOFILE = 7;

/** Raises the limit on open file descriptors as far as this user may. */
export function raiseDescriptorLimit(): void {
  // struct rlimit: the soft limit, then the hard one
  const limit = new BigUint64Array(new ArrayBuffer(16));
  if (libc.getrlimit(RLIMIT_NOFILE, limit) < 0 || limit[0] === limit[1]) return;
  limit[0] = limit[1];
  libc.setrlimit(RLIMIT_NOFILE, limit);
}

/**
 * How many file descriptors this process may have open.
 *
 * @throws {SystemError} as getrlimit(2)
 */
export function descriptorLimit(): number {
  const limit = new BigUint64Array(new ArrayBuffer(16));
  check("getrlimit", libc.getrlimit(RLIMIT_NOFILE, limit));
  return Number(limit[0]);
}

/** How many it has open; 0 where /proc is not there to tell. */
export function openDescriptors(): number {
  return listFolder("/proc/self/fd").length;
}

/** Gives the kernel back what the C library keeps of memory that nobody uses any more. */
export function giveMemoryBack(): void {
  libc.malloc_trim(0);
}
