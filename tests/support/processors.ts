/**
 * On which processors a thread runs: sched_setaffinity(2).
 *
 * @module
 */

import { check } from "../../ffi/errno.ts";

/** A `cpu_set_t`: a bit for each processor. */
const SET_SIZE = 128;

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  /** `int sched_getaffinity(pid_t pid, size_t cpusetsize, cpu_set_t *mask)` */
  sched_getaffinity: { parameters: ["i32", "u32", "buffer"], result: "i32" },
  /** `int sched_setaffinity(pid_t pid, size_t cpusetsize, const cpu_set_t *mask)` */
  sched_setaffinity: { parameters: ["i32", "u32", "buffer"], result: "i32" },
});

function allowed(): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(SET_SIZE);
  check("sched_getaffinity", libc.sched_getaffinity(0, SET_SIZE, set));
  return set;
}

/** The numbers of the processors that the calling thread may use. */
export function processors(): number[] {
  const set = allowed();
  return Array.from({ length: SET_SIZE * 8 }, (_, index) => index)
    .filter((index) => (set[index >> 3] >> (index & 7)) & 1);
}

function setOf(processors: readonly number[]): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(SET_SIZE);
  for (const processor of processors) set[processor >> 3] |= 1 << (processor & 7);
  return set;
}

/** Lets all threads of a process run on these processors only. */
export function keepOn(pid: number, processors: readonly number[]): void {
  const set = setOf(processors);
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    libc.sched_setaffinity(Number(name), SET_SIZE, set);
  }
}

/** Lets one thread run on this processor only. */
export function keepThreadOn(thread: number, processor: number): void {
  check("sched_setaffinity", libc.sched_setaffinity(thread, SET_SIZE, setOf([processor])));
}

/** Keeps the calling thread on one processor, until it is disposed of. */
export function stayOn(processor: number): Disposable {
  const before = allowed();
  keepThreadOn(0, processor);
  return { [Symbol.dispose]: () => libc.sched_setaffinity(0, SET_SIZE, before) };
}
