/**
 * The host's side of an I2C adapter, as the device sees it.
 *
 * @module
 */

import type { Poller } from "../virtio/device.ts";
import type { Messages } from "./messages.ts";

/** What {@linkcode I2cAdapter.transfer} returns for a transaction that goes on by itself. */
export const UNFINISHED = -1;

/** Whose transactions an adapter carries out. */
export interface TransactionOwner {
  /**
   * A transaction that was {@linkcode UNFINISHED} is over.
   *
   * @param done how many of its messages have succeeded, from the first on
   */
  transactionOver(done: number): void;
}

/** A bus that can be driven, real or simulated. */
export interface I2cAdapter {
  /** The most bytes of a message. */
  readonly maxLength: number;
  /** True if messages without data can be sent. */
  readonly zeroLength: boolean;

  /** Called once, before the first transaction, where something of the host can be watched. */
  attach?(poller: Poller, owner: TransactionOwner): void;
  /**
   * Carries out messages as one transaction: with a repeated start between them, and a stop after
   * the last or the first that fails. Never throws for what a guest asks.
   *
   * @param messages whose addresses are all on this adapter; what is read goes to their data. They
   * are to stay as they are until the transaction is over
   * @returns how many have succeeded, from the first on; {@linkcode UNFINISHED} where the bus is
   * not free or a part takes its time: {@linkcode TransactionOwner.transactionOver} comes later
   */
  transfer(messages: Messages, first: number, count: number): number;
  /**
   * Ends the transaction that is {@linkcode UNFINISHED} where it stands, with a stop: nothing more
   * of it is done, its owner is told nothing, and others may have the bus. Left out where there are
   * none.
   *
   * @returns how many of its messages have succeeded; if none has, no byte has reached a part
   */
  abandon?(): number;
  /** Releases everything held of the host. */
  close(): void;
}
