/**
 * The device's side of a split virtqueue (specification, "Split Virtqueues").
 *
 * All three parts lie in memory that the guest can write at any time. Each field is read once and
 * checked before it is used; indices and event fields go through `Atomics`, which are the barriers
 * that the ring needs.
 *
 * @module
 */

import { F_EVENT_IDX, F_INDIRECT_DESC, F_NOTIFY_ON_EMPTY } from "./features.ts";
import type { DescriptorChain } from "./descriptor_chain.ts";
import type { GuestMemory, UserBuffer } from "./guest_memory.ts";
import { CHUNK_SIZE } from "./memory_region.ts";

/** What {@linkcode SplitQueue.pop} found. */
export const EMPTY = 0;
/** A chain, ready to be used. */
export const CHAIN = 1;
/** A chain that breaks the rules: return it with length 0. */
export const BAD_CHAIN = 2;
/** There is a chain whose memory takes too long to look up at once: ask again. */
export const LATER = 4;
/** The ring itself makes no sense; nothing more can be taken from it. */
export const BROKEN = 3;

/** The largest queue size (specification, "Split Virtqueues"). */
const MAX_QUEUE_SIZE = 32768;

const DESCRIPTOR_SIZE = 16;
/** A descriptor in 32-bit words: le64 addr, le32 len, le16 flags and next. */
const DESCRIPTOR_WORDS = 4;
/** The length of a chain is at most that of so many chunks of guest memory. */
const CHAIN_CHUNKS = (2 ** 32 / CHUNK_SIZE) | 0;
const F_NEXT = 1;
const F_WRITE = 2;
const F_INDIRECT = 4;
const AVAIL_NO_INTERRUPT = 1;
const USED_NO_NOTIFY = 1;

/** Where the parts of a ring are, in front-end addresses. */
export interface RingAddresses {
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
}

/** Where a ring is: its indices, modulo 2^16, and the last entry of its used ring. */
export interface RingPosition {
  /** The index of the next available entry to take. */
  readonly available: number;
  /** The index of the next used entry to write. */
  readonly used: number;
  /** What the used entry before that one says. */
  readonly lastHead: number;
  readonly lastWritten: number;
}

/** True for the sizes that a split ring can have. */
export function isQueueSize(size: number): boolean {
  return size >= 1 && size <= MAX_QUEUE_SIZE && (size & (size - 1)) === 0;
}

/** A ring in guest memory, from its start to its stop. */
export class SplitQueue {
  /** The number of descriptors. */
  readonly size: number;
  /** The index of the next available entry to take, modulo 2^16. */
  lastAvailable: number;

  /** The driver's index when it was last looked at: what comes before it can be taken. */
  #seen: number;
  readonly #mask: number;
  /** How many segments a chain may have. */
  readonly #segments: number;
  readonly #memory: GuestMemory;
  readonly #parts: readonly UserBuffer[];
  readonly #descriptors: Int32Array;
  // u16 flags, idx, ring[size], used_event
  readonly #available: Uint16Array;
  readonly #usedEvent: number;
  // u16 flags, idx; {u32 id, len}[size]; u16 avail_event
  readonly #used: Int32Array;
  readonly #usedWords: Uint16Array;
  readonly #availableEvent: number;
  readonly #indirect: boolean;
  readonly #eventIndex: boolean;
  readonly #notifyOnEmpty: boolean;
  readonly #entry = new DataView(new ArrayBuffer(DESCRIPTOR_SIZE));
  #usedIndex: number;
  /** The part of it that the driver sees. */
  #published: number;
  #lastHead: number;
  #lastWritten: number;
  #signalled: number;
  /** Whether the driver was called for what was used before is not known. */
  #signalledIsKnown = false;

  protected constructor(
    memory: GuestMemory,
    size: number,
    parts: readonly UserBuffer[],
    base: number,
    features: bigint,
  ) {
    this.size = size;
    this.lastAvailable = this.#seen = base & 0xffff;
    this.#mask = size - 1;
    // A buffer is in one piece but where it crosses from chunk to chunk, and the buffers of a chain
    // do so at different places.
    this.#segments = 2 * size + memory.regionCount + CHAIN_CHUNKS;
    this.#memory = memory;
    this.#parts = parts;
    this.#descriptors = new Int32Array(parts[0].buffer);
    this.#available = new Uint16Array(parts[1].buffer);
    this.#usedEvent = 2 + size;
    this.#used = new Int32Array(parts[2].buffer, 0, 1 + 2 * size);
    this.#usedWords = new Uint16Array(parts[2].buffer);
    this.#availableEvent = 2 + 4 * size;
    this.#indirect = (features & F_INDIRECT_DESC) !== 0n;
    this.#eventIndex = (features & F_EVENT_IDX) !== 0n;
    this.#notifyOnEmpty = (features & F_NOTIFY_ON_EMPTY) !== 0n;
    this.#usedIndex = Atomics.load(this.#usedWords, 1);
    this.#signalled = this.#published = this.#usedIndex;
    const last = 1 + 2 * ((this.#usedIndex - 1) & this.#mask);
    this.#lastHead = this.#used[last] >>> 0;
    this.#lastWritten = this.#used[last + 1] >>> 0;
  }

  /**
   * Looks up the parts of a ring in guest memory.
   *
   * @param size a {@linkcode isQueueSize valid} queue size
   * @param base the index of the next available entry
   * @param features as negotiated
   * @returns the queue, or a sentence that says why there can be none
   */
  static open(
    memory: GuestMemory,
    size: number,
    addresses: RingAddresses,
    base: number,
    features: bigint,
  ): SplitQueue | string {
    const wanted: [string, number, number, number][] = [
      ["descriptor table", addresses.descriptors, DESCRIPTOR_SIZE * size, 16],
      ["available ring", addresses.available, 6 + 2 * size, 2],
      ["used ring", addresses.used, 6 + 8 * size, 4],
    ];
    const parts: UserBuffer[] = [];
    for (const [name, address, length, alignment] of wanted) {
      const part = address % alignment === 0 ? memory.userBuffer(address, length) : undefined;
      if (part === undefined) {
        for (const part of parts) part.release();
        return `the ${name} at 0x${address.toString(16)} ` +
          (address % alignment === 0
            ? "is not within a memory region"
            : `is not aligned to ${alignment} bytes`);
      }
      parts.push(part);
    }
    return new this(memory, size, parts, base, features);
  }

  /** Where the ring is, as far as this side of it knows: its memory need not be there any more. */
  get position(): RingPosition {
    return {
      available: this.lastAvailable,
      used: this.#usedIndex,
      lastHead: this.#lastHead,
      lastWritten: this.#lastWritten,
    };
  }

  /** Lets go of the ring's memory. The queue must not be used afterwards. */
  close(): void {
    this.publish();
    for (const part of this.#parts) part.release();
  }

  /** True if the driver has made something available that was not yet taken. */
  hasAvailable(): boolean {
    // What was seen is still to be taken, also where the driver has taken its index back since.
    if (this.lastAvailable !== this.#seen) return true;
    return Atomics.load(this.#available, 1) !== this.lastAvailable;
  }

  /**
   * Takes the next available chain.
   *
   * @param chain is filled where the result is {@linkcode CHAIN}; for {@linkcode BAD_CHAIN} only
   * its head is meaningful
   */
  pop(chain: DescriptorChain): number {
    if (this.lastAvailable === this.#seen) {
      const pending = (Atomics.load(this.#available, 1) - this.lastAvailable) & 0xffff;
      if (pending === 0) return EMPTY;
      if (pending > this.size) return BROKEN;
      this.#seen = (this.lastAvailable + pending) & 0xffff;
    }
    const head = this.#available[2 + (this.lastAvailable & this.#mask)];
    if (head >= this.size) return BROKEN;
    const found = this.#follow(chain, head);
    if (found === BAD_CHAIN && this.#memory.isExhausted) return LATER;
    chain.position = this.lastAvailable;
    this.lastAvailable = (this.lastAvailable + 1) & 0xffff;
    return found;
  }

  /** Follows a chain from its first descriptor. */
  #follow(chain: DescriptorChain, head: number): number {
    chain.begin(head, this.#segments);
    const table = this.#descriptors;
    let index = head;
    for (let count = 1; count <= this.size; count++) {
      const at = index * DESCRIPTOR_WORDS;
      const address = this.joinAddress(table[at + 1] >>> 0, table[at] >>> 0);
      const length = table[at + 2];
      const flags = table[at + 3];
      if (flags & F_INDIRECT) {
        if (!this.#indirect || flags & F_NEXT) return BAD_CHAIN;
        return this.#popIndirect(chain, address, length >>> 0, count);
      }
      if (!chain.append(address, length, (flags & F_WRITE) !== 0)) return BAD_CHAIN;
      if (!(flags & F_NEXT)) return CHAIN;
      index = flags >>> 16;
      if (index >= this.size) return BAD_CHAIN;
    }
    return BAD_CHAIN;
  }

  /** Follows an indirect table; `count` descriptors, this table's included, are used up. */
  #popIndirect(chain: DescriptorChain, table: number, length: number, count: number): number {
    if (length === 0 || length % DESCRIPTOR_SIZE !== 0) return BAD_CHAIN;
    const entries = length / DESCRIPTOR_SIZE;
    let index = 0;
    for (; count <= this.size; count++) {
      const entry = this.#readIndirect(chain, table + index * DESCRIPTOR_SIZE);
      if (entry < 0) return BAD_CHAIN;
      const view = entry === 0 ? this.#entry : this.#memory.views[this.#entryChunk];
      const at = entry === 0 ? 0 : this.#entryOffset;
      const address = this.joinAddress(view.getUint32(at + 4, true), view.getUint32(at, true));
      const size = view.getInt32(at + 8, true);
      const flags = view.getUint16(at + 12, true);
      const next = view.getUint16(at + 14, true);
      if (flags & F_INDIRECT) return BAD_CHAIN;
      if (!chain.append(address, size, (flags & F_WRITE) !== 0)) return BAD_CHAIN;
      if (!(flags & F_NEXT)) return CHAIN;
      index = next;
      if (index >= entries) return BAD_CHAIN;
    }
    return BAD_CHAIN;
  }

  #entryChunk = 0;
  #entryOffset = 0;

  /**
   * Finds the descriptor at a guest address.
   *
   * @returns 1 if it is at `#entryOffset` of chunk `#entryChunk`, 0 if it crosses a boundary and
   * was copied to `#entry`, -1 if it is outside of guest memory
   */
  #readIndirect(chain: DescriptorChain, address: number): number {
    const memory = this.#memory;
    let chunk = memory.find(address);
    if (chunk < 0) {
      chunk = chain.findMapped(address, DESCRIPTOR_SIZE, false);
      if (chunk < 0) return -1;
    }
    if (address + DESCRIPTOR_SIZE <= memory.ends[chunk]) {
      this.#entryChunk = chunk;
      this.#entryOffset = address - memory.starts[chunk];
      return 1;
    }
    for (let index = 0; index < DESCRIPTOR_SIZE; index++) {
      let part = memory.find(address + index);
      if (part < 0) part = chain.findMapped(address + index, 1, false);
      if (part < 0) return -1;
      this.#entry.setUint8(index, memory.bytes[part][address + index - memory.starts[part]]);
    }
    return 0;
  }

  /** The address of a buffer that a descriptor names, of the two halves that it has there. */
  protected joinAddress(high: number, low: number): number {
    return high === 0 ? low : high * 2 ** 32 + low;
  }

  /** Ends what was done to have a chain's buffers at hand. The next access does it again. */
  release(_chain: DescriptorChain): void {}

  /**
   * Makes the chain that was taken last available again.
   *
   * @returns false if another was taken after it
   */
  putBack(chain: DescriptorChain): boolean {
    if (((chain.position + 1) & 0xffff) !== this.lastAvailable) return false;
    this.lastAvailable = chain.position;
    return true;
  }

  /** Returns a chain to the driver with the number of bytes written to it. */
  push(head: number, written: number): void {
    this.add(head, written);
    this.publish();
  }

  /**
   * The same for one of several chains in a row: the driver sees that it is used when the last one
   * that is known to be available is, or with the next {@linkcode publish}.
   */
  add(head: number, written: number): void {
    const at = 1 + 2 * (this.#usedIndex & this.#mask);
    this.#used[at] = head;
    this.#used[at + 1] = written;
    this.#lastHead = head;
    this.#lastWritten = written;
    this.#usedIndex = (this.#usedIndex + 1) & 0xffff;
    if (this.lastAvailable === this.#seen) this.publish();
  }

  /** Lets the driver see all that is used. */
  publish(): void {
    if (this.#published === this.#usedIndex) return;
    this.#published = this.#usedIndex;
    Atomics.store(this.#usedWords, 1, this.#usedIndex);
  }

  /**
   * Tells, after pushes, whether the driver wants to be notified of them. Asking again without
   * another push says no.
   *
   * With `EVENT_IDX` the driver is told of the first ones in any case: whoever served the ring
   * before may have ended between using a buffer and telling of it, and the driver waits for the
   * index that was passed then.
   */
  needsCall(): boolean {
    this.publish();
    const before = this.#signalled;
    const now = this.#usedIndex;
    if (before === now) return false;
    this.#signalled = now;
    const known = this.#signalledIsKnown;
    this.#signalledIsKnown = true;
    if (this.#notifyOnEmpty && !this.hasAvailable()) return true;
    if (!this.#eventIndex) return (Atomics.load(this.#available, 0) & AVAIL_NO_INTERRUPT) === 0;
    if (!known) return true;
    const event = Atomics.load(this.#available, this.#usedEvent);
    return ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);
  }

  /** Asks the driver not to kick: the ring is being looked at anyway. */
  disableKicks(): void {
    if (!this.#eventIndex) Atomics.store(this.#usedWords, 0, USED_NO_NOTIFY);
  }

  /**
   * Asks the driver to kick for the next entry.
   *
   * @returns true if one came in the meantime, for which there may be no kick
   */
  enableKicks(): boolean {
    if (this.#eventIndex) {
      Atomics.store(this.#usedWords, this.#availableEvent, this.lastAvailable);
    } else {
      Atomics.store(this.#usedWords, 0, 0);
    }
    return this.hasAvailable();
  }
}
