/**
 * i2c-dev: transactions on `/dev/i2c-N` by ioctl(2).
 *
 * Source: `linux/i2c-dev.h`, `linux/i2c.h`, and "Implementing I2C device drivers in userspace" of
 * the kernel's documentation.
 *
 * @module
 */

import { check } from "./errno.ts";
import { fast } from "./libc.ts";

const ioctl = fast("ioctl");

const I2C_SLAVE = 0x0703;
const I2C_SLAVE_FORCE = 0x0706;
const I2C_TENBIT = 0x0704;
const I2C_FUNCS = 0x0705;
const I2C_RDWR = 0x0707;
const I2C_SMBUS = 0x0720;

/** The most bytes of a message in a {@linkcode Transfer}. */
export const RDWR_MAX_LENGTH = 8192;
/** The most messages in a {@linkcode Transfer}: `I2C_RDWR_IOCTL_MAX_MSGS`. */
const RDWR_MAX_MESSAGES = 42;

const M_RD = 0x0001;
const M_TEN = 0x0010;

/** An integer in the place of ioctl's pointer. */
function argument(value: number): Deno.PointerValue {
  return Deno.UnsafePointer.create(BigInt(value));
}

// 7-bit addresses, 10-bit ones, and the two of I2C_TENBIT.
const integers = Array.from({ length: 1024 }, (_, value) => argument(value));

/** The address of a buffer that lives as long as the thing it belongs to. */
function addressOf(buffer: ArrayBuffer): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}

function setPointer(view: DataView, offset: number, address: number): void {
  view.setUint32(offset, address % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(address / 2 ** 32), true);
}

/**
 * What the adapter behind `fd` can do, as a mask of `FUNC_…` of `i2c_uapi.ts`.
 *
 * @throws {SystemError} as ioctl(2); `ENOTTY` if `fd` is no I2C adapter
 */
export function functionality(fd: number): number {
  const mask = new DataView(new ArrayBuffer(8));
  check("ioctl", ioctl.invoke(fd, I2C_FUNCS, Deno.UnsafePointer.of(mask.buffer)));
  return mask.getUint32(0, true);
}

/**
 * Chooses whom SMBus transactions are with: 7-bit addresses, or 10-bit ones after
 * {@linkcode setTenBit}.
 *
 * @returns -1 with errno set, `EBUSY` if a driver of the kernel has the address
 */
export function setAddress(fd: number, address: number): number {
  return ioctl.invoke(fd, I2C_SLAVE, integers[address]);
}

/** As {@linkcode setAddress}, whoever has the address. @returns -1 with errno set */
export function forceAddress(fd: number, address: number): number {
  return ioctl.invoke(fd, I2C_SLAVE_FORCE, integers[address]);
}

/**
 * Sets how {@linkcode setAddress} and {@linkcode forceAddress} take addresses.
 *
 * @returns -1 with errno set
 */
export function setTenBit(fd: number, tenBit: boolean): number {
  return ioctl.invoke(fd, I2C_TENBIT, integers[tenBit ? 1 : 0]);
}

/**
 * Combined transactions: messages with a repeated start between them.
 *
 * ```
 * struct i2c_msg { __u16 addr, flags, len; __u8 *buf; };            // 16 bytes
 * struct i2c_rdwr_ioctl_data { struct i2c_msg *msgs; __u32 nmsgs; };  // 16 bytes
 * ```
 *
 * All pointers are written once; the data of message `i` is always at the same place.
 */
export class Transfer {
  readonly #data: ArrayBuffer;
  readonly #messages: DataView<ArrayBuffer>;
  /** One call for each message that it can begin with. */
  readonly #calls: DataView<ArrayBuffer>;
  readonly #pointers: Deno.PointerValue[];

  /** @param slotSize from the data of one message to that of the next, in bytes */
  constructor(data: ArrayBuffer, slotSize: number) {
    this.#data = data;
    this.#messages = new DataView(new ArrayBuffer(16 * RDWR_MAX_MESSAGES));
    this.#calls = new DataView(new ArrayBuffer(16 * RDWR_MAX_MESSAGES));
    this.#pointers = [];
    const dataAt = addressOf(this.#data);
    const messagesAt = addressOf(this.#messages.buffer);
    const calls = Deno.UnsafePointer.of(this.#calls) as Deno.PointerObject;
    for (let index = 0; index < RDWR_MAX_MESSAGES; index++) {
      setPointer(this.#messages, 16 * index + 8, dataAt + slotSize * index);
      setPointer(this.#calls, 16 * index, messagesAt + 16 * index);
      this.#pointers.push(Deno.UnsafePointer.offset(calls, 16 * index));
    }
  }

  /** Describes message `index`. */
  set(index: number, address: number, tenBit: boolean, read: boolean, length: number): void {
    const at = 16 * index;
    this.#messages.setUint16(at, address, true);
    this.#messages.setUint16(at + 2, (tenBit ? M_TEN : 0) | (read ? M_RD : 0), true);
    this.#messages.setUint16(at + 4, length, true);
  }

  /**
   * Carries out `count` messages from `first` on.
   *
   * @returns how many were transferred, or -1 with errno set
   */
  run(fd: number, first: number, count: number): number {
    this.#calls.setUint32(16 * first + 8, count, true);
    return ioctl.invoke(fd, I2C_RDWR, this.#pointers[first]);
  }
}

/**
 * SMBus transactions, with the address that {@linkcode setAddress} has chosen.
 *
 * ```
 * struct i2c_smbus_ioctl_data { __u8 read_write, command; __u32 size; union i2c_smbus_data *data; };
 * union i2c_smbus_data { __u8 byte; __u16 word; __u8 block[34]; };   // block[0] is the length
 * ```
 */
export class SmbusTransfer {
  /** The byte, the word, or the length of a block and its bytes. */
  readonly data = new Uint8Array(new ArrayBuffer(64));
  readonly #call: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(16));
  readonly #pointer: Deno.PointerValue;

  constructor() {
    setPointer(this.#call, 8, addressOf(this.data.buffer));
    this.#pointer = Deno.UnsafePointer.of(this.#call);
  }

  /**
   * Carries out a transaction.
   *
   * @param size its kind, one of `SMBUS_…`
   * @returns -1 with errno set
   */
  run(fd: number, read: boolean, command: number, size: number): number {
    this.#call.setUint8(0, read ? 1 : 0);
    this.#call.setUint8(1, command);
    this.#call.setUint32(4, size, true);
    return ioctl.invoke(fd, I2C_SMBUS, this.#pointer);
  }
}
