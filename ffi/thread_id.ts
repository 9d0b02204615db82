/**
 * The number of a thread.
 *
 * @module
 */

import { libc, SYS_gettid } from "./libc.ts";

/** The kernel's number of the calling thread: gettid(2). */
export function threadId(): number {
  return libc.syscall_gettid(SYS_gettid);
}
