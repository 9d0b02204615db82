/**
 * Transactions on buses, put together from the events that tell of their messages.
 *
 * @module
 */

import type { RingEvent } from "../events/event_ring.ts";
import {
  I2C_FAILED,
  I2C_FIRST,
  I2C_LAST,
  I2C_MESSAGE,
  I2C_READ,
  I2C_TEN_BIT,
  SPI_FAILED,
  SPI_MORE,
  SPI_TRANSFER,
} from "../events/kinds.ts";
import { splitSpi } from "../events/spi_data.ts";
import { hexadecimal, type TransactionMessage } from "./protocol.ts";
import type { BareEvent } from "./subscription.ts";

/** Of bytes, so many are told. */
export const TOLD_BYTES = 256;

function message(direction: "read" | "write", data: Uint8Array, length: number) {
  const told = hexadecimal(data.subarray(0, TOLD_BYTES));
  return { [direction]: told, ...(length > told.length / 2 ? { length } : {}) };
}

/** Puts the transactions of one guest together. */
export class TransactionReader {
  readonly #guest: number;
  #messages: TransactionMessage[] = [];
  #place = "";

  constructor(guest: number) {
    this.#guest = guest;
  }

  /** Takes an event. @returns the transaction that ends with it */
  read(event: RingEvent, time: number): BareEvent | undefined {
    if (event.kind === I2C_MESSAGE) return this.#i2c(event, time);
    return event.kind === SPI_TRANSFER ? this.#spi(event, time) : undefined;
  }

  #i2c({ first, second: flags, third: length, data }: RingEvent, time: number) {
    if (flags & I2C_FIRST) {
      this.#messages = [];
      const digits = flags & I2C_TEN_BIT ? 3 : 2;
      this.#place = `address 0x${first.toString(16).padStart(digits, "0")}`;
    }
    const failed = (flags & I2C_FAILED) !== 0;
    const direction = flags & I2C_READ ? "read" : "write";
    this.#messages.push(message(direction, data, length));
    return flags & I2C_LAST ? this.#end(time, !failed) : undefined;
  }

  #spi({ first, second: flags, third: length, data }: RingEvent, time: number) {
    // Its beginning is told.
    if (flags & SPI_MORE) return undefined;
    const { sent, received } = splitSpi(flags, data);
    this.#place = `chip select ${first}`;
    this.#messages = [];
    if (sent !== undefined) this.#messages.push(message("write", sent, length));
    if (received !== undefined) this.#messages.push(message("read", received, length));
    return this.#end(time, (flags & SPI_FAILED) === 0);
  }

  #end(time: number, ok: boolean): BareEvent {
    const messages = this.#messages;
    this.#messages = [];
    return { time, kind: "transaction", guest: this.#guest, place: this.#place, messages, ok };
  }
}
