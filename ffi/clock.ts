/**
 * The time of the monotonic clock, for what looks at it often: `performance.now()` takes twice as
 * long.
 *
 * @module
 */

import { libc } from "./libc.ts";

const CLOCK_MONOTONIC = 1;

const { clock_gettime } = libc;
// struct timespec: i64 tv_sec, i64 tv_nsec; the low halves will do for 68 years.
const time = new Int32Array(4);
const pointer = Deno.UnsafePointer.of(time);

/** The time since the machine was started, in milliseconds: clock_gettime(2). */
export function monotonicTime(): number {
  clock_gettime(CLOCK_MONOTONIC, pointer);
  return time[0] * 1000 + time[2] / 1e6;
}
