/**
 * How a driver that begins anew is told from one that goes on.
 *
 * @module
 */

/** A ring, as far as this is concerned. */
export interface Startable {
  readonly started: boolean;
}

/**
 * Tells, when a front-end sets up a ring, whether a driver begins anew: some front-ends never tell
 * of a device reset.
 *
 * A driver that sets up its first queue while that runs, or begins there with index 0, knows
 * nothing of what was before. One that goes on, as after a pause of the guest, stops the queues and
 * begins where `GET_VRING_BASE` left off.
 *
 * @param index of the ring that is set up
 * @param base where it is to begin, where the front-end says so
 */
export function beginsAnew(rings: readonly Startable[], index: number, base?: number): boolean {
  if (index !== 0) return false;
  if (base === undefined) return rings[0].started;
  return base === 0 && (rings[0].started || !rings.some(({ started }) => started));
}
