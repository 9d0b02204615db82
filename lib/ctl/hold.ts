/**
 * How long something holds.
 *
 * @module
 */

/** Follows whether something holds; all times in milliseconds, of one clock. */
export class Hold {
  readonly #duration: number;
  #since: number | undefined;
  #longest: number | undefined;

  /** @param duration how long it has to hold without a break */
  constructor(duration: number) {
    this.#duration = duration;
  }

  /** It holds, or does not, from that time on. */
  see(holds: boolean, time: number): void {
    if (holds) {
      this.#since ??= time;
      return;
    }
    this.#longest = this.longest(time);
    this.#since = undefined;
  }

  /** The longest time that it has held; `undefined` if it never has. */
  longest(now: number): number | undefined {
    if (this.#since === undefined) return this.#longest;
    return Math.max(this.#longest ?? 0, now - this.#since);
  }

  /** True once it has held for long enough. */
  isDone(now: number): boolean {
    const longest = this.longest(now);
    return longest !== undefined && longest >= this.#duration;
  }

  /** How much longer it has to hold; infinite where it does not. */
  left(now: number): number {
    return this.#since === undefined ? Infinity : this.#since + this.#duration - now;
  }
}
