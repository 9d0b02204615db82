/**
 * The rule of a chip that nobody has configured.
 *
 * @module
 */

import type { Transfer } from "../../protocol.ts";
import { CommandRule } from "./command.ts";
import { GapRule } from "./gap.ts";
import type { MessageRule, MessageWaits } from "./rule.ts";

/** From this delay on a gap can be told from the time between two transfers; in nanoseconds. */
const SHORTEST_GAP = 1_000_000;

/** Goes by gaps as soon as the guest announces them, and by commands until then. */
export class AutomaticRule implements MessageRule {
  readonly csChangeKeeps = false;
  readonly #gap: GapRule;
  readonly #inform: (text: string) => void;
  #rule: MessageRule;

  constructor(
    waits: MessageWaits,
    warn: (text: string) => void,
    inform: (text: string) => void,
  ) {
    this.#rule = new CommandRule(waits, warn);
    this.#gap = new GapRule(waits, warn);
    this.#inform = inform;
  }

  begin(): void {
    this.#rule.begin();
  }

  joins(transfer: Transfer): boolean {
    return this.#rule.joins(transfer);
  }

  follow(transfer: Transfer, first: number): number {
    if (
      this.#rule !== this.#gap && transfer.csChange === 0 && transfer.inactive >= SHORTEST_GAP
    ) {
      this.#rule = this.#gap;
      this.#inform(
        `the guest leaves ${transfer.inactive / 1e6} ms between messages: they end there`,
      );
    }
    return this.#rule.follow(transfer, first);
  }
}
