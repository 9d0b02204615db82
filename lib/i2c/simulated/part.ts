/**
 * What a part on a simulated I2C bus is.
 *
 * @module
 */

import type { PartContext, PartModel } from "../../simulation/part.ts";
import type { Properties } from "../../simulation/property.ts";

/**
 * A part on a simulated bus, as one guest's thread drives it, byte by byte.
 *
 * Between two transactions another guest may have been at it: what it remembers from one to the
 * next belongs in its state. Within a transaction it is alone.
 */
export interface I2cPart {
  /**
   * For how long the part stretches the clock when it is addressed, in milliseconds; left out where
   * it never does. Asked before {@linkcode start}, which comes when the time is over, if it comes.
   */
  stretch?(): number;
  /**
   * A start or repeated start, with this part's address.
   *
   * @param read true if bytes will be read, false if they will be written; there may be none
   * @param offset of the address from the part's first one
   * @returns false not to acknowledge the address, which ends the transaction
   */
  start(read: boolean, offset: number): boolean;
  /**
   * A byte from the bus.
   *
   * @returns false not to acknowledge it, which ends the transaction
   */
  write(byte: number): boolean;
  /** A byte for the bus. */
  read(): number;
  /**
   * A whole message in place of its bytes, after {@linkcode start}.
   *
   * @param bytes to be written, or where what is read goes, from `begin` to `end`
   * @returns false if it was not acknowledged
   */
  message?(read: boolean, bytes: Uint8Array, begin: number, end: number): boolean;
  /** The stop that ends a transaction in which this part was addressed. */
  stop(): void;
}

/** Channels of a multiplexer, each with parts behind it. */
export interface Channels {
  /** They are numbered from 0. */
  readonly count: number;
  /** True while what is behind a channel can be reached. */
  isSelected(state: DataView, channel: number): boolean;
}

/** A model of such parts. */
export interface I2cPartModel<P extends Properties = Properties> extends PartModel<P> {
  /** How many addresses in a row it answers to, if not one. */
  readonly addressCount?: number;
  /** Of a multiplexer. */
  readonly channels?: Channels;
  /**
   * Makes the part for one guest's thread.
   *
   * @param address its first one, for parts whose checksums go over it
   */
  create(context: PartContext<P>, address: number): I2cPart;
}
