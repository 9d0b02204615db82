/**
 * Chips whose messages are so many bytes, a register's address, and then data.
 *
 * @module
 */

import type { Transfer } from "../../protocol.ts";
import { COMPLETE, type MessageRule, type MessageWaits } from "./rule.ts";

/**
 * A message is complete once it has more bytes than the prefix, or something was read. With no
 * prefix each transfer is a message.
 */
export class PrefixRule implements MessageRule {
  readonly csChangeKeeps = false;
  readonly #length: number;
  readonly #waits: MessageWaits;
  #count = 0;

  /** @param length of the prefix in bytes */
  constructor(length: number, waits: MessageWaits) {
    this.#length = length;
    this.#waits = waits;
  }

  begin(): void {
    this.#count = 0;
  }

  joins(_transfer: Transfer): boolean {
    return true;
  }

  follow(transfer: Transfer): number {
    this.#count += transfer.length;
    const complete = transfer.rxLength > 0 || this.#count > this.#length || this.#length === 0;
    return complete ? COMPLETE : this.#waits.incomplete;
  }
}
