/**
 * Transfers, told to whoever observes the guest.
 *
 * @module
 */

import type { EventWriter } from "../events/event_ring.ts";
import {
  EVENT_DATA,
  SPI_CPHA,
  SPI_CPOL,
  SPI_CS_HIGH,
  SPI_FAILED,
  SPI_HELD,
  SPI_LSB_FIRST,
  SPI_RECEIVED,
  SPI_RELEASE,
  SPI_RX_SHIFT,
  SPI_SENT,
  SPI_TRANSFER,
  SPI_TX_SHIFT,
  SPI_WORD_SHIFT,
} from "../events/kinds.ts";
import type { TransferData } from "./backend.ts";
import { MODE_CPHA, MODE_CPOL, MODE_CS_HIGH, MODE_LSB_FIRST, type Transfer } from "./protocol.ts";

function flagsOf(transfer: Transfer, ok: boolean): number {
  const { mode, bitsPerWord, txLength, rxLength, txNbits, rxNbits } = transfer;
  return (ok ? 0 : SPI_FAILED) | (txLength > 0 ? SPI_SENT : 0) |
    (ok && rxLength > 0 ? SPI_RECEIVED : 0) |
    (mode & MODE_CPHA ? SPI_CPHA : 0) | (mode & MODE_CPOL ? SPI_CPOL : 0) |
    (mode & MODE_CS_HIGH ? SPI_CS_HIGH : 0) | (mode & MODE_LSB_FIRST ? SPI_LSB_FIRST : 0) |
    bitsPerWord << SPI_WORD_SHIFT | (txNbits || 1) << SPI_TX_SHIFT |
    (rxNbits || 1) << SPI_RX_SHIFT;
}

/** Tells of the transfers of one guest. */
export class SpiEvents {
  readonly #writer: EventWriter;

  constructor(writer: EventWriter) {
    this.#writer = writer;
  }

  /** The chip that was left selected is not any more. */
  release(): void {
    if (this.#writer.wants(SPI_RELEASE)) this.#writer.write(SPI_RELEASE, 0, 0, 0, 0);
  }

  /**
   * A transfer is over.
   *
   * @param held true if its chip stays selected
   */
  transfer(transfer: Transfer, data: TransferData, ok: boolean, held: boolean): void {
    if (!this.#writer.wants(SPI_TRANSFER)) return;
    const { chipSelect, length, frequency, txLength, rxLength } = transfer;
    const told = Math.min(length, this.#writer.dataLimit, EVENT_DATA);
    const sent = txLength > 0 ? data.sent.view : undefined;
    const received = ok && rxLength > 0 ? data.received.view : undefined;
    const flags = flagsOf(transfer, ok) | (held ? SPI_HELD : 0);
    const [first, second] = sent === undefined ? [received, undefined] : [sent, received];
    const count = first === undefined ? 0 : told;
    this.#writer.write(
      SPI_TRANSFER,
      chipSelect,
      flags,
      length,
      frequency,
      first,
      0,
      count,
      second,
      0,
    );
  }
}
