/**
 * How a driver that begins anew is told from one that goes on: some front-ends never tell of a
 * device reset.
 *
 * A driver goes on where a ring is stopped by `GET_VRING_BASE` and then starts as it was left: at
 * the same available index, with the used ring as this side has written it. A pause of the guest is
 * that. Everything else is a driver that begins anew: a ring is set up while it runs, or starts
 * otherwise than it was left. That a ring begins with index 0 means nothing by itself, for indices
 * wrap around; and a ring that was never used tells nothing.
 *
 * @module
 */

import type { RingPosition } from "../virtio/split_queue.ts";

/**
 * Tells of a ring that nothing is known of whether its driver was at work before, as seen from where
 * the ring is as it starts.
 */
export function wasAtWork({ available, used }: RingPosition): boolean {
  return available !== 0 || used !== 0;
}

/** A ring, as far as this is concerned. */
export interface RingHistory {
  readonly started: boolean;
  /** Where it was stopped, unless it was never used since the device was reset. */
  readonly left: RingPosition | undefined;
}

/**
 * Tells whether a driver begins anew.
 *
 * @param found where the ring is as it starts; `undefined` while it is only set up
 */
export function beginsAnew({ started, left }: RingHistory, found?: RingPosition): boolean {
  if (found === undefined) return started;
  return left !== undefined &&
    (left.available !== found.available || left.used !== found.used ||
      left.lastHead !== found.lastHead || left.lastWritten !== found.lastWritten);
}
