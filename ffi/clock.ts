/**
 * The time of the monotonic clock, for what looks at it often: `performance.now()` takes twice as
 * long.
 *
 * @module
 */

import { fast, libc } from "./libc.ts";

const CLOCK_MONOTONIC = 1;
/** So many looks are made before the fast way is opened: it is for requests, not for messages. */
const SELDOM = 64;

const clock_gettime = fast("clock_gettime");
// struct timespec: i64 tv_sec, i64 tv_nsec; the low halves will do for 68 years.
const time = new Int32Array(4);
const pointer = Deno.UnsafePointer.of(time);
let looks = 0;

/** The time since the machine was started, in milliseconds: clock_gettime(2). */
export function monotonicTime(): number {
  // Two places, for in each of them it is always the same function.
  if (looks < SELDOM) {
    looks++;
    libc.clock_gettime(CLOCK_MONOTONIC, pointer);
  } else clock_gettime.invoke(CLOCK_MONOTONIC, pointer);
  return time[0] * 1000 + time[2] / 1e6;
}
