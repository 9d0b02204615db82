/**
 * Guests that leave a gap between messages: a delay while the chip is not selected
 * (`spi-cs-inactive-delay-ns` in the guest's devicetree).
 *
 * @module
 */

import type { Transfer } from "../../protocol.ts";
import type { MessageRule, MessageWaits } from "./rule.ts";

/**
 * A message is over when nothing comes for half of the delay that the guest has announced: it comes
 * between messages only. The delay before the release comes within messages, too, as it may be a
 * transfer's own.
 */
export class GapRule implements MessageRule {
  readonly csChangeKeeps = false;
  readonly #waits: MessageWaits;
  readonly #warn: (text: string) => void;
  #warned = false;

  constructor(waits: MessageWaits, warn: (text: string) => void) {
    this.#waits = waits;
    this.#warn = warn;
  }

  begin(): void {}

  joins(_transfer: Transfer): boolean {
    return true;
  }

  follow({ hold, inactive }: Transfer): number {
    if (inactive > 0) return (hold + inactive / 2) / 1e6;
    if (!this.#warned) {
      this.#warn(
        "messages are to end at gaps, but the guest announces none; give its chip " +
          "spi-cs-inactive-delay-ns, for example <10000000>, in the guest's devicetree",
      );
    }
    this.#warned = true;
    return this.#waits.unsure;
  }
}
