/**
 * An adapter for tests: it writes down what it is asked to do, and does what it is told.
 *
 * @module
 */

import type { I2cAdapter } from "../../../lib/i2c/backend.ts";
import { MAX_LENGTH, type Messages, SLOT_SIZE } from "../../../lib/i2c/messages.ts";
import { addressText } from "../../../lib/i2c/protocol.ts";

export class RecordingAdapter implements I2cAdapter {
  /** One line per transaction, such as `w2@0x50 r1@0x50`. */
  readonly transactions: string[] = [];
  /** What was written, by message. */
  readonly written: number[][] = [];
  /** How many messages of a transaction succeed, if not all. */
  succeeding = Infinity;

  constructor(readonly maxLength = MAX_LENGTH, readonly zeroLength = true) {}

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
    return Math.min(count, this.succeeding);
  }

  close(): void {}
}
