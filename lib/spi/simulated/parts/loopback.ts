/**
 * A wire from data out to data in: what is sent comes back.
 *
 * @module
 */

import type { TransferData } from "../../backend.ts";
import type { Transfer } from "../../protocol.ts";
import type { SpiPart, SpiPartModel } from "../part.ts";

/** What a wire does with a transfer. Where nothing is sent, zeros come back. */
export function loopBack({ length, txLength }: Transfer, data: TransferData): void {
  if (txLength > 0) data.received = data.sent;
  else data.received.bytes.fill(0, 0, length);
}

class Loopback implements SpiPart {
  readonly expectsMore = false;

  exchange(sent: number): number {
    return sent;
  }

  deselect(): void {}

  transfer(transfer: Transfer, data: TransferData): void {
    loopBack(transfer, data);
  }
}

/** `loopback` */
export const loopback: SpiPartModel = {
  name: "loopback",
  help: "what is sent comes back",
  properties: {},
  anyWords: true,
  stateSize: () => 0,
  create: () => new Loopback(),
};
