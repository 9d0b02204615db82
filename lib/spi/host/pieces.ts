/**
 * One transfer as spidev takes it: in pieces, where it is longer than spidev's buffers or would keep
 * the thread for too long, with the chip selected between them.
 *
 * @module
 */

import { SpiMessage, type TransferSettings } from "../../../ffi/spidev.ts";
import type { HostBuffer } from "../../virtio/descriptor_chain.ts";
import type { TransferData } from "../backend.ts";
import { type Transfer, wordBytes } from "../protocol.ts";
import { wordTime } from "../wire_time.ts";

/**
 * The longest times of one call of the kernel's: for data, for a word where one takes longer than
 * that, and for a delay at either end. A longer delay has a call of its own, so that none takes more
 * than 100 ms. In milliseconds.
 */
const MAX_PIECE_TIME = 30;
export const MAX_WORD_TIME = 40;
const MAX_DELAY_BESIDE = 30;

/** Whole microseconds that are not shorter. */
function microseconds(nanoseconds: number): number {
  return Math.ceil(nanoseconds / 1000);
}

/** True for a delay in nanoseconds that has a call of its own. */
function isLong(delay: number): boolean {
  return delay > MAX_DELAY_BESIDE * 1e6;
}

/** The address of a buffer's first byte, found out once per buffer. */
class BufferAddress {
  #buffer: HostBuffer | undefined;
  #address = 0;

  of(buffer: HostBuffer): number {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      const pointer = Deno.UnsafePointer.of(buffer.bytes);
      this.#address = Number(Deno.UnsafePointer.value(pointer));
    }
    return this.#address;
  }
}

/** The pieces of one transfer. Instances are reused. */
export class Pieces {
  readonly #message = new SpiMessage(2);
  readonly #sent = new BufferAddress();
  readonly #received = new BufferAddress();
  readonly #common: TransferSettings = {
    delayMicroseconds: 0,
    wordDelayMicroseconds: 0,
    speed: 0,
    bitsPerWord: 8,
    txLines: 1,
    rxLines: 1,
  };
  /** Addresses of its data, 0 where there is none. */
  #tx = 0;
  #rx = 0;
  #length = 0;
  /** The length of a piece. */
  #piece = 0;
  #done = 0;
  /** Delays before and after its data in nanoseconds; 0 for the first one once it is done. */
  #setup = 0;
  #hold = 0;
  #keeps = false;
  #over = false;
  #touched = false;

  /** True once all of it is sent. */
  get over(): boolean {
    return this.#over;
  }

  /** True once something of it is sent. */
  get touched(): boolean {
    return this.#touched;
  }

  /** True if it takes several calls. */
  get several(): boolean {
    return this.#length > this.#piece || isLong(this.#setup) || isLong(this.#hold);
  }

  /** Forgets the transfer before. */
  clear(): void {
    this.#touched = false;
  }

  /**
   * Begins with a transfer.
   *
   * @param pieceSize the most bytes of one call
   * @param frequency in Hz, by which its time is reckoned
   * @param selects its chip is about to be selected
   * @param keeps the chip stays selected afterwards
   */
  begin(
    transfer: Transfer,
    data: TransferData,
    pieceSize: number,
    frequency: number,
    selects: boolean,
    keeps: boolean,
  ): void {
    this.#tx = transfer.txLength > 0 ? this.#sent.of(data.sent) : 0;
    this.#rx = transfer.rxLength > 0 ? this.#received.of(data.received) : 0;
    this.#length = transfer.length;
    const size = wordBytes(transfer.bitsPerWord);
    const word = wordTime(transfer, frequency);
    const soon = word > 0 ? Math.floor(MAX_PIECE_TIME / word) * size : pieceSize;
    this.#piece = Math.max(size, Math.min(pieceSize - pieceSize % size, soon));
    this.#done = 0;
    this.#setup = selects ? transfer.setup : 0;
    this.#hold = transfer.hold;
    this.#keeps = keeps;
    this.#over = false;
    const common = this.#common;
    common.speed = transfer.frequency;
    common.bitsPerWord = transfer.bitsPerWord;
    common.wordDelayMicroseconds = microseconds(transfer.wordDelay);
    common.txLines = transfer.txNbits;
    common.rxLines = transfer.rxNbits;
  }

  /**
   * Sends what goes in one call: a delay, a piece, or a piece with the delays beside it.
   *
   * @returns false with errno set if that fails
   */
  send(fd: number): boolean {
    const message = this.#message;
    message.clear();
    if (this.#setup > 0) {
      const alone = isLong(this.#setup);
      this.#appendDelay(this.#setup, alone);
      this.#setup = 0;
      if (alone) return this.#send(fd);
    }
    const part = Math.min(this.#piece, this.#length - this.#done);
    const tx = part > 0 && this.#tx !== 0 ? this.#tx + this.#done : 0;
    const rx = part > 0 && this.#rx !== 0 ? this.#rx + this.#done : 0;
    this.#done += part;
    // A long delay at the end follows by itself, once there is nothing left before it.
    this.#over = this.#done === this.#length && (part === 0 || !isLong(this.#hold));
    this.#common.delayMicroseconds = this.#over ? microseconds(this.#hold) : 0;
    // At the end of a message, cs_change keeps the chip selected.
    message.append(tx, rx, part, this.#common, !this.#over || this.#keeps);
    return this.#send(fd);
  }

  #send(fd: number): boolean {
    if (this.#message.send(fd) < 0) return false;
    this.#touched = true;
    return true;
  }

  /** A delay while the chip is selected: that of a transfer without data. */
  #appendDelay(nanoseconds: number, csChange: boolean): void {
    this.#common.delayMicroseconds = microseconds(nanoseconds);
    this.#message.append(0, 0, 0, this.#common, csChange);
  }
}
