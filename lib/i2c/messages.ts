/**
 * The messages of one transaction.
 *
 * @module
 */

import { HostBuffer } from "../virtio/descriptor_chain.ts";

/** The most messages of a transaction: `I2C_RDWR_IOCTL_MAX_MSGS` of i2c-dev. */
export const MAX_MESSAGES = 42;
/** The most bytes of a message: `struct i2c_msg` has 16 bits for them. */
export const MAX_LENGTH = 65535;
/** From the data of one message to that of the next, in bytes. */
export const SLOT_SIZE = 65536;

/**
 * Messages by number, from 0 to {@linkcode MAX_MESSAGES} - 1; made once and used over and over.
 *
 * The memory is only touched, and so only taken from the system, as far as messages are long.
 */
export class Messages {
  /** Whom each is for; see `TEN_BIT` in the protocol. */
  readonly addresses = new Uint16Array(MAX_MESSAGES);
  /** 1 for those that read. */
  readonly reads = new Uint8Array(MAX_MESSAGES);
  /** In bytes. */
  readonly lengths = new Uint16Array(MAX_MESSAGES);
  /** The data of message `i` begins at `i * SLOT_SIZE`. */
  readonly data = new HostBuffer(MAX_MESSAGES * SLOT_SIZE);
}
