/**
 * What a part on a simulated SPI bus is.
 *
 * @module
 */

import type { PartContext, PartModel } from "../../simulation/part.ts";
import type { Properties } from "../../simulation/property.ts";
import type { TransferData } from "../backend.ts";
import type { Transfer } from "../protocol.ts";

/** Instead of a byte: the transfer fails. */
export const FAILED = -1;

/**
 * A part at one chip select, as one guest's thread drives it, byte by byte.
 *
 * Between two messages another guest may have been at it: what it remembers from one to the next
 * belongs in its state. From its being selected to its release it is alone.
 */
export interface SpiPart {
  /**
   * One byte in each direction, as on the wire.
   *
   * @param sent 0 where the transfer only reads
   * @returns what comes back at the same time, or {@linkcode FAILED}
   */
  exchange(sent: number): number;
  /**
   * Bytes of a transfer at once, as on the wire, from `start` to `end`, in place of
   * {@linkcode exchange}.
   *
   * @returns false if the transfer fails
   */
  exchangeAll?(sent: Uint8Array, received: Uint8Array, start: number, end: number): boolean;
  /** True if the command at work waits for more: its address or its data are still to come. */
  readonly expectsMore: boolean;
  /** The chip select is released: a command is over, and takes effect. */
  deselect(): void;
  /**
   * A whole transfer in place of its bytes, its data as it lies in the guest's memory: for a part
   * that takes words of any size.
   */
  transfer?(transfer: Transfer, data: TransferData): void;
}

/** A model of such parts. */
export interface SpiPartModel<P extends Properties = Properties> extends PartModel<P> {
  /** True if it takes words of any size, not only of 8, 16 and 32 bits. */
  readonly anyWords?: boolean;
  /** The modes of clock polarity and phase that it takes, 0 to 3; all of them if left out. */
  readonly modes?: readonly number[];
  /** Makes the part for one guest's thread; where it is serves for messages. */
  create(context: PartContext<P>, chipSelect: number): SpiPart;
}
