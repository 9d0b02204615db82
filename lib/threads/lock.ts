/**
 * A lock that threads share.
 *
 * @module
 */

import { RuntimeError } from "../errors.ts";

const FREE = 0;
const TAKEN = 1;
const AWAITED = 2;
/** Most of what is done under a lock is over in less than that. */
const SPINS = 200;
/** Who has kept a lock for this long is not waited for any longer, in milliseconds. */
const LIMIT = 120_000;

/** Mutual exclusion between threads. Not recursive. */
export class Lock {
  /** The bytes of shared memory that a lock takes. */
  static readonly SIZE = 4;
  readonly #word: Int32Array;

  /**
   * @param memory all zero there for a lock that nobody has
   * @param offset of the lock in it, a multiple of 4
   */
  constructor(memory: SharedArrayBuffer, offset = 0) {
    this.#word = new Int32Array(memory, offset, 1);
  }

  /**
   * Waits until the lock is free, and takes it.
   *
   * @throws {RuntimeError} if that takes minutes: whoever has it will not give it back
   */
  acquire(): void {
    if (Atomics.compareExchange(this.#word, 0, FREE, TAKEN) === FREE) return;
    if (!this.#wait(LIMIT)) {
      throw new RuntimeError(
        `a thread has kept others waiting for ${LIMIT / 1000} s; start the daemon again`,
      );
    }
  }

  /**
   * Takes the lock if it is free within a time.
   *
   * @param limit in milliseconds
   * @returns false if it is not
   */
  tryAcquire(limit: number): boolean {
    return Atomics.compareExchange(this.#word, 0, FREE, TAKEN) === FREE || this.#wait(limit);
  }

  /**
   * Gives the lock back, and wakes one of those that wait.
   *
   * @throws {TypeError} if nobody has it
   */
  release(): void {
    const before = Atomics.exchange(this.#word, 0, FREE);
    if (before === AWAITED) Atomics.notify(this.#word, 0, 1);
    else if (before === FREE) throw new TypeError("a lock is given back that nobody has");
  }

  #wait(limit: number): boolean {
    const word = this.#word;
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(word, 0, FREE, TAKEN) === FREE) return true;
    }
    const end = performance.now() + limit;
    // Whoever has waited takes it as awaited: there may be others.
    while (Atomics.exchange(word, 0, AWAITED) !== FREE) {
      const rest = end - performance.now();
      if (rest <= 0 || Atomics.wait(word, 0, AWAITED, rest) === "timed-out") {
        // The lock stays marked as awaited, which costs its owner a wake-up of nobody.
        return Atomics.compareExchange(word, 0, FREE, TAKEN) === FREE;
      }
    }
    return true;
  }
}
