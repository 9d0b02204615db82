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
  SPI_MORE,
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
    const { length, txLength, rxLength } = transfer;
    const sent = txLength > 0 ? data.sent.view : undefined;
    const received = ok && rxLength > 0 ? data.received.view : undefined;
    const flags = flagsOf(transfer, ok);
    const end = held ? SPI_HELD : 0;
    const limit = Math.min(this.#writer.dataLimit, EVENT_DATA);
    if (length <= limit || limit < EVENT_DATA) {
      this.#piece(transfer, flags | end, 0, Math.min(length, limit), sent, received);
      return;
    }
    for (let at = 0; at < length; at += limit) {
      const count = Math.min(limit, length - at);
      const place = (at > 0 ? SPI_MORE : 0) | (at + count < length ? SPI_HELD : end);
      // Nothing can be made of a transfer with a hole in it.
      if (!this.#piece(transfer, flags | place, at, count, sent, received)) return;
    }
  }

  /** @returns false if it was left out */
  #piece(
    { chipSelect, length, frequency }: Transfer,
    flags: number,
    at: number,
    count: number,
    sent: DataView | undefined,
    received: DataView | undefined,
  ): boolean {
    const first = sent ?? received;
    const second = sent === undefined ? undefined : received;
    return this.#writer.write(
      SPI_TRANSFER,
      chipSelect,
      flags,
      length - at,
      frequency,
      first,
      at,
      first === undefined ? 0 : count,
      second,
      at,
    );
  }
}
