/**
 * How fast a guest may have memory mapped that takes the place of other memory.
 *
 * Threads of a process share its page tables. When pages that have been in use are unmapped, the
 * kernel interrupts each processor that runs one of them, and waits until it has forgotten the
 * pages: a guest that has this done without end slows down all others. Drivers and front-ends have
 * no reason to: a few dozen times at boot is a lot.
 *
 * @module
 */

/** How often memory can be unmapped before anything is slowed down. */
const BURST = 8;
/** The longest pause for one table of regions, in milliseconds. */
const LONGEST = 16;

const never = new Int32Array(new SharedArrayBuffer(4));

/** One guest's pace: pauses bring it back to so many unmappings a second. */
export class UnmappingPace {
  /** In milliseconds. */
  readonly #interval: number;
  readonly #now: () => number;
  readonly #sleep: (milliseconds: number) => void;
  /** When all that has been unmapped so far would be over at that pace. */
  #over = 0;

  /**
   * @param perSecond how many unmappings there may be in the long run
   * @param now a clock in milliseconds
   * @param sleep keeps the thread, which is the guest's own, for so many milliseconds
   */
  constructor(
    perSecond: number,
    now = () => performance.now(),
    sleep = (milliseconds: number) => {
      Atomics.wait(never, 0, 0, milliseconds);
    },
  ) {
    this.#interval = 1000 / perSecond;
    this.#now = now;
    this.#sleep = sleep;
  }

  /** So many pieces of memory that have been in use have been unmapped. */
  unmapped(count: number): void {
    this.#over = Math.max(this.#over, this.#now()) + count * this.#interval;
  }

  /** Before memory is mapped: pauses if there was too much of that lately. */
  pause(): void {
    const ahead = this.#over - this.#now() - BURST * this.#interval;
    if (ahead > 0) this.#sleep(Math.min(ahead, LONGEST));
  }
}
