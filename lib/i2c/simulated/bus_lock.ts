/**
 * A lock that threads share.
 *
 * @module
 */

const FREE = 0;
const TAKEN = 1;
const AWAITED = 2;
/** A transaction on a simulated bus is over in less than that, mostly. */
const SPINS = 200;

/** Mutual exclusion between the guests on one simulated bus. Not recursive. */
export class BusLock {
  /** The bytes of shared memory that a lock takes. */
  static readonly SIZE = 4;
  readonly #word: Int32Array;

  /** @param memory all zero for a lock that nobody has */
  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory, 0, 1);
  }

  /** Waits until the lock is free, and takes it. */
  acquire(): void {
    const word = this.#word;
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(word, 0, FREE, TAKEN) === FREE) return;
    }
    // Whoever has waited takes it as awaited: there may be others.
    while (Atomics.exchange(word, 0, AWAITED) !== FREE) Atomics.wait(word, 0, AWAITED);
  }

  /** Gives the lock back, and wakes one of those that wait. */
  release(): void {
    if (Atomics.exchange(this.#word, 0, FREE) === AWAITED) Atomics.notify(this.#word, 0, 1);
  }
}
