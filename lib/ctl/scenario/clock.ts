/**
 * The clock of scenarios, which is the one that daemons tell events by.
 *
 * @module
 */

/** Milliseconds since 1970, and fractions of them. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
