/**
 * The driver's side of a split virtqueue: as a proper driver does it, and, descriptor by
 * descriptor, as no driver should.
 *
 * @module
 */

import { clearEventfd, createEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import type { FrontEnd } from "./front_end.ts";
import type { GuestRam } from "./guest_ram.ts";
import { PATIENCE, waitReadable } from "./wait.ts";

export const DESC_NEXT = 1;
export const DESC_WRITE = 2;
export const DESC_INDIRECT = 4;
const NO_INTERRUPT = 1;
const NO_NOTIFY = 1;

/** A buffer of a request. */
export interface Segment {
  readonly address: number;
  readonly length: number;
  readonly writable?: boolean;
}

/** A descriptor, field by field. */
export interface Descriptor {
  readonly address: number | bigint;
  readonly length: number;
  readonly flags?: number;
  readonly next?: number;
}

/** What the device has returned. */
export interface Used {
  readonly head: number;
  readonly length: number;
}

/** How a queue is to be. */
export interface QueueOptions {
  readonly size?: number;
  readonly eventIndex?: boolean;
  /** The index that both rings begin with. */
  readonly base?: number;
}

/** A virtqueue of a pretended driver. */
export class DriverQueue implements Disposable {
  readonly size: number;
  readonly eventIndex: boolean;
  readonly base: number;
  /** In guest addresses. */
  readonly descriptorsAt: number;
  readonly availableAt: number;
  readonly usedAt: number;
  readonly kickFd = createEventfd();
  readonly callFd = createEventfd();
  readonly errorFd = createEventfd();
  /** Where the next available entry goes and the next used one is expected, modulo 2^16. */
  availableIndex: number;
  usedIndex: number;
  readonly #ram: GuestRam;
  readonly #descriptors: DataView;
  readonly #available: Uint16Array;
  readonly #used: DataView;
  readonly #usedWords: Uint16Array;
  readonly #free: number[];
  readonly #chains: (number[] | undefined)[] = [];
  readonly #tables: (number | undefined)[] = [];

  constructor(readonly index: number, ram: GuestRam, options: QueueOptions = {}) {
    this.#ram = ram;
    this.size = options.size ?? 16;
    this.eventIndex = options.eventIndex ?? false;
    this.base = options.base ?? 0;
    this.availableIndex = this.usedIndex = this.base;
    this.descriptorsAt = ram.allocate(16 * this.size, 16);
    this.availableAt = ram.allocate(6 + 2 * this.size, 2);
    this.usedAt = ram.allocate(6 + 8 * this.size, 4);
    this.#descriptors = ram.view(this.descriptorsAt, 16 * this.size);
    this.#available = ram.words(this.availableAt, 3 + this.size);
    this.#used = ram.view(this.usedAt, 6 + 8 * this.size);
    this.#usedWords = ram.words(this.usedAt, 3 + 4 * this.size);
    this.#free = Array.from({ length: this.size }, (_, index) => this.size - 1 - index);
    this.#available[1] = this.#usedWords[1] = this.base;
  }

  /** Where the parts are, in the front-end's addresses. */
  get addresses() {
    return {
      descriptors: this.#ram.userAddress(this.descriptorsAt),
      available: this.#ram.userAddress(this.availableAt),
      used: this.#ram.userAddress(this.usedAt),
    };
  }

  // Descriptors

  /** Writes one descriptor of the ring's table. */
  setDescriptor(index: number, descriptor: Descriptor): void {
    writeDescriptor(this.#descriptors, index * 16, descriptor);
  }

  /** Places a chain in free descriptors, or in an indirect table behind a single one. */
  place(segments: readonly Segment[], indirect = false): number {
    const needed = indirect ? 1 : segments.length;
    if (this.#free.length < needed) throw new RangeError("no free descriptors");
    const taken = this.#free.splice(this.#free.length - needed).reverse();
    if (indirect) {
      const table = this.#table(taken[0], segments.length);
      const view = this.#ram.view(table, 16 * segments.length);
      this.#chain(view, segments, segments.map((_, index) => index));
      this.setDescriptor(taken[0], {
        address: this.#ram.busAddress(table),
        length: 16 * segments.length,
        flags: DESC_INDIRECT,
      });
    } else {
      this.#chain(this.#descriptors, segments, taken);
    }
    this.#chains[taken[0]] = taken;
    return taken[0];
  }

  #chain(view: DataView, segments: readonly Segment[], slots: readonly number[]): void {
    segments.forEach(({ address, length, writable }, index) => {
      const last = index === segments.length - 1;
      const flags = (writable ? DESC_WRITE : 0) | (last ? 0 : DESC_NEXT);
      const next = last ? 0 : slots[index + 1];
      const bus = this.#ram.busAddress(address);
      writeDescriptor(view, slots[index] * 16, { address: bus, length, flags, next });
    });
  }

  #table(slot: number, entries: number): number {
    const usual = 16;
    if (entries > usual) return this.#ram.allocate(16 * entries, 16);
    return this.#tables[slot] ??= this.#ram.allocate(16 * usual, 16);
  }

  // Available ring

  /** Makes chains available; the index moves once for all of them. */
  offer(...heads: number[]): void {
    const before = this.availableIndex;
    heads.forEach((head, index) => {
      this.#available[2 + ((before + index) & (this.size - 1))] = head;
    });
    this.availableIndex = (before + heads.length) & 0xffff;
    Atomics.store(this.#available, 1, this.availableIndex);
  }

  /** Sets the available ring's index to something else than what was offered. */
  pretendAvailable(index: number): void {
    this.availableIndex = index & 0xffff;
    Atomics.store(this.#available, 1, this.availableIndex);
  }

  /** True if the device wants a kick for the entries offered since the index was `before`. */
  wantsKick(before: number): boolean {
    if (!this.eventIndex) return (Atomics.load(this.#usedWords, 0) & NO_NOTIFY) === 0;
    const event = Atomics.load(this.#usedWords, 2 + 4 * this.size);
    const after = this.availableIndex;
    return ((after - event - 1) & 0xffff) < ((after - before) & 0xffff);
  }

  /** True once the device has taken all that was offered, and asks for more; with EVENT_IDX. */
  get isTaken(): boolean {
    return Atomics.load(this.#usedWords, 2 + 4 * this.size) === this.availableIndex;
  }

  kick(): void {
    signalEventfd(this.kickFd);
  }

  /** Offers a chain and kicks where the device wants it. */
  submit(segments: readonly Segment[], indirect = false): number {
    const head = this.place(segments, indirect);
    const before = this.availableIndex;
    this.offer(head);
    if (this.wantsKick(before)) this.kick();
    return head;
  }

  // Used ring

  /** The used ring's index as the device has written it. */
  get usedIndexOfDevice(): number {
    return Atomics.load(this.#usedWords, 1);
  }

  hasUsed(): boolean {
    return this.usedIndexOfDevice !== this.usedIndex;
  }

  /** Takes the next used entry and frees its descriptors. */
  takeUsed(): Used | undefined {
    if (!this.hasUsed()) return undefined;
    const at = 4 + 8 * (this.usedIndex & (this.size - 1));
    const head = this.#used.getUint32(at, true);
    const length = this.#used.getUint32(at + 4, true);
    this.usedIndex = (this.usedIndex + 1) & 0xffff;
    const chain = this.#chains[head];
    this.#chains[head] = undefined;
    if (chain !== undefined) this.#free.push(...chain.toReversed());
    return { head, length };
  }

  /** Asks for a call for the next used entry, or `ahead` entries later with EVENT_IDX. */
  enableCalls(ahead = 0): void {
    if (this.eventIndex) Atomics.store(this.#available, 2 + this.size, this.usedIndex + ahead);
    else Atomics.store(this.#available, 0, 0);
  }

  /** Asks for no calls; with EVENT_IDX for none before the ring has gone round half way. */
  disableCalls(): void {
    if (this.eventIndex) this.enableCalls(0x7fff);
    else Atomics.store(this.#available, 0, NO_INTERRUPT);
  }

  /** How many calls have come since the last time this was asked. */
  takeCalls(): number {
    return takeCounter(this.callFd);
  }

  /**
   * Waits for the next used entry the way a driver does: it sleeps until it is called.
   *
   * @throws {Error} when time is up, or an entry is there but the call for it is not
   */
  waitUsed(frontEnd: FrontEnd, milliseconds = PATIENCE): Used {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      frontEnd.pump?.();
      const used = this.takeUsed();
      if (used !== undefined) return used;
      this.enableCalls();
      if (this.hasUsed()) continue;
      const rest = deadline - performance.now();
      const called = waitReadable(this.callFd, Math.max(0, frontEnd.pump ? 1 : rest));
      if (called) clearEventfd(this.callFd);
      else if (performance.now() >= deadline) {
        throw new Error(
          this.hasUsed()
            ? `queue ${this.index}: a buffer was used, but there was no call`
            : `queue ${this.index}: nothing was used`,
        );
      }
    }
  }

  [Symbol.dispose](): void {
    close(this.kickFd);
    close(this.callFd);
    close(this.errorFd);
  }
}

/** Writes a descriptor at `offset` of a table. */
export function writeDescriptor(view: DataView, offset: number, descriptor: Descriptor): void {
  view.setBigUint64(offset, BigInt(descriptor.address), true);
  view.setUint32(offset + 8, descriptor.length, true);
  view.setUint16(offset + 12, descriptor.flags ?? 0, true);
  view.setUint16(offset + 14, descriptor.next ?? 0, true);
}

/** What is in the counter of an eventfd, which is 0 afterwards. */
export function takeCounter(fd: number): number {
  if (!waitReadable(fd, 0)) return 0;
  return readCounter(fd);
}

const library = Deno.dlopen("libc.so.6", {
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
});

function readCounter(fd: number): number {
  const counter = new BigUint64Array(new ArrayBuffer(8));
  const count = library.symbols.read(fd, new Uint8Array(counter.buffer), 8);
  return count === 8 ? Number(counter[0]) : 0;
}
