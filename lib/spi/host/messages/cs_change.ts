/**
 * Drivers that keep their chip selected from one message to the next.
 *
 * @module
 */

import { COMPLETE, type MessageRule, type MessageWaits } from "./rule.ts";
import type { Transfer } from "../../protocol.ts";

/**
 * Linux' meaning of `cs_change` on the last transfer of a message: the chip stays selected. For
 * drivers whose messages have one transfer each.
 */
export class CsChangeRule implements MessageRule {
  readonly csChangeKeeps = true;
  readonly #waits: MessageWaits;

  constructor(waits: MessageWaits) {
    this.#waits = waits;
  }

  begin(): void {}

  joins(_transfer: Transfer): boolean {
    return true;
  }

  follow(transfer: Transfer): number {
    return transfer.csChange === 0 ? COMPLETE : this.#waits.incomplete;
  }
}
