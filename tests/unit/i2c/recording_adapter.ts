/**
 * An adapter for tests: it writes down what it is asked to do, and does what it is told.
 *
 * @module
 */

import { type I2cAdapter, type TransactionOwner, UNFINISHED } from "../../../lib/i2c/backend.ts";
import { MAX_LENGTH, type Messages, SLOT_SIZE } from "../../../lib/i2c/messages.ts";
import { addressText } from "../../../lib/i2c/protocol.ts";
import type { Poller } from "../../../lib/virtio/device.ts";
import { pause } from "../../support/wait.ts";

export class RecordingAdapter implements I2cAdapter {
  /** One line per transaction, such as `w2@0x50 r1@0x50`. */
  readonly transactions: string[] = [];
  /** What was written, by message. */
  readonly written: number[][] = [];
  /** How many messages of a transaction succeed, if not all. */
  succeeding = Infinity;
  /** True if transactions take until {@linkcode finish}. */
  slow = false;
  /** How many of those had to end before. */
  abandoned = 0;
  /** How long a transaction keeps the thread, in milliseconds. */
  duration = 0;
  #owner: TransactionOwner | undefined;

  constructor(readonly maxLength = MAX_LENGTH, readonly zeroLength = true) {}

  attach(_poller: Poller, owner: TransactionOwner): void {
    this.#owner = owner;
  }

  transfer(messages: Messages, first: number, count: number): number {
    const words: string[] = [];
    for (let index = first; index < first + count; index++) {
      const length = messages.lengths[index];
      const at = index * SLOT_SIZE;
      const reads = messages.reads[index] === 1;
      words.push(`${reads ? "r" : "w"}${length}@${addressText(messages.addresses[index])}`);
      if (reads) {
        for (let byte = 0; byte < length; byte++) messages.data.bytes[at + byte] = byte & 0xff;
      } else {
        this.written.push([...messages.data.bytes.subarray(at, at + length)]);
        // As if the bus had been read into the same buffer.
        messages.data.bytes.fill(0x55, at, at + length);
      }
    }
    this.transactions.push(words.join(" "));
    if (this.duration > 0) pause(this.duration);
    return this.slow ? UNFINISHED : Math.min(count, this.succeeding);
  }

  /** The slow transaction is over. */
  finish(done: number): void {
    this.#owner!.transactionOver(done);
  }

  abandon(): number {
    this.abandoned++;
    return this.succeeding === Infinity ? 0 : this.succeeding;
  }

  close(): void {}
}
