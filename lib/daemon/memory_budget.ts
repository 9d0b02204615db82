/**
 * Whether there is memory for all guests: a daemon that has too little is ended by the kernel, in
 * the middle of its work, with all of them.
 *
 * @module
 */

import { RuntimeError } from "../errors.ts";

const MEBIBYTE = 2 ** 20;
/** What the main thread has at rest, and what all run of the program. */
const PROGRAM = 32 * MEBIBYTE;
/** What each further thread has at rest, and what it may come to need at work. */
const THREAD = 14 * MEBIBYTE;
const WORK = 16 * MEBIBYTE;

/** What the check looks at. */
export interface MemoryNeeds {
  /** How much this process may have, in bytes. */
  readonly limit: number;
  readonly guests: number;
  /** True if there is one more thread, that observes guests. */
  readonly observed: boolean;
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / MEBIBYTE)} MiB`;
}

const REMEDY = "raise it (MemoryMax= of the systemd unit, the container's limit), or serve fewer " +
  "guests";

/** True if the main thread serves the only guest itself, which takes that nobody observes it. */
export function needsNoThread(guests: number, observed: boolean): boolean {
  return guests === 1 && !observed;
}

/**
 * Looks whether memory is enough.
 *
 * @returns a warning, if it is only as long as there is little to do
 * @throws {RuntimeError} if it is not
 */
export function checkMemory({ limit, guests, observed }: MemoryNeeds): string | undefined {
  const threads = needsNoThread(guests, observed) ? 0 : guests + (observed ? 1 : 0);
  const needed = PROGRAM + threads * THREAD;
  const who = guests === 1 ? "1 guest" : `${guests} guests`;
  if (needed > limit) {
    throw new RuntimeError(
      `${who} need${guests === 1 ? "s" : ""} ${mebibytes(needed)} of memory, the control group's ` +
        `limit is ${mebibytes(limit)}; ${REMEDY}`,
    );
  }
  const busy = needed + Math.max(threads, 1) * WORK;
  if (busy <= limit) return undefined;
  return `${who} may come to need ${mebibytes(busy)} of memory when ${
    guests === 1 ? "it is" : "they are"
  } busy, the control ` +
    `group's limit is ${mebibytes(limit)}: beyond it the kernel ends the daemon; ${REMEDY}`;
}
