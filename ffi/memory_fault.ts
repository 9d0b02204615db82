/**
 * What becomes of memory whose file another process has cut short.
 *
 * A touch of it raises SIGBUS, which ends a process. In a thread that is covered it does not: the
 * handler (`memory_fault_handler.ts`) puts an empty page, which is nobody else's, in place of the one
 * that is gone, and counts. The access then goes on, and the thread finds out by the count.
 *
 * @module
 */

import { ENOMEM, SystemError } from "./errno.ts";
import { libc } from "./libc.ts";
import { threadId } from "./thread_id.ts";

// What the handler and a thread share, in words: the thread's number, how many faults there were,
// how many ranges there are at most, and the size of a page. Then follow the ranges, each as the
// first address and the one after the last; an empty one is free.
const THREAD = 0;
const FAULTS = 1;
const RANGES = 2;
const PAGE = 3;
const HEADER = 16;
const RANGE = 16;

/** The size of what each thread shares with the handler, in bytes. */
export const COVER_SIZE = 32768;
const MAX_RANGES = (COVER_SIZE - HEADER) / RANGE;

let words: Int32Array = new Int32Array(4);
let ranges: BigUint64Array | undefined;

/**
 * Covers the calling thread, for good: those mappings that it makes from now on.
 *
 * @param memory that the handler knows, of several threads
 * @param index which of them this one is
 */
export function coverThread(memory: SharedArrayBuffer, index: number): void {
  const offset = index * COVER_SIZE;
  words = new Int32Array(memory, offset, HEADER / 4);
  ranges = new BigUint64Array(memory, offset + HEADER, 2 * MAX_RANGES);
  words[PAGE] = libc.getpagesize();
  words[THREAD] = threadId();
}

/**
 * Covers a mapping, where this thread is covered.
 *
 * @param length in bytes; the last page counts as a whole
 * @returns what {@linkcode uncover} takes
 * @throws {SystemError} `ENOMEM` if there are too many
 */
export function cover(address: bigint, length: number): number {
  if (ranges === undefined) return -1;
  let index = 0;
  while (index < MAX_RANGES && ranges[2 * index + 1] !== 0n) index++;
  if (index === MAX_RANGES) throw new SystemError("mmap", ENOMEM);
  ranges[2 * index] = address;
  ranges[2 * index + 1] = address + BigInt(length);
  words[RANGES] = Math.max(words[RANGES], index + 1);
  return index;
}

/** Ends the cover of a mapping that is no more. */
export function uncover(cover: number): void {
  if (ranges === undefined || cover < 0) return;
  ranges[2 * cover + 1] = 0n;
}

/** How many pages of mappings this thread has come across that were gone. */
export function lostPages(): number {
  return words[FAULTS];
}

/** Begins to count anew. */
export function forgetLostPages(): void {
  words[FAULTS] = 0;
}
