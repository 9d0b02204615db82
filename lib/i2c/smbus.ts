/**
 * SMBus transactions, recovered from the messages that they are on the wire.
 *
 * Adapters that know nothing but SMBus cannot carry out messages. A guest sends messages all the
 * same: its drivers speak SMBus to its kernel, which makes I2C messages of that.
 *
 * ```
 * w0, r0           quick                            w1 r1         read byte data
 * w1, r1           send byte, receive byte          w1 r2         read word data
 * w2               write byte data                  w1 r3…r32     read I2C block
 * w3               write word data                  w1 r33        block read
 * w4…w33           write I2C block                  w3 r2         process call
 * w3…w34, 2nd byte the number of those that follow  block write
 * the same, and r1…r33                              block process call
 * ```
 *
 * Where several fit, the first of {@linkcode recoverSmbus} that the adapter can do is taken.
 *
 * Sources: "SMBus Protocol Summary" of the kernel's documentation, System Management Bus
 * specification 3.2, section 6.5.
 *
 * @module
 */

import {
  FUNC_SMBUS_BLOCK_PROC_CALL,
  FUNC_SMBUS_PROC_CALL,
  FUNC_SMBUS_QUICK,
  FUNC_SMBUS_READ_BLOCK_DATA,
  FUNC_SMBUS_READ_BYTE,
  FUNC_SMBUS_READ_BYTE_DATA,
  FUNC_SMBUS_READ_I2C_BLOCK,
  FUNC_SMBUS_READ_WORD_DATA,
  FUNC_SMBUS_WRITE_BLOCK_DATA,
  FUNC_SMBUS_WRITE_BYTE,
  FUNC_SMBUS_WRITE_BYTE_DATA,
  FUNC_SMBUS_WRITE_I2C_BLOCK,
  FUNC_SMBUS_WRITE_WORD_DATA,
  SMBUS_BLOCK_DATA,
  SMBUS_BLOCK_MAX,
  SMBUS_BLOCK_PROC_CALL,
  SMBUS_BYTE,
  SMBUS_BYTE_DATA,
  SMBUS_I2C_BLOCK_DATA,
  SMBUS_PROC_CALL,
  SMBUS_QUICK,
  SMBUS_WORD_DATA,
} from "../../ffi/i2c_uapi.ts";
import { type Messages, SLOT_SIZE } from "./messages.ts";

/** Messages that no SMBus transaction of the adapter consists of. */
export const NOT_SMBUS = -1;

/** True if the second byte of a write is the number of those that follow it. */
function isBlock(messages: Messages, index: number): boolean {
  const count = messages.lengths[index] - 2;
  return count >= 1 && count <= SMBUS_BLOCK_MAX &&
    messages.data.bytes[index * SLOT_SIZE + 1] === count;
}

function recoverWrite(messages: Messages, index: number, can: number): number {
  const length = messages.lengths[index];
  if (length === 0 && can & FUNC_SMBUS_QUICK) return SMBUS_QUICK;
  if (length === 1 && can & FUNC_SMBUS_WRITE_BYTE) return SMBUS_BYTE;
  if (length === 2 && can & FUNC_SMBUS_WRITE_BYTE_DATA) return SMBUS_BYTE_DATA;
  if (length === 3 && can & FUNC_SMBUS_WRITE_WORD_DATA) return SMBUS_WORD_DATA;
  if (can & FUNC_SMBUS_WRITE_BLOCK_DATA && isBlock(messages, index)) return SMBUS_BLOCK_DATA;
  const fits = length >= 2 && length <= 1 + SMBUS_BLOCK_MAX;
  return fits && can & FUNC_SMBUS_WRITE_I2C_BLOCK ? SMBUS_I2C_BLOCK_DATA : NOT_SMBUS;
}

function recoverRead(length: number, can: number): number {
  if (length === 0 && can & FUNC_SMBUS_QUICK) return SMBUS_QUICK;
  return length === 1 && can & FUNC_SMBUS_READ_BYTE ? SMBUS_BYTE : NOT_SMBUS;
}

function recoverReadOf(length: number, can: number): number {
  if (length === 1 && can & FUNC_SMBUS_READ_BYTE_DATA) return SMBUS_BYTE_DATA;
  if (length === 2 && can & FUNC_SMBUS_READ_WORD_DATA) return SMBUS_WORD_DATA;
  const fits = length >= 1 && length <= SMBUS_BLOCK_MAX;
  if (fits && can & FUNC_SMBUS_READ_I2C_BLOCK) return SMBUS_I2C_BLOCK_DATA;
  const block = length >= 2 && length <= 1 + SMBUS_BLOCK_MAX;
  return block && can & FUNC_SMBUS_READ_BLOCK_DATA ? SMBUS_BLOCK_DATA : NOT_SMBUS;
}

function recoverCall(messages: Messages, write: number, length: number, can: number): number {
  if (messages.lengths[write] === 3 && length === 2 && can & FUNC_SMBUS_PROC_CALL) {
    return SMBUS_PROC_CALL;
  }
  const block = length >= 1 && length <= 1 + SMBUS_BLOCK_MAX && isBlock(messages, write);
  return block && can & FUNC_SMBUS_BLOCK_PROC_CALL ? SMBUS_BLOCK_PROC_CALL : NOT_SMBUS;
}

/**
 * Finds the SMBus transaction that consists of `count` messages from `first` on.
 *
 * @param can what the adapter can do, a mask of `FUNC_…`
 * @returns one of `SMBUS_…`, or NOT_SMBUS
 */
export function recoverSmbus(
  messages: Messages,
  first: number,
  count: number,
  can: number,
): number {
  const { addresses, lengths, reads } = messages;
  if (count === 1) {
    return reads[first] ? recoverRead(lengths[first], can) : recoverWrite(messages, first, can);
  }
  const second = first + 1;
  if (count !== 2 || addresses[first] !== addresses[second]) return NOT_SMBUS;
  if (reads[first] || !reads[second] || lengths[first] === 0) return NOT_SMBUS;
  return lengths[first] === 1
    ? recoverReadOf(lengths[second], can)
    : recoverCall(messages, first, lengths[second], can);
}

/** Puts what a transaction sends where an ioctl expects it. */
export function packSmbus(
  messages: Messages,
  first: number,
  last: number,
  kind: number,
  data: Uint8Array,
): void {
  const { bytes } = messages.data;
  const at = first * SLOT_SIZE;
  const length = messages.reads[first] ? 0 : messages.lengths[first];
  if (kind === SMBUS_I2C_BLOCK_DATA) {
    const reads = messages.reads[last] === 1;
    data[0] = reads ? messages.lengths[last] : length - 1;
    for (let index = 1; index < length; index++) data[index] = bytes[at + index];
  } else {
    // The byte, the word, or the length of the block and its bytes, as on the wire.
    for (let index = 1; index < length; index++) data[index - 1] = bytes[at + index];
  }
}

/**
 * Puts what a transaction has received into the message that reads.
 *
 * @returns false if it is less than the adapter was asked for
 */
export function unpackSmbus(
  messages: Messages,
  last: number,
  kind: number,
  data: Uint8Array,
): boolean {
  if (!messages.reads[last]) return true;
  const { bytes } = messages.data;
  const at = last * SLOT_SIZE;
  const length = messages.lengths[last];
  if (kind === SMBUS_I2C_BLOCK_DATA) {
    if (data[0] < length) return false;
    for (let index = 0; index < length; index++) bytes[at + index] = data[1 + index];
    return true;
  }
  const isBlock = kind === SMBUS_BLOCK_DATA || kind === SMBUS_BLOCK_PROC_CALL;
  const received = isBlock ? 1 + data[0] : length;
  // A short read may be of a chip that knows nothing of blocks, and whose first byte is no length.
  if (kind === SMBUS_BLOCK_DATA && length <= SMBUS_BLOCK_MAX && received < length) return false;
  // A chip that has said all it had to say lets go of the bus, which then reads as ones.
  for (let index = 0; index < length; index++) {
    bytes[at + index] = index < received ? data[index] : 0xff;
  }
  return true;
}
