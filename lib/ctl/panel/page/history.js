/**
 * What a property has been in the last seconds.
 *
 * @module
 */

/** The longest time that is shown, in milliseconds, with some more. */
const KEPT = 65_000;
/** The most changes that are kept of a property. */
const CAPACITY = 40_000;

/** From a time on, nothing is known. */
export const UNKNOWN = NaN;

export class History {
  /**
   * In milliseconds since 1970.
   *
   * @type {number[]}
   */
  times = [];
  /** @type {number[]} */
  values = [];

  /**
   * @param {number} time
   * @param {number} value
   */
  add(time, value) {
    const { times, values } = this;
    if (times.length >= CAPACITY || (times.length > 1024 && times[1] < time - 2 * KEPT)) {
      // Of what is older than anything that is shown, the last tells what was at its beginning.
      let old = Math.floor(CAPACITY / 2);
      if (times.length < CAPACITY) old = times.findIndex((at) => at >= time - KEPT) - 1;
      if (old > 0) {
        times.splice(0, old);
        values.splice(0, old);
      }
    }
    // A value that was asked for may be newer than what is told afterwards.
    times.push(Math.max(time, times.at(-1) ?? time));
    values.push(value);
  }

  /** True if something has changed since then. */
  changedSince(/** @type {number} */ time) {
    const { times } = this;
    return times.length > 0 && times[times.length - 1] >= time;
  }
}
