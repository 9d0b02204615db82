/**
 * The host's side of an I2C adapter, as the device sees it.
 *
 * @module
 */

import type { Poller } from "../virtio/device.ts";
import type { Messages } from "./messages.ts";

/** A bus that can be driven, real or simulated. */
export interface I2cAdapter {
  /** The most bytes of a message. */
  readonly maxLength: number;
  /** True if messages without data can be sent. */
  readonly zeroLength: boolean;

  /** Called once, before the first transaction, where something of the host can be watched. */
  attach?(poller: Poller): void;
  /**
   * Carries out messages as one transaction: with a repeated start between them, and a stop after
   * the last or the first that fails. Never throws for what a guest asks.
   *
   * @param messages whose addresses are all on this adapter; what is read goes to their data
   * @returns how many have succeeded, from the first on
   */
  transfer(messages: Messages, first: number, count: number): number;
  /** Releases everything held of the host. */
  close(): void;
}
