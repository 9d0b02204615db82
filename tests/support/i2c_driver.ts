/**
 * The driver's side of a virtio I2C adapter, as Linux does it and as it does not.
 *
 * @module
 */

import type { Segment } from "./driver_queue.ts";
import type { FrontEnd } from "./front_end.ts";
import { Guest, type GuestOptions } from "./guest.ts";
import { GuestRam } from "./guest_ram.ts";
import { concatenate, u32 } from "./wire.ts";

export const F_ZERO_LENGTH_REQUEST = 1n;
export const FAIL_NEXT = 1;
export const READ = 2;
export const OK = 0;
export const ERR = 1;
/** The status byte before the device has written it. */
export const UNTOUCHED = 0xee;

const RAM_SIZE = 0x100_0000;
const ARENA_SIZE = 0x80_0000;

/** A message: bytes to write, or the number of those to read. */
export interface Message {
  /** The `addr` field itself; see {@linkcode sevenBit} and {@linkcode tenBit}. */
  readonly address: number;
  readonly flags: number;
  readonly bytes: ArrayLike<number>;
  readonly room: number;
}

/** What became of a message. */
export interface Outcome {
  readonly status: number;
  /** The buffer of a read, or of a write as it is afterwards. */
  readonly data: number[];
  /** The used length. */
  readonly length: number;
}

/** The `addr` field for a 7-bit address. */
export function sevenBit(address: number): number {
  return address << 1;
}

/** The `addr` field for a 10-bit address. */
export function tenBit(address: number): number {
  return (address & 0xff) << 8 | 0xf0 | (address >> 7 & 6);
}

/** A write to a 7-bit address. */
export function write(address: number, ...bytes: number[]): Message {
  return { address: sevenBit(address), flags: 0, bytes, room: 0 };
}

/** A read from a 7-bit address. */
export function read(address: number, length: number): Message {
  return { address: sevenBit(address), flags: READ, bytes: [], room: length };
}

/** A message that has been made available. */
interface Pending {
  readonly head: number;
  readonly message: Message;
  readonly dataAt: number;
  readonly statusAt: number;
}

/** What {@linkcode I2cGuest} takes in addition. */
export interface I2cGuestOptions extends GuestOptions {
  /** How much memory messages can have at a time, in bytes. */
  readonly arena?: number;
}

/** A guest with an I2C driver. */
export class I2cGuest extends Guest {
  readonly #ownRam: GuestRam | undefined;
  readonly #arena: number;
  readonly #arenaSize: number;
  #used = 0;

  constructor(frontEnd: FrontEnd, options: I2cGuestOptions = {}) {
    const own = options.ram === undefined;
    const ram = options.ram ?? new GuestRam([{ guestAddress: 0x10_0000, size: RAM_SIZE }]);
    super(frontEnd, {
      size: 256,
      queues: 1,
      features: F_ZERO_LENGTH_REQUEST,
      eventIndex: true,
      ...options,
      ram,
    });
    this.#ownRam = own ? ram : undefined;
    this.#arenaSize = options.arena ?? ARENA_SIZE;
    this.#arena = ram.allocate(this.#arenaSize);
  }

  #take(length: number): number {
    if (this.#used + length > this.#arenaSize) throw new RangeError("too much at a time");
    const address = this.#arena + this.#used;
    this.#used += length;
    return address;
  }

  /** Places one message, without making it available. */
  #place(message: Message, flags: number, cut: (segment: Segment) => Segment[]): Pending {
    const { address, bytes, room } = message;
    const header = concatenate([address & 0xff, address >> 8, 0, 0], u32(flags));
    const headerAt = this.#take(header.length);
    this.ram.write(headerAt, header);
    const length = Math.max(bytes.length, room);
    const dataAt = this.#take(length);
    if (bytes.length > 0) this.ram.write(dataAt, bytes);
    else this.ram.fill(dataAt, 0xee, room);
    const statusAt = this.#take(1);
    this.ram.write(statusAt, [UNTOUCHED]);
    const segments: Segment[] = [{ address: headerAt, length: header.length }];
    if (length > 0) segments.push({ address: dataAt, length, writable: room > 0 });
    segments.push({ address: statusAt, length: 1, writable: true });
    const head = this.queues[0].place(segments.flatMap(cut), true);
    return { head, message, dataAt, statusAt };
  }

  /** Makes messages available with the flags they have, with one kick. */
  offer(messages: readonly Message[], cut = (segment: Segment) => [segment]): Pending[] {
    const [queue] = this.queues;
    const before = queue.availableIndex;
    const pending = messages.map((message) => this.#place(message, message.flags, cut));
    queue.offer(...pending.map(({ head }) => head));
    if (queue.wantsKick(before)) queue.kick();
    return pending;
  }

  /** Waits until messages have come back, which has to be in order. */
  collect(pending: readonly Pending[]): Outcome[] {
    const outcomes = pending.map(({ head, message, dataAt, statusAt }) => {
      const used = this.queues[0].waitUsed(this.frontEnd);
      if (used.head !== head) throw new Error(`chain ${used.head} was used, not ${head}`);
      // A driver must not look beyond what counts as written.
      if (used.length <= message.room) throw new Error(`no status within ${used.length} bytes`);
      const length = Math.max(message.bytes.length, message.room);
      const data = [...this.ram.read(dataAt, length)];
      return { status: this.ram.read(statusAt, 1)[0], data, length: used.length };
    });
    this.#used = 0;
    return outcomes;
  }

  /** Sends messages with these flags exactly, and waits for all of them. */
  exchange(...messages: Message[]): Outcome[] {
    return this.collect(this.offer(messages));
  }

  /** Sends messages as one transaction. */
  transfer(...messages: Message[]): Outcome[] {
    return this.exchange(...group(...messages));
  }

  /** Writes `bytes`, then reads after a repeated start; which has to succeed. */
  writeRead(address: number, bytes: number[], length: number): number[] {
    const [written, got] = this.transfer(write(address, ...bytes), read(address, length));
    if (written.status !== OK || got.status !== OK) throw new Error("the transaction has failed");
    return got.data;
  }

  /** The status of a write. */
  write(address: number, ...bytes: number[]): number {
    return this.transfer(write(address, ...bytes))[0].status;
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.#ownRam?.[Symbol.dispose]();
  }
}

/** The messages with FAIL_NEXT on all but the last. */
export function group(...messages: Message[]): Message[] {
  return messages.map((message, index) => ({
    ...message,
    flags: message.flags | (index < messages.length - 1 ? FAIL_NEXT : 0),
  }));
}
