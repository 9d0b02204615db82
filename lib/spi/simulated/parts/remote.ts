/**
 * A part that a program serves over the control socket: each transfer is a question to it.
 *
 * State: see `../../../simulation/remote/remote.ts`.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import { EXCHANGE } from "../../../simulation/remote/mailbox.ts";
import { Remote, remoteModel, type remoteProperties } from "../../../simulation/remote/remote.ts";
import { FAILED, type SpiPart, type SpiPartModel } from "../part.ts";

class RemoteSpi implements SpiPart {
  readonly #remote: Remote;
  #isFirst = true;
  #expectsMore = false;

  constructor(context: PartContext<typeof remoteProperties>, chipSelect: number) {
    this.#remote = new Remote(context, `chip select ${chipSelect}`);
  }

  get expectsMore(): boolean {
    return this.#expectsMore;
  }

  exchange(_sent: number): number {
    return FAILED;
  }

  exchangeAll(sent: Uint8Array, received: Uint8Array, start: number, end: number): boolean {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    received.set(sent.subarray(start, end), start);
    const answered = this.#remote.ask(EXCHANGE, isFirst, received, start, end);
    this.#expectsMore = answered && this.#remote.mailbox.more;
    return answered;
  }

  deselect(): void {
    this.#isFirst = true;
    this.#expectsMore = false;
  }
}

/** `remote` */
export const remote: SpiPartModel<typeof remoteProperties> = {
  ...remoteModel,
  help: "a part that a program of yours serves, over the control socket",
  create: (context, chipSelect) => new RemoteSpi(context, chipSelect),
};
