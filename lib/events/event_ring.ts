/**
 * Events from one thread to another: a ring in shared memory, written by a guest's thread and read
 * by the one that observes it.
 *
 * Nobody waits: what finds no room is counted, and left out. The reader is woken through an
 * eventfd(2), and only where it has said that it sleeps.
 *
 * The memory begins with words of 32 bits: how many bytes were written and read so far (modulo
 * 2^32), how many events were left out, whether the reader sleeps, which kinds it wants, and how many
 * bytes of data. Behind them come records, each at a multiple of 8 bytes and in one piece:
 *
 * ```
 * u32 size of the record in bytes, a multiple of 8
 * u32 kind; 0 for what only fills the space up to the end of the memory
 * f64 time in milliseconds
 * u32 first, second, third, fourth
 * u32 length of the data in bytes
 * u32 how many events were left out right before
 * u8  data[length]
 * ```
 *
 * @module
 */

import { signalEventfd } from "../../ffi/eventfd.ts";

const WRITTEN = 0;
const READ = 1;
const LEFT_OUT = 2;
const SLEEPS = 3;
const WANTED = 4;
const WANTED_DATA = 5;
/** Where records begin. The words are apart from each other for the processors' caches. */
const STRIDE = 16;
const HEADER = 6 * STRIDE * 4;

const FILLER = 0;
const DATA = 40;
/** From so many bytes on, data are copied in one piece. */
const LONG = 512;

/** A ring's memory, and how its reader is woken: what `postMessage` can share. */
export interface EventRingMemory {
  readonly buffer: SharedArrayBuffer;
  /** An eventfd(2) of the reader. */
  readonly wake: number;
  /** `performance.timeOrigin` of the thread that times are told by. */
  readonly timeOrigin: number;
}

/**
 * Makes a ring.
 *
 * @param capacity in bytes, a power of two
 * @param wake an eventfd(2), which may be that of several rings
 */
export function makeEventRing(capacity: number, wake: number): EventRingMemory {
  return {
    buffer: new SharedArrayBuffer(HEADER + capacity),
    wake,
    timeOrigin: performance.timeOrigin,
  };
}

/** The end that writes. */
export class EventWriter {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #capacity: number;
  readonly #wake: number;
  readonly #offset: number;
  /** How many events were left out since the last one. */
  #skipped = 0;

  constructor({ buffer, wake, timeOrigin }: EventRingMemory) {
    this.#words = new Int32Array(buffer, 0, HEADER / 4);
    this.#bytes = new Uint8Array(buffer, HEADER);
    this.#view = new DataView(buffer, HEADER);
    this.#capacity = buffer.byteLength - HEADER;
    this.#wake = wake;
    this.#offset = performance.timeOrigin - timeOrigin;
  }

  /** True if the reader wants events of that kind, one of 1 to 31. Others had better not be written. */
  wants(kind: number): boolean {
    return (this.#words[WANTED * STRIDE] & (1 << kind)) !== 0;
  }

  /** How many bytes of data the reader wants; more had better not be written. */
  get dataLimit(): number {
    return this.#words[WANTED_DATA * STRIDE];
  }

  /** The longest data that an event can have in bytes: so much always finds room in an empty ring. */
  get maxLength(): number {
    return this.#capacity / 2 - DATA;
  }

  /**
   * Writes an event of now, or counts it as left out.
   *
   * @param kind from 1 to 31
   * @param data from which `length` bytes at `start` are copied
   * @param more from which as many bytes follow, from `moreStart` on
   * @returns false if it was left out
   */
  write(
    kind: number,
    first: number,
    second: number,
    third: number,
    fourth: number,
    data?: DataView,
    start = 0,
    length = 0,
    more?: DataView,
    moreStart = 0,
  ): boolean {
    const words = this.#words;
    const total = more === undefined ? length : 2 * length;
    const size = (DATA + total + 7) & ~7;
    const written = words[WRITTEN * STRIDE];
    const free = this.#capacity - ((written - Atomics.load(words, READ * STRIDE)) >>> 0);
    let at = (written >>> 0) & (this.#capacity - 1);
    const rest = this.#capacity - at;
    const filler = size <= rest ? 0 : rest;
    if (size + filler > free || total > this.maxLength) {
      Atomics.add(words, LEFT_OUT * STRIDE, 1);
      this.#skipped++;
      return false;
    }
    const view = this.#view;
    if (filler > 0) {
      view.setUint32(at, filler, true);
      view.setUint32(at + 4, FILLER, true);
      at = 0;
    }
    view.setUint32(at, size, true);
    view.setUint32(at + 4, kind, true);
    view.setFloat64(at + 8, performance.now() + this.#offset, true);
    view.setUint32(at + 16, first, true);
    view.setUint32(at + 20, second, true);
    view.setUint32(at + 24, third, true);
    view.setUint32(at + 28, fourth, true);
    view.setUint32(at + 32, total, true);
    view.setUint32(at + 36, this.#skipped, true);
    this.#skipped = 0;
    if (data !== undefined) this.#copy(data, start, at + DATA, length);
    if (more !== undefined) this.#copy(more, moreStart, at + DATA + length, length);
    Atomics.store(words, WRITTEN * STRIDE, (written + filler + size) | 0);
    if (Atomics.load(words, SLEEPS * STRIDE) === 1) this.#wakeReader();
    return true;
  }

  #copy(data: DataView, start: number, at: number, length: number): void {
    if (length >= LONG) {
      this.#bytes.set(new Uint8Array(data.buffer, data.byteOffset + start, length), at);
      return;
    }
    let index = 0;
    for (; index + 4 <= length; index += 4) {
      this.#view.setUint32(at + index, data.getUint32(start + index, true), true);
    }
    for (; index < length; index++) this.#bytes[at + index] = data.getUint8(start + index);
  }

  #wakeReader(): void {
    if (Atomics.exchange(this.#words, SLEEPS * STRIDE, 0) === 1) signalEventfd(this.#wake);
  }
}

/** An event that was read. The same object and data serve for one event after the other. */
export interface RingEvent {
  kind: number;
  /** In milliseconds since the time origin of the ring. */
  time: number;
  first: number;
  second: number;
  third: number;
  fourth: number;
  /** How many events were left out right before it. */
  skipped: number;
  /** Valid until the next one is read. */
  data: Uint8Array;
}

/** The end that reads. */
export class EventReader {
  /** The event that {@linkcode next} has found. */
  readonly event: RingEvent = {
    kind: 0,
    time: 0,
    first: 0,
    second: 0,
    third: 0,
    fourth: 0,
    skipped: 0,
    data: new Uint8Array(0),
  };
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #capacity: number;
  #position: number;
  #leftOut = 0;

  /** @param position up to which bytes were read; what {@linkcode EventWriter} has begun with */
  constructor({ buffer }: EventRingMemory, position = 0) {
    this.#position = position;
    this.#words = new Int32Array(buffer, 0, HEADER / 4);
    this.#bytes = new Uint8Array(buffer, HEADER);
    this.#view = new DataView(buffer, HEADER);
    this.#capacity = buffer.byteLength - HEADER;
  }

  /** Reads the next event into {@linkcode event}. @returns false if there is none */
  next(): boolean {
    // What was read before is no longer needed.
    Atomics.store(this.#words, READ * STRIDE, this.#position);
    while (Atomics.load(this.#words, WRITTEN * STRIDE) !== this.#position) {
      const at = (this.#position >>> 0) & (this.#capacity - 1);
      const view = this.#view;
      this.#position = (this.#position + view.getUint32(at, true)) | 0;
      const kind = view.getUint32(at + 4, true);
      if (kind === FILLER) continue;
      const { event } = this;
      event.kind = kind;
      event.time = view.getFloat64(at + 8, true);
      event.first = view.getUint32(at + 16, true);
      event.second = view.getUint32(at + 20, true);
      event.third = view.getUint32(at + 24, true);
      event.fourth = view.getUint32(at + 28, true);
      event.skipped = view.getUint32(at + 36, true);
      event.data = this.#bytes.subarray(at + DATA, at + DATA + view.getUint32(at + 32, true));
      return true;
    }
    Atomics.store(this.#words, READ * STRIDE, this.#position);
    return false;
  }

  /**
   * Says what is wanted from now on.
   *
   * @param kinds of events, as a mask of `1 << kind`
   * @param dataLimit how many bytes of data, of each direction where there are two
   */
  want(kinds: number, dataLimit: number): void {
    Atomics.store(this.#words, WANTED_DATA * STRIDE, dataLimit);
    Atomics.store(this.#words, WANTED * STRIDE, kinds);
  }

  /** How many events were left out since the last time that this was asked. */
  takeLeftOut(): number {
    const total = Atomics.load(this.#words, LEFT_OUT * STRIDE);
    const count = (total - this.#leftOut) >>> 0;
    this.#leftOut = total;
    return count;
  }

  /**
   * Asks to be woken at the next event.
   *
   * @returns false if there is one already; it is to be read first
   */
  sleep(): boolean {
    Atomics.store(this.#words, SLEEPS * STRIDE, 1);
    if (Atomics.load(this.#words, WRITTEN * STRIDE) === this.#position) return true;
    Atomics.store(this.#words, SLEEPS * STRIDE, 0);
    return false;
  }
}
