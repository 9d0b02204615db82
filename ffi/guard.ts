/**
 * A guard over system calls that somebody else can keep from returning.
 *
 * A front-end holds the other end of the descriptors that it passes: it can fill the counter of an
 * eventfd between a look and a write, or let close(2) of a socket linger. A thread under guard says
 * in shared memory when it is in such a call, and another thread interrupts it with a signal when
 * that takes too long: the call then returns with `EINTR`, whatever it waits for.
 *
 * @module
 */

import { check } from "./errno.ts";
import { addressOf, libc, SYS_tgkill } from "./libc.ts";
import { threadId } from "./thread_id.ts";

/** By default it is ignored, so that one too many does no harm: signal(7). */
const SIGURG = 23;

// Words of the shared memory. CALL counts up when a guarded call begins and when it has returned: it
// is odd while there is one, and INTERRUPTING while a signal is being sent for it.
const THREAD = 0;
const CALL = 1;
/** The word that is not zero while somebody watches. */
export const WATCHED = 2;
const INTERRUPTIONS = 3;
const INTERRUPTING = -1;

/** The size of the memory that {@linkcode guardThread} and {@linkcode Watch} share, in bytes. */
export const GUARD_SIZE = 16;

let words: Int32Array | undefined;
let onUnwatched: (() => void) | undefined;
let call = 0;
let seen = 0;

/**
 * Puts the calling thread under guard, for good.
 *
 * @param memory of {@linkcode GUARD_SIZE} zeroed bytes, shared with the one who watches
 * @param unwatched is called before a guarded call if nobody is watching at the moment
 */
export function guardThread(memory: ArrayBufferLike, unwatched: () => void): void {
  words = new Int32Array(memory);
  onUnwatched = unwatched;
  Atomics.store(words, THREAD, threadId());
}

function next(call: number): number {
  return (call + 1) & 0x3fff_ffff;
}

/** Says that a call follows that may not return. Nothing but that call comes before `leave`. */
export function enter(): void {
  if (words === undefined) return;
  call = next(call);
  Atomics.store(words, CALL, call);
  // In this order: who stops watching looks once more at calls afterwards.
  if (Atomics.load(words, WATCHED) !== 0) return;
  Atomics.store(words, WATCHED, 1);
  onUnwatched?.();
}

/** Says that the call has returned. Leaves errno as it is. */
export function leave(): void {
  if (words === undefined) return;
  while (Atomics.compareExchange(words, CALL, call, next(call)) === INTERRUPTING);
  call = next(call);
  const interruptions = Atomics.load(words, INTERRUPTIONS);
  if (interruptions === seen) return;
  seen = interruptions;
  // A signal that came late is taken here, and not by a call that it would spoil.
  threadId();
}

/**
 * Makes the signal interrupt system calls and do nothing else. The function that handles it is one
 * of the C library that does no harm anywhere: a handler in JavaScript could not run there.
 *
 * @throws {SystemError} as sigaction(2)
 */
export function makeInterruptible(): void {
  const handler = addressOf("getppid");
  // struct sigaction: the handler, the mask, then flags, of which none asks for calls to go on
  const action = new BigUint64Array(new ArrayBuffer(256));
  action[0] = Deno.UnsafePointer.value(handler) as bigint;
  const pointer = Deno.UnsafePointer.of(action);
  check("sigaction", libc.sigaction(SIGURG, pointer, new ArrayBuffer(256)));
}

/** Looks after one thread under guard. */
export class Watch {
  readonly #words: Int32Array<SharedArrayBuffer>;
  #last = 0;

  /** @param memory as of {@linkcode guardThread} */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /**
   * Interrupts the thread if it is in the same call as the last time.
   *
   * @returns false if there was no call since then
   */
  look(): boolean {
    const words = this.#words;
    const call = Atomics.load(words, CALL);
    if (call !== this.#last) {
      this.#last = call;
      return true;
    }
    if (isIdle(call)) return false;
    if (Atomics.compareExchange(words, CALL, call, INTERRUPTING) === call) {
      Atomics.add(words, INTERRUPTIONS, 1);
      libc.syscall_tgkill(SYS_tgkill, Deno.pid, Atomics.load(words, THREAD), SIGURG);
      Atomics.store(words, CALL, call);
    }
    return true;
  }

  /** Says that the thread is watched no longer. @returns false if it has to be, after all */
  end(): boolean {
    Atomics.store(this.#words, WATCHED, 0);
    if (isIdle(Atomics.load(this.#words, CALL))) return true;
    Atomics.store(this.#words, WATCHED, 1);
    return false;
  }
}

function isIdle(call: number): boolean {
  return (call & 1) === 0;
}
