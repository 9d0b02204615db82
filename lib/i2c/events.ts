/**
 * Transactions, told to whoever observes the guest.
 *
 * @module
 */

import type { EventWriter } from "../events/event_ring.ts";
import {
  EVENT_DATA,
  I2C_FAILED,
  I2C_FIRST,
  I2C_LAST,
  I2C_MESSAGE,
  I2C_READ,
  I2C_TEN_BIT,
} from "../events/kinds.ts";
import { type Messages, SLOT_SIZE } from "./messages.ts";
import { addressBits, isTenBit } from "./protocol.ts";

/** Tells of the transactions of one guest. */
export class I2cEvents {
  readonly #writer: EventWriter;
  #begin = 0;

  constructor(writer: EventWriter) {
    this.#writer = writer;
  }

  /** A transaction begins. */
  begin(): void {
    if (this.#writer.wants(I2C_MESSAGE)) this.#begin = performance.now();
  }

  /**
   * A transaction is over.
   *
   * @param count of the messages that were tried
   * @param done how many of them have succeeded, from the first on
   */
  transaction(messages: Messages, count: number, done: number): void {
    if (!this.#writer.wants(I2C_MESSAGE)) return;
    const told = done < count ? done + 1 : count;
    const limit = Math.min(this.#writer.dataLimit, EVENT_DATA);
    const duration = Math.min((performance.now() - this.#begin) * 1000, 0xffffffff);
    for (let index = 0; index < told; index++) {
      const address = messages.addresses[index];
      const read = messages.reads[index] === 1;
      const length = messages.lengths[index];
      const failed = index >= done;
      const flags = (read ? I2C_READ : 0) | (failed ? I2C_FAILED : 0) |
        (index === 0 ? I2C_FIRST : 0) | (index === told - 1 ? I2C_LAST : 0) |
        (isTenBit(address) ? I2C_TEN_BIT : 0);
      // Nobody knows how far a message got that has failed.
      const count = failed && read ? 0 : Math.min(length, limit);
      this.#writer.write(
        I2C_MESSAGE,
        addressBits(address),
        flags,
        length,
        duration,
        messages.data.view,
        index * SLOT_SIZE,
        count,
      );
    }
  }
}
