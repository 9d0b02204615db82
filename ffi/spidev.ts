/**
 * The ioctl(2) interface of spidev: one descriptor per chip select (linux/spi/spidev.h).
 *
 * @module
 */

import { check } from "./errno.ts";
import { fast } from "./libc.ts";

const ioctl = fast("ioctl");

// _IOR('k', …), _IOW('k', …)
const SPI_IOC_MESSAGE_0 = 0x40006b00;
const SPI_IOC_RD_BITS_PER_WORD = 0x80016b03;
const SPI_IOC_WR_BITS_PER_WORD = 0x40016b03;
const SPI_IOC_RD_MAX_SPEED_HZ = 0x80046b04;
const SPI_IOC_WR_MAX_SPEED_HZ = 0x40046b04;
const SPI_IOC_RD_MODE32 = 0x80046b05;
const SPI_IOC_WR_MODE32 = 0x40046b05;

/** Mode bits (linux/spi/spi.h). */
export const SPI_CPHA = 1 << 0;
export const SPI_CPOL = 1 << 1;
export const SPI_CS_HIGH = 1 << 2;
export const SPI_LSB_FIRST = 1 << 3;
export const SPI_LOOP = 1 << 5;
export const SPI_TX_DUAL = 1 << 8;
export const SPI_TX_QUAD = 1 << 9;
export const SPI_RX_DUAL = 1 << 10;
export const SPI_RX_QUAD = 1 << 11;
export const SPI_TX_OCTAL = 1 << 13;
export const SPI_RX_OCTAL = 1 << 14;

/** The longest delays of one transfer that the interface can express, in microseconds. */
export const MAX_DELAY_USECS = 0xffff;
export const MAX_WORD_DELAY_USECS = 0xff;

const cell = new Uint32Array(new ArrayBuffer(8));
const cellPointer = Deno.UnsafePointer.of(cell);

function get(fd: number, request: number): number {
  cell[0] = 0;
  check("ioctl", ioctl.invoke(fd, request, cellPointer));
  return cell[0];
}

function set(fd: number, request: number, value: number): number {
  cell[0] = value;
  return ioctl.invoke(fd, request, cellPointer);
}

/**
 * The node's mode bits.
 *
 * @throws {SystemError} as ioctl(2); `ENOTTY` for what is no spidev
 */
export function readMode(fd: number): number {
  return get(fd, SPI_IOC_RD_MODE32);
}

/**
 * Sets the mode bits; releases a chip select that was kept.
 *
 * Bits for several data lines that the controller lacks are dropped, for others it fails.
 *
 * @returns 0, or -1 with errno set
 */
export function writeMode(fd: number, mode: number): number {
  return set(fd, SPI_IOC_WR_MODE32, mode);
}

/** The node's bits per word. */
export function readBitsPerWord(fd: number): number {
  return get(fd, SPI_IOC_RD_BITS_PER_WORD) & 0xff;
}

/** @returns 0, or -1 with errno set */
export function writeBitsPerWord(fd: number, bits: number): number {
  return set(fd, SPI_IOC_WR_BITS_PER_WORD, bits);
}

/** The speed of transfers that name none, in Hz; for a node just opened its chip's maximum. */
export function readMaxSpeed(fd: number): number {
  return get(fd, SPI_IOC_RD_MAX_SPEED_HZ);
}

/** @returns 0, or -1 with errno set */
export function writeMaxSpeed(fd: number, hertz: number): number {
  return set(fd, SPI_IOC_WR_MAX_SPEED_HZ, hertz);
}

// struct spi_ioc_transfer: u64 tx_buf 0, u64 rx_buf 8, u32 len 16, u32 speed_hz 20,
// u16 delay_usecs 24, u8 bits_per_word 26, u8 cs_change 27, u8 tx_nbits 28, u8 rx_nbits 29,
// u8 word_delay_usecs 30, u8 pad
const TRANSFER_SIZE = 32;

/** What `struct spi_ioc_transfer` says of a transfer beside its data. */
export interface TransferSettings {
  /** Delay after the last bit, in microseconds. */
  delayMicroseconds: number;
  wordDelayMicroseconds: number;
  /** In Hz; 0 for the node's. */
  speed: number;
  bitsPerWord: number;
  /** Lines for each direction: 1, 2, 4 or 8. */
  txLines: number;
  rxLines: number;
}

/**
 * An array of `struct spi_ioc_transfer`, to be filled and sent again and again without allocating.
 */
export class SpiMessage {
  readonly #view: DataView<ArrayBuffer>;
  readonly #pointer: Deno.PointerValue;
  #count = 0;

  /** @param capacity how many transfers a message has at most */
  constructor(capacity: number) {
    this.#view = new DataView(new ArrayBuffer(capacity * TRANSFER_SIZE));
    this.#pointer = Deno.UnsafePointer.of(this.#view);
  }

  /** Begins a new message. */
  clear(): void {
    this.#count = 0;
  }

  /**
   * Appends a transfer.
   *
   * @param tx address of the bytes to send, 0 for none
   * @param rx address for the bytes received, 0 for none
   * @param csChange at the last transfer of a message: the chip select stays as it is; at others:
   * it is released and taken again
   */
  append(
    tx: number,
    rx: number,
    length: number,
    settings: TransferSettings,
    csChange: boolean,
  ): void {
    const view = this.#view;
    const at = TRANSFER_SIZE * this.#count++;
    view.setUint32(at, tx >>> 0, true);
    view.setUint32(at + 4, Math.floor(tx / 2 ** 32), true);
    view.setUint32(at + 8, rx >>> 0, true);
    view.setUint32(at + 12, Math.floor(rx / 2 ** 32), true);
    view.setUint32(at + 16, length, true);
    view.setUint32(at + 20, settings.speed, true);
    view.setUint16(at + 24, settings.delayMicroseconds, true);
    view.setUint8(at + 26, settings.bitsPerWord);
    view.setUint8(at + 27, csChange ? 1 : 0);
    view.setUint8(at + 28, settings.txLines);
    view.setUint8(at + 29, settings.rxLines);
    view.setUint8(at + 30, settings.wordDelayMicroseconds);
    view.setUint8(at + 31, 0);
  }

  /**
   * Carries out what was appended, in one go.
   *
   * @returns the number of bytes transferred, or -1 with errno set
   */
  send(fd: number): number {
    return ioctl.invoke(
      fd,
      SPI_IOC_MESSAGE_0 + this.#count * TRANSFER_SIZE * 2 ** 16,
      this.#pointer,
    );
  }
}
