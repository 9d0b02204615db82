/**
 * One request: the buffers of a descriptor chain as two byte strings, a device-readable and a
 * device-writable one, however the driver has cut them up.
 *
 * @module
 */

import type { GuestMemory } from "./guest_memory.ts";
import type { Window } from "./windows.ts";

/** Bytes for a chain's writable part that are not there yet. */
interface LateWrite {
  readonly position: number;
  readonly bytes: HostBuffer;
}

/** How much the chains of a ring keep back, all together. */
export interface KeptBack {
  /** In bytes. */
  bytes: number;
  /** The most that there may be. */
  readonly limit: number;
  /** There was more: some of it is lost. */
  exceeded: boolean;
}

/** The segments that a chain has room for from the start. */
const FEW_SEGMENTS = 8;
const NO_LIMIT = 2 ** 30;
/** What a chain's buffers may be long together (specification, "The Virtqueue Descriptor Table"). */
const MAX_LENGTH = 2 ** 32;
/** Longer than the buffers of nearly all requests. */
const SHORT = 2 ** 16;
/** Shorter than what cannot be made longer any more by few of those. */
const LONG = 2 ** 30;

/** From this length on, copying through a view is worth the view's allocation. */
const LARGE_COPY = 16384;

function copyLarge(
  source: Uint8Array,
  sourceOffset: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): void {
  target.set(source.subarray(sourceOffset, sourceOffset + length), targetOffset);
}

/** Copies bytes between two views without allocating. */
function copySmall(
  source: DataView,
  sourceOffset: number,
  target: DataView,
  targetOffset: number,
  length: number,
): void {
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    target.setUint32(targetOffset + at, source.getUint32(sourceOffset + at, true), true);
  }
  for (; at < length; at++) {
    target.setUint8(targetOffset + at, source.getUint8(sourceOffset + at));
  }
}

/** A byte array of the host together with the view that small copies go through. */
export class HostBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;

  /** @param size in bytes */
  constructor(size: number) {
    this.bytes = new Uint8Array(new ArrayBuffer(size));
    this.view = new DataView(this.bytes.buffer);
  }
}

/**
 * A chain of buffers in guest memory. Instances are reused: filling one does not allocate once its
 * arrays are as long as the longest chain seen.
 *
 * Positions count from the start of the readable or of the writable part. Accesses beyond a part's
 * length are the caller's mistake: reads return 0, writes are dropped.
 */
export class DescriptorChain {
  /** The index of the first descriptor, by which the driver knows the chain. */
  head = 0;
  /** The index, modulo 2^16, of its entry in the available ring. */
  position = 0;
  /** Bytes in the device-readable part. */
  readableLength = 0;
  /** Bytes in the device-writable part. */
  writableLength = 0;

  readonly #memory: GuestMemory;
  readonly #keptBack: KeptBack;
  #generation = 0;
  #limit = NO_LIMIT;
  #count = 0;
  #readable = 0;
  #suspended = false;
  #late: LateWrite[] = [];
  // No segment is longer than a chunk, so that nothing here needs the last bit of 32.
  #lengths = new Int32Array(FEW_SEGMENTS);
  #chunks = new Int32Array(FEW_SEGMENTS);
  #offsets = new Int32Array(FEW_SEGMENTS);
  #addresses = new Float64Array(FEW_SEGMENTS);
  /** Where buffers are that are not mapped in advance. */
  readonly #windows: Window[] = [];

  /** @param keptBack is shared by the chains of a ring */
  constructor(
    memory: GuestMemory,
    keptBack: KeptBack = { bytes: 0, limit: Infinity, exceeded: false },
  ) {
    this.#memory = memory;
    this.#keptBack = keptBack;
  }

  /** How many segments there is room for. */
  get capacity(): number {
    return this.#lengths.length;
  }

  /**
   * Empties the chain for the descriptors that begin with `head`.
   *
   * @param limit how many segments there may be
   */
  begin(head: number, limit = NO_LIMIT): void {
    this.head = head;
    this.#limit = limit;
    this.forget();
    this.#generation = this.#memory.generation;
  }

  /** Lets go of all buffers: what is written from now on is dropped. */
  forget(): void {
    this.readableLength = 0;
    this.writableLength = 0;
    this.#count = 0;
    this.#readable = 0;
    this.dropLate();
    this.#suspended = false;
  }

  /** Lets go of all buffers and of the memory that more than a few segments take. */
  trim(): void {
    this.forget();
    if (this.capacity > FEW_SEGMENTS) this.#resize(FEW_SEGMENTS);
  }

  /** Leaves the buffers alone: what is written from now on is kept back. */
  suspend(): void {
    this.#suspended = true;
  }

  /** Ends that, and writes what was kept back. */
  resume(): void {
    this.#suspended = false;
    const late = this.#late;
    if (late.length === 0) return;
    this.dropLate();
    for (const { position, bytes } of late) this.write(position, bytes, 0, bytes.bytes.length);
  }

  /** Forgets what was kept back. */
  dropLate(): void {
    if (this.#late.length === 0) return;
    for (const { bytes } of this.#late) this.#keptBack.bytes -= bytes.bytes.length;
    this.#late = [];
  }

  /** True between {@linkcode suspend} and {@linkcode resume}. */
  get isSuspended(): boolean {
    return this.#suspended;
  }

  /**
   * Appends a buffer.
   *
   * @param length its 32 bits, signed or not
   * @returns false if it lies outside of guest memory, comes too late (readable after writable),
   * makes the chain longer than 4 GiB (specification, "The Virtqueue Descriptor Table"), or is more
   * segments than there may be
   */
  append(address: number, length: number, writable: boolean): boolean {
    const memory = this.#memory;
    const count = this.#count;
    const chunk = memory.find(address);
    // Nearly all buffers are short, and in one piece.
    if (
      chunk < 0 || address + length > memory.ends[chunk] || length <= 0 || length > SHORT ||
      this.readableLength > LONG || this.writableLength > LONG || count >= FEW_SEGMENTS ||
      count >= this.#limit
    ) {
      return this.#appendAny(address, length >>> 0, writable);
    }
    if (writable) {
      this.writableLength += length;
    } else {
      if (count > this.#readable) return false;
      this.readableLength += length;
      this.#readable = count + 1;
    }
    this.#count = count + 1;
    this.#lengths[count] = length;
    this.#chunks[count] = chunk;
    this.#offsets[count] = (address - memory.starts[chunk]) | 0;
    this.#addresses[count] = address;
    return true;
  }

  #appendAny(address: number, length: number, writable: boolean): boolean {
    if (!writable && this.#count > this.#readable) return false;
    if (this.readableLength + this.writableLength + length > MAX_LENGTH) return false;
    const memory = this.#memory;
    let rest = length;
    while (rest > 0) {
      let chunk = memory.find(address);
      if (
        chunk < 0 && (chunk = this.findMapped(address, rest, writable)) < 0 ||
        this.#count >= this.#limit
      ) return false;
      const offset = address - memory.starts[chunk];
      const part = Math.min(rest, memory.ends[chunk] - address);
      if (this.#count === this.#lengths.length) this.#resize(2 * this.#count);
      this.#lengths[this.#count] = part;
      this.#chunks[this.#count] = chunk;
      this.#offsets[this.#count] = offset;
      this.#addresses[this.#count] = address;
      this.#count++;
      address += part;
      rest -= part;
    }
    if (writable) {
      this.writableLength += length;
    } else {
      this.readableLength += length;
      this.#readable = this.#count;
    }
    return true;
  }

  /**
   * The chunk that holds `address`, mapped for this chain together with what follows, up to `length`
   * bytes; -1 if there is none.
   */
  findMapped(address: number, length: number, writable: boolean): number {
    const memory = this.#memory;
    const end = address + length;
    for (const { chunk, writable: isWritable } of this.#windows) {
      if (address < memory.starts[chunk] || end > memory.ends[chunk]) continue;
      if (isWritable || !writable) return chunk;
    }
    const window = memory.openWindow(address, length, writable);
    if (window === undefined) return -1;
    this.#windows.push(window);
    return window.chunk;
  }

  /** Unmaps what was mapped for this chain. What is accessed later is mapped again. */
  unmap(): void {
    if (this.#windows.length === 0) return;
    for (const window of this.#windows) this.#memory.closeWindow(window);
    this.#windows.length = 0;
    this.#generation = NaN;
  }

  /** The guest address of `position` of the readable part, which has to be within it. */
  readableAddress(position: number): number {
    return this.#addressAt(position, 0);
  }

  /** The guest address behind the last byte of the readable part, which has to have one. */
  get readableEnd(): number {
    const last = this.#readable - 1;
    return this.#addresses[last] + this.#lengths[last];
  }

  /** The guest address of `position` of the writable part, which has to be within it. */
  writableAddress(position: number): number {
    return this.#addressAt(position, this.#readable);
  }

  #addressAt(position: number, segment: number): number {
    while (position >= this.#lengths[segment]) position -= this.#lengths[segment++];
    return this.#addresses[segment] + position;
  }

  /** The byte at `position` of the readable part. */
  readU8(position: number): number {
    if (this.#readable > 0 && position < this.#lengths[0] && this.#current()) {
      return this.#memory.views[this.#chunks[0]].getUint8(this.#offsets[0] + position);
    }
    return this.#gather(position, 1);
  }

  /** The little-endian 16-bit number at `position` of the readable part. */
  readU16(position: number): number {
    if (this.#readable > 0 && position + 2 <= this.#lengths[0] && this.#current()) {
      return this.#memory.views[this.#chunks[0]].getUint16(this.#offsets[0] + position, true);
    }
    return this.#gather(position, 2);
  }

  /** The little-endian 32-bit number at `position` of the readable part. */
  readU32(position: number): number {
    if (this.#readable > 0 && position + 4 <= this.#lengths[0] && this.#current()) {
      return this.#memory.views[this.#chunks[0]].getUint32(this.#offsets[0] + position, true);
    }
    return this.#gather(position, 4);
  }

  /**
   * Copies `length` bytes from `position` of the readable part to `targetOffset` of `target`.
   *
   * @returns the number of bytes copied
   */
  read(position: number, target: HostBuffer, targetOffset: number, length: number): number {
    const memory = this.#memory;
    if (!this.#current()) return 0;
    let done = 0;
    for (let segment = 0; segment < this.#readable && done < length; segment++) {
      const size = this.#lengths[segment];
      if (position >= size) {
        position -= size;
        continue;
      }
      const part = Math.min(size - position, length - done);
      const chunk = this.#chunks[segment];
      const offset = this.#offsets[segment] + position;
      if (part < LARGE_COPY) {
        copySmall(memory.views[chunk], offset, target.view, targetOffset + done, part);
      } else {
        copyLarge(memory.bytes[chunk], offset, target.bytes, targetOffset + done, part);
      }
      done += part;
      position = 0;
    }
    return done;
  }

  /** Writes one byte to `position` of the writable part. */
  writeU8(position: number, value: number): void {
    if (this.#suspended) return this.#keepByte(position, value);
    if (!this.#current()) return;
    for (let segment = this.#readable; segment < this.#count; segment++) {
      const size = this.#lengths[segment];
      if (position < size) {
        const view = this.#memory.views[this.#chunks[segment]];
        view.setUint8(this.#offsets[segment] + position, value);
        return;
      }
      position -= size;
    }
  }

  /** Writes a little-endian 16-bit number to `position` of the writable part. */
  writeU16(position: number, value: number): void {
    const first = this.#readable;
    if (
      first < this.#count && position + 2 <= this.#lengths[first] && !this.#suspended &&
      this.#current()
    ) {
      const view = this.#memory.views[this.#chunks[first]];
      view.setUint16(this.#offsets[first] + position, value, true);
      return;
    }
    this.writeU8(position, value & 0xff);
    this.writeU8(position + 1, value >>> 8);
  }

  /**
   * Copies `length` bytes from `sourceOffset` of `source` to `position` of the writable part.
   *
   * @returns the number of bytes copied
   */
  write(position: number, source: HostBuffer, sourceOffset: number, length: number): number {
    const memory = this.#memory;
    if (this.#suspended) return this.#keep(position, source, sourceOffset, length);
    if (!this.#current()) return 0;
    let done = 0;
    for (let segment = this.#readable; segment < this.#count && done < length; segment++) {
      const size = this.#lengths[segment];
      if (position >= size) {
        position -= size;
        continue;
      }
      const part = Math.min(size - position, length - done);
      const chunk = this.#chunks[segment];
      const offset = this.#offsets[segment] + position;
      if (part < LARGE_COPY) {
        copySmall(source.view, sourceOffset + done, memory.views[chunk], offset, part);
      } else {
        copyLarge(source.bytes, sourceOffset + done, memory.bytes[chunk], offset, part);
      }
      done += part;
      position = 0;
    }
    return done;
  }

  /**
   * Zeros the first `length` bytes of the writable part.
   *
   * @returns false, with nothing done, while the buffers are left alone or are not there
   */
  zero(length: number): boolean {
    if (this.#suspended || !this.#current()) return false;
    const memory = this.#memory;
    let rest = length;
    for (let segment = this.#readable; segment < this.#count && rest > 0; segment++) {
      const part = Math.min(this.#lengths[segment], rest);
      const offset = this.#offsets[segment];
      memory.bytes[this.#chunks[segment]].fill(0, offset, offset + part);
      rest -= part;
    }
    return true;
  }

  #keepByte(position: number, value: number): void {
    const bytes = new HostBuffer(1);
    bytes.bytes[0] = value;
    this.#keep(position, bytes, 0, 1);
  }

  #keep(position: number, source: HostBuffer, sourceOffset: number, length: number): number {
    const room = Math.min(length, this.writableLength - position);
    if (position < 0 || room <= 0) return 0;
    const kept = this.#keptBack;
    if (kept.bytes + room > kept.limit) {
      kept.exceeded = true;
      return 0;
    }
    kept.bytes += room;
    const bytes = new HostBuffer(room);
    bytes.bytes.set(source.bytes.subarray(sourceOffset, sourceOffset + room));
    this.#late.push({ position, bytes });
    return room;
  }

  /**
   * True if the segments can be accessed. After a change of the memory table, or after
   * {@linkcode unmap}, they are sought anew.
   */
  #current(): boolean {
    return this.#generation === this.#memory.generation || this.#relocate();
  }

  #relocate(): boolean {
    const memory = this.#memory;
    this.unmap();
    for (let segment = 0; segment < this.#count; segment++) {
      const address = this.#addresses[segment];
      const length = this.#lengths[segment];
      let chunk = memory.find(address);
      if (chunk < 0) chunk = this.findMapped(address, length, segment >= this.#readable);
      if (chunk < 0 || address + length > memory.ends[chunk]) return false;
      this.#chunks[segment] = chunk;
      this.#offsets[segment] = address - memory.starts[chunk];
    }
    this.#generation = memory.generation;
    return true;
  }

  #gather(position: number, size: number): number {
    let value = 0;
    if (!this.#current()) return 0;
    for (let index = 0; index < size; index++) {
      let at = position + index;
      for (let segment = 0; segment < this.#readable; segment++) {
        const length = this.#lengths[segment];
        if (at < length) {
          const byte = this.#memory.views[this.#chunks[segment]]
            .getUint8(this.#offsets[segment] + at);
          value += byte * 2 ** (8 * index);
          break;
        }
        at -= length;
      }
    }
    return value;
  }

  #resize(size: number): void {
    const lengths = new Int32Array(size);
    const chunks = new Int32Array(size);
    const offsets = new Int32Array(size);
    const addresses = new Float64Array(size);
    lengths.set(this.#lengths.subarray(0, size));
    chunks.set(this.#chunks.subarray(0, size));
    offsets.set(this.#offsets.subarray(0, size));
    addresses.set(this.#addresses.subarray(0, size));
    this.#lengths = lengths;
    this.#chunks = chunks;
    this.#offsets = offsets;
    this.#addresses = addresses;
  }
}
