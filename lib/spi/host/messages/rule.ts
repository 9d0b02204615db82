/**
 * Where a message ends.
 *
 * A virtio SPI request is one transfer of a message, and nothing in it says which is the last. Linux
 * sets `cs_change` only where a driver asks for it, so that a 0 says neither yes nor no. Each chip
 * select therefore has a rule, which follows what the guest's driver sends.
 *
 * @module
 */

import type { Transfer } from "../../protocol.ts";

/** How long a chip stays selected for the rest of a message, in milliseconds. */
export interface MessageWaits {
  /** Where more may come; 0: not at all. */
  readonly unsure: number;
  /** Where the message is known to be incomplete: nothing else can rightly come. */
  readonly incomplete: number;
}

/** The message is complete: its chip is released at once. */
export const COMPLETE = 0;

/** Follows the messages to one chip. */
export interface MessageRule {
  /** True if `cs_change` keeps the chip selected after a transfer; otherwise it releases it. */
  readonly csChangeKeeps: boolean;
  /** The chip is about to be selected: a message begins. */
  begin(): void;
  /** True if a transfer goes on with the message at hand, whose chip is still selected. */
  joins(transfer: Transfer): boolean;
  /**
   * Takes in the next transfer of the message.
   *
   * @param first the first byte that it sends
   * @returns how long to wait for what follows in milliseconds, or {@linkcode COMPLETE}
   */
  follow(transfer: Transfer, first: number): number;
}
