/**
 * The host's side of an SPI controller, as the device sees it.
 *
 * @module
 */

import type { HostBuffer } from "../virtio/descriptor_chain.ts";
import type { Bus } from "./bus.ts";
import type { Limits, Transfer } from "./protocol.ts";

/**
 * The data of the transfer at work. The buffers are longer than the transfer; `received` may be
 * made to be `sent` where that is what comes back.
 */
export interface TransferData {
  readonly sent: HostBuffer;
  received: HostBuffer;
}

/**
 * A controller with its chips. All calls but the first come from the guest that owns the bus, and
 * none throws for what a guest asks.
 */
export interface SpiBackend {
  readonly limits: Limits;
  /** Shared with the guests that have the same controller. */
  readonly bus: Bus;
  /**
   * True after a transfer that did not release its chip: the chip waits for more. It stays
   * selected until another transfer goes on with it, or {@linkcode deselect}.
   */
  readonly selected: boolean;
  /**
   * True if nobody but another guest minds a chip that stays selected. A real chip may not act on
   * what was written before it is released.
   */
  readonly patient: boolean;

  /** True if `transfer` goes on where the chip that is selected was left. */
  continues(transfer: Transfer): boolean;
  /**
   * Carries out a transfer that was checked against the limits.
   *
   * @returns false if it failed; no chip is selected then
   */
  run(transfer: Transfer, data: TransferData): boolean;
  /** How long the transfer takes beyond the call of {@linkcode run}, in milliseconds. */
  duration(transfer: Transfer): number;
  /** Releases the chip that is selected. */
  deselect(): void;
  /** Releases everything held of the host. */
  close(): void;
}
