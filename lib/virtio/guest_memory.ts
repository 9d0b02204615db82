/**
 * The guest's memory: regions that a front-end shares, found by guest or by front-end address.
 *
 * @module
 */

import { ADDRESS_SPACE, type MappedMemory, PAGE_SIZE } from "../../ffi/memory.ts";
import { forgetLostPages, lostPages } from "../../ffi/memory_fault.ts";
import type { XenNodes } from "../../ffi/xen.ts";
import {
  checkRegion,
  checkRegionFile,
  CHUNK_SIZE,
  hasUserAddress,
  mapFile,
  MemoryRegion,
  type RegionDescription,
  RegionError,
  showRegion,
} from "./memory_region.ts";
import { UnmappingPace } from "./unmapping_pace.ts";
import { type Window, Windows } from "./windows.ts";
import { XenRegions } from "./xen_region.ts";

/** The most regions at a time: what `GET_MAX_MEM_SLOTS` announces and QEMU can use. */
export const MAX_REGIONS = 509;

/**
 * The most memory in bytes that all guests of a process can have together, 32 TiB where addresses
 * have 47 bits: a quarter of the address space. While a table is replaced, the old and the new one
 * are both there, and where addresses run out, the whole process ends.
 */
export const MAX_MEMORY = ADDRESS_SPACE / 4;

/** Part of the front-end's memory as a buffer, to be handed back with `release`. */
export interface UserBuffer {
  readonly buffer: ArrayBuffer;
  release(): void;
}

/** From this size on, V8 collects garbage whenever a buffer is made. */
const LARGE_CHUNK = 2 ** 24;
/** How many of those chunks are opened at least after a change of the table, and for each turn. */
const FIRST_CHUNKS = 64;
const CHUNKS_PER_TURN = 4;

/** How a guest's memory is kept. */
export interface GuestMemoryOptions {
  /** The largest sum of the regions' sizes in bytes; {@linkcode MAX_MEMORY} for a single guest. */
  readonly limit?: number | undefined;
  /** How often a second memory that has been in use may be unmapped, in the long run. */
  readonly unmappings?: number | undefined;
  /** Told where memory could not be unmapped. It is tried again with the next change. */
  readonly onStuck?: (error: Error) => void;
  /** Told what is remarkable about memory of other domains, for people. */
  readonly onRemark?: (text: string) => void;
}

const size = (bytes: number) => {
  const gibibytes = bytes / 2 ** 30;
  return gibibytes >= 1 ? `${Math.ceil(gibibytes)} GiB` : `${bytes} bytes`;
};

/** Something that ends, or can be ended again where that fails. */
interface Closable {
  close(): void;
}

/**
 * The memory table. It is accessed chunk by chunk: chunk `i` covers the guest addresses from
 * `starts[i]` to before `ends[i]` through `bytes[i]` and `views[i]`. Chunks are there once
 * {@linkcode find} has come across them, for V8 collects garbage with each large buffer that is
 * made, and most of a guest's memory never holds a request. A region that stays in the table keeps
 * its chunks.
 *
 * Of a region that is not mapped in advance there are no chunks to be found, but {@linkcode Window
 * windows}, each for the one who has asked for it with {@linkcode openWindow}.
 */
export class GuestMemory {
  starts: Float64Array = new Float64Array(8).fill(NaN);
  ends: Float64Array = new Float64Array(8).fill(NaN);
  readonly bytes: Uint8Array[] = [];
  readonly views: DataView[] = [];
  /** Changes whenever chunk numbers and offsets found earlier may no longer hold. */
  generation = 0;
  /**
   * Through which nodes regions that are {@linkcode RegionDescription.xen another domain's} are
   * mapped; `undefined` while there are none of those.
   */
  xen: XenNodes | undefined;

  readonly #limit: number;
  readonly #onStuck: ((error: Error) => void) | undefined;
  /** Sorted by guest address. */
  #regions: MemoryRegion[] = [];
  #regionEnds = new Float64Array(0);
  #chunkCount = 0;
  /** Numbers of chunks that are no more. */
  readonly #unused: number[] = [];
  /** What could not be unmapped: regions of earlier tables, and windows. */
  #stuck: Closable[] = [];
  /** How many large chunks may be opened until {@linkcode replenish} is called. */
  #openings = FIRST_CHUNKS;
  /** The chunk that was found last, and the one before it. */
  #last = 0;
  #other = 0;

  readonly #windows: Windows;
  /** Chunk numbers of windows that are closed. No region gets them: {@linkcode find} finds none. */
  readonly #unusedWindows: number[] = [];
  readonly #xenRegions: XenRegions;
  readonly #pace: UnmappingPace;

  constructor(options: GuestMemoryOptions = {}) {
    this.#limit = options.limit ?? MAX_MEMORY;
    this.#onStuck = options.onStuck;
    const remark = options.onRemark ?? (() => {});
    this.#windows = new Windows(remark);
    this.#xenRegions = new XenRegions(remark);
    this.#pace = new UnmappingPace(options.unmappings ?? Infinity);
  }

  /** The number of regions. */
  get regionCount(): number {
    return this.#regions.length;
  }

  /** The sum of the regions' sizes in bytes. */
  get size(): number {
    return this.#regions.reduce((sum, region) => sum + region.size, 0);
  }

  /**
   * Replaces the whole table. Regions that were in the old one, with the same file behind them, are
   * not mapped again. On failure the old table stays.
   *
   * @param fds one per region; they stay the caller's
   * @throws {RegionError} if a region is refused
   * @throws {SystemError} if a file cannot be mapped
   */
  setTable(descriptions: readonly RegionDescription[], fds: readonly number[]): void {
    if (descriptions.length > MAX_REGIONS) {
      throw new RegionError(`${descriptions.length} regions are more than ${MAX_REGIONS}`);
    }
    if (descriptions.length > 0) this.#pace.pause();
    const old = new Set(this.#regions);
    const regions: MemoryRegion[] = [];
    try {
      descriptions.forEach((description, index) => {
        regions.push(this.#region(description, fds[index], regions));
      });
    } catch (error) {
      this.#close(regions.filter((region) => !old.has(region)));
      throw error;
    }
    for (const region of regions) old.delete(region);
    this.#replace(regions, [...old]);
  }

  /**
   * Adds one region.
   *
   * @throws {RegionError} if it is refused
   * @throws {SystemError} if the file cannot be mapped
   */
  addRegion(description: RegionDescription, fd: number | undefined): void {
    if (this.#regions.length >= MAX_REGIONS) {
      throw new RegionError(`all ${MAX_REGIONS} memory slots are taken`);
    }
    this.#pace.pause();
    this.#replace([...this.#regions, this.#region(description, fd, this.#regions)], []);
  }

  /**
   * Removes the region of this guest address, front-end address and size.
   *
   * @throws {RegionError} if there is none
   */
  removeRegion(description: RegionDescription): void {
    const region = this.#regions.find((region) => region.matches(description));
    if (region === undefined) {
      throw new RegionError(`${showRegion(description)} is not in the table`);
    }
    this.#replace(this.#regions.filter((other) => other !== region), [region]);
  }

  /**
   * True once the front-end has taken memory away that is in the table: what is read there since
   * then is nothing that the guest has written.
   */
  get isLost(): boolean {
    return lostPages() !== 0;
  }

  /** Unmaps everything. */
  clear(): void {
    this.setTable([], []);
    forgetLostPages();
  }

  /**
   * True if no other large chunk may be opened in this turn: each takes a millisecond or more, and
   * a guest can have thousands of them looked at with a single request.
   */
  get isExhausted(): boolean {
    return this.#openings === 0;
  }

  /** Begins a turn. */
  replenish(): void {
    if (this.#openings < CHUNKS_PER_TURN) this.#openings = CHUNKS_PER_TURN;
  }

  /** The chunk that holds `address`, or -1 if there is none or {@linkcode isExhausted} says so. */
  find(address: number): number {
    const last = this.#last;
    if (address >= this.starts[last] && address < this.ends[last]) return last;
    return this.#seek(address);
  }

  /**
   * A buffer over `length` bytes at a front-end address, or `undefined` where that is not within
   * one region.
   */
  userBuffer(address: number, length: number): UserBuffer | undefined {
    for (const region of this.#regions) {
      const { userAddress, size, mapping } = region;
      if (!(address >= userAddress && address + length <= userAddress + size)) continue;
      if (!hasUserAddress(region)) continue;
      if (mapping === undefined) return this.#userWindow(region, address - userAddress, length);
      const buffer = mapping.buffer(address - userAddress, length);
      region.used = true;
      return { buffer, release: () => mapping.release(buffer) };
    }
    return undefined;
  }

  #userWindow(region: MemoryRegion, offset: number, length: number): UserBuffer | undefined {
    const window = this.#windows.open(region, offset, length, true);
    if (window === undefined) return undefined;
    const buffer = window.mapping.buffer(offset % PAGE_SIZE, length);
    return { buffer, release: () => this.closeWindow(window) };
  }

  /**
   * Opens a window from `address` on, of `length` bytes or up to the region's end: a chunk that is
   * there until the window is closed, or its region is removed.
   *
   * @param writable false for what the guest may let nobody write
   * @returns `undefined` where `address` is not in a region of which parts are mapped, where the
   * guest does not have the pages, or there are too many windows
   */
  openWindow(address: number, length: number, writable: boolean): Window | undefined {
    const region = this.#regionAt(address);
    if (region?.source === undefined) return undefined;
    const offset = address - region.guestAddress;
    const rest = Math.min(length, region.size - offset);
    const window = this.#windows.open(region, offset, rest, writable);
    if (window === undefined) return undefined;
    const buffer = window.mapping.buffer(0, window.mapping.length);
    // Which chunk was found last is 0 before there was one.
    if (this.#chunkCount === 0) this.#unused.push(this.#newChunk());
    const chunk = this.#unusedWindows.pop() ?? this.#newChunk();
    const start = address - address % PAGE_SIZE;
    this.starts[chunk] = start;
    this.ends[chunk] = Math.min(start + window.mapping.length, region.guestAddress + region.size);
    this.bytes[chunk] = new Uint8Array(buffer);
    this.views[chunk] = new DataView(buffer);
    window.chunk = chunk;
    return window;
  }

  /** Closes a window; one that is closed already stays so. */
  closeWindow(window: Window): void {
    if (!this.#windows.forget(window)) return;
    if (window.chunk >= 0) {
      this.starts[window.chunk] = this.ends[window.chunk] = NaN;
      this.#unusedWindows.push(window.chunk);
    }
    this.#close([window.mapping]);
  }

  #seek(address: number): number {
    const other = this.#other;
    this.#other = this.#last;
    if (address >= this.starts[other] && address < this.ends[other]) return this.#last = other;
    const region = this.#regionAt(address);
    if (region === undefined) return -1;
    const index = Math.floor((address - region.guestAddress) / CHUNK_SIZE);
    let chunk = region.chunks[index];
    // Of a region that is not mapped in advance, there is no such chunk.
    if (!(chunk >= 0)) {
      if (region.mapping === undefined) return -1;
      if (region.size >= LARGE_CHUNK) {
        if (this.#openings === 0) return -1;
        this.#openings--;
      }
      chunk = this.#openChunk(region, region.mapping, index);
    }
    return this.#last = chunk;
  }

  #regionAt(address: number): MemoryRegion | undefined {
    const ends = this.#regionEnds;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (address >= ends[middle]) low = middle + 1;
      else high = middle;
    }
    if (low === ends.length) return undefined;
    const region = this.#regions[low];
    return address >= region.guestAddress ? region : undefined;
  }

  #openChunk(region: MemoryRegion, mapping: MappedMemory, index: number): number {
    const offset = index * CHUNK_SIZE;
    const length = Math.min(CHUNK_SIZE, region.size - offset);
    const buffer = mapping.buffer(offset, length);
    region.used = true;
    const chunk = this.#unused.pop() ?? this.#newChunk();
    this.starts[chunk] = region.guestAddress + offset;
    this.ends[chunk] = region.guestAddress + offset + length;
    this.bytes[chunk] = new Uint8Array(buffer);
    this.views[chunk] = new DataView(buffer);
    region.chunks[index] = chunk;
    return chunk;
  }

  #newChunk(): number {
    if (this.#chunkCount === this.starts.length) this.#grow();
    return this.#chunkCount++;
  }

  #grow(): void {
    const { starts, ends } = this;
    this.starts = new Float64Array(2 * starts.length).fill(NaN);
    this.starts.set(starts);
    this.ends = new Float64Array(2 * ends.length).fill(NaN);
    this.ends.set(ends);
  }

  /** The region that is described: of the table as it is, or mapped for it. */
  #region(
    description: RegionDescription,
    fd: number | undefined,
    others: readonly MemoryRegion[],
  ): MemoryRegion {
    checkRegion(description, others);
    const { xen } = description;
    if (xen !== undefined && xen.flags !== 0 && this.xen !== undefined) {
      const reserve = () => this.#checkLimit(description, others);
      const content = this.#xenRegions.map(description, xen, this.xen, fd, reserve);
      return new MemoryRegion(description, content);
    }
    this.#checkLimit(description, others);
    const file = checkRegionFile(description, fd);
    return this.#regions.find((region) => region.is(description, file)) ??
      new MemoryRegion(description, mapFile(description, fd!, file));
  }

  #checkLimit(description: RegionDescription, others: readonly MemoryRegion[]): void {
    const mapped = others.filter(({ mapping }) => mapping !== undefined);
    const sum = mapped.reduce((sum, other) => sum + other.size, description.size);
    if (sum > this.#limit) {
      throw new RegionError(
        `${showRegion(description)} makes the guest's memory ${size(sum)}; ` +
          `the daemon can map ${size(this.#limit)} for each of its guests`,
      );
    }
  }

  #replace(regions: MemoryRegion[], gone: readonly MemoryRegion[]): void {
    for (const region of gone) {
      for (const chunk of region.chunks) if (chunk >= 0) this.#forget(chunk);
      for (const window of this.#windows.of(region)) this.closeWindow(window);
    }
    regions.sort((a, b) => a.guestAddress - b.guestAddress);
    this.#regions = regions;
    this.#regionEnds = Float64Array.from(regions, (region) => region.guestAddress + region.size);
    this.generation++;
    this.#openings = FIRST_CHUNKS;
    this.#windows.remarkAgain();
    this.#close([...this.#stuck.splice(0), ...gone]);
    const used = gone.reduce((sum, region) => sum + Number(region.used), 0);
    if (used > 0) this.#pace.unmapped(used);
  }

  #forget(chunk: number): void {
    this.starts[chunk] = this.ends[chunk] = NaN;
    this.#unused.push(chunk);
  }

  #close(all: readonly Closable[]): void {
    for (const one of all) {
      try {
        one.close();
      } catch (error) {
        this.#stuck.push(one);
        this.#onStuck?.(error as Error);
      }
    }
  }
}
