/**
 * The host's side of an SPI controller, as the device sees it.
 *
 * @module
 */

import type { HostBuffer } from "../virtio/descriptor_chain.ts";
import type { Bus } from "../threads/bus.ts";
import type { Limits, Transfer } from "./protocol.ts";

/**
 * The data of the transfer at work. The buffers are longer than the transfer; `received` may be
 * made to be `sent` where that is what comes back.
 */
export interface TransferData {
  readonly sent: HostBuffer;
  received: HostBuffer;
}

/** How a transfer stands: it has failed, and no chip is selected; */
export const FAILED = 0;
/** all of it is done; */
export const DONE = 1;
/** a part of it is, and {@linkcode SpiBackend.proceed} goes on. */
export const UNFINISHED = 2;

export type Progress = typeof FAILED | typeof DONE | typeof UNFINISHED;

/**
 * A controller with its chips. Only the guest that owns the bus calls {@linkcode run} and what
 * belongs to it, and none throws for what a guest asks.
 */
export interface SpiBackend {
  readonly limits: Limits;
  /** What has to be done at the end, whatever it takes: see the device's. */
  readonly duty?: string | undefined;
  /** Shared with the guests that have the same controller. */
  readonly bus: Bus;
  /**
   * True while a chip is selected: after a transfer that did not release it, until another goes on
   * with it, or {@linkcode deselect}.
   */
  readonly selected: boolean;
  /** How long that chip waits for what follows, in milliseconds; 0 where it is not selected. */
  readonly wait: number;
  /**
   * True if nobody but another guest minds a chip that stays selected. A real chip may not act on
   * what was written before it is released.
   */
  readonly patient: boolean;
  /** The longest time of a word in milliseconds. */
  readonly maxWordTime: number;

  /** The frequency of a transfer in Hz; 0 for one that takes no time. */
  frequency(transfer: Transfer): number;
  /** True if `transfer` goes on where the chip that is selected was left. */
  continues(transfer: Transfer): boolean;
  /**
   * Carries out a transfer that was checked against the limits, or as much of it as is done within
   * a moment. Both arguments are to stay as they are until it is over.
   */
  run(transfer: Transfer, data: TransferData): Progress;
  /** Goes on with a transfer that is {@linkcode UNFINISHED}. */
  proceed(): Progress;
  /** How long the transfer takes beyond the calls that carry it out, in milliseconds. */
  duration(transfer: Transfer): number;
  /** Releases the chip that is selected; a transfer that is under way is over. */
  deselect(): void;
  /** Releases everything held of the host. */
  close(): void;
}
