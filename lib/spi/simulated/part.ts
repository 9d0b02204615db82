/**
 * What a simulated chip is to the controller.
 *
 * @module
 */

/** Instead of a byte: the transfer fails. */
export const FAILED = -1;

/** A chip at one chip select. Memory that guests share is shared; what a command is at, is not. */
export interface Chip {
  /**
   * One byte in each direction, as on the wire.
   *
   * @param sent 0 where the transfer only reads
   * @returns what comes back at the same time, or {@linkcode FAILED}
   */
  exchange(sent: number): number;
  /** True if the command at work waits for more: its address or its data are still to come. */
  readonly expectsMore: boolean;
  /** The chip select is released: a command is over, and takes effect. */
  deselect(): void;
  /** Releases what is held of the host. */
  close(): void;
}
