/**
 * The time that one of several takes at a time, so that each gets its turn.
 *
 * @module
 */

import { monotonicTime } from "../../ffi/clock.ts";

/** How long a turn takes before others get theirs, in milliseconds. */
export const TURN_TIME = 1;
/** While work goes fast, the clock is looked at once for so many pieces of it. */
const STRIDE = 8;

/**
 * One turn after the other. The clock is looked at seldom while work goes fast and after each piece
 * of it while it goes slowly.
 */
export class Turn {
  #end = 0;
  #last = 0;
  #stride = 1;
  #left = 1;

  /** @param limit how long the turn may take, in milliseconds */
  begin(limit: number): void {
    this.#last = monotonicTime();
    this.#end = this.#last + limit;
    this.#stride = this.#left = 1;
  }

  /** To be asked before each piece of work. True if it is time to ask {@linkcode isOver}. */
  isDue(): boolean {
    return --this.#left < 0;
  }

  /** True if the time is up. */
  isOver(): boolean {
    const now = monotonicTime();
    const rest = this.#end - now;
    if (rest <= 0) return true;
    const isFast = now - this.#last < rest / 8;
    this.#stride = isFast ? Math.min(2 * this.#stride, STRIDE) : 1;
    this.#left = this.#stride - 1;
    this.#last = now;
    return false;
  }
}
