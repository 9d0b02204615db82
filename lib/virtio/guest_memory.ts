/**
 * The guest's memory: regions that a front-end shares, found by guest or by front-end address.
 *
 * @module
 */

import { ADDRESS_SPACE } from "../../ffi/memory.ts";
import {
  checkRegion,
  checkRegionFile,
  CHUNK_SIZE,
  MemoryRegion,
  type RegionDescription,
  RegionError,
  showRegion,
} from "./memory_region.ts";

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
  /** Told where memory could not be unmapped. It is tried again with the next change. */
  readonly onStuck?: (error: Error) => void;
}

const size = (bytes: number) => {
  const gibibytes = bytes / 2 ** 30;
  return gibibytes >= 1 ? `${Math.ceil(gibibytes)} GiB` : `${bytes} bytes`;
};

/**
 * The memory table. It is accessed chunk by chunk: chunk `i` covers the guest addresses from
 * `starts[i]` to before `ends[i]` through `bytes[i]` and `views[i]`. Chunks are there once
 * {@linkcode find} has come across them, for V8 collects garbage with each large buffer that is
 * made, and most of a guest's memory never holds a request. A region that stays in the table keeps
 * its chunks.
 */
export class GuestMemory {
  starts: Float64Array = new Float64Array(8).fill(NaN);
  ends: Float64Array = new Float64Array(8).fill(NaN);
  readonly bytes: Uint8Array[] = [];
  readonly views: DataView[] = [];
  /** Changes whenever chunk numbers and offsets found earlier may no longer hold. */
  generation = 0;

  readonly #limit: number;
  readonly #onStuck: ((error: Error) => void) | undefined;
  /** Sorted by guest address. */
  #regions: MemoryRegion[] = [];
  #regionEnds = new Float64Array(0);
  /** Numbers of chunks that are no more. */
  readonly #unused: number[] = [];
  /** Regions of earlier tables that could not be unmapped. */
  #stuck: MemoryRegion[] = [];
  /** How many large chunks may be opened until {@linkcode replenish} is called. */
  #openings = FIRST_CHUNKS;
  /** The chunk that was found last, and the one before it. */
  #last = 0;
  #other = 0;

  constructor(options: GuestMemoryOptions = {}) {
    this.#limit = options.limit ?? MAX_MEMORY;
    this.#onStuck = options.onStuck;
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
    const old = new Set(this.#regions);
    const regions: MemoryRegion[] = [];
    try {
      descriptions.forEach((description, index) => {
        regions.push(this.#region(description, fds[index], regions));
      });
    } catch (error) {
      this.#unmap(regions.filter((region) => !old.has(region)));
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

  /** Unmaps everything. */
  clear(): void {
    this.setTable([], []);
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
    for (const { userAddress, size, mapping } of this.#regions) {
      if (!(address >= userAddress && address + length <= userAddress + size)) continue;
      const buffer = mapping.buffer(address - userAddress, length);
      return { buffer, release: () => mapping.release(buffer) };
    }
    return undefined;
  }

  #seek(address: number): number {
    const other = this.#other;
    this.#other = this.#last;
    if (address >= this.starts[other] && address < this.ends[other]) return this.#last = other;
    const ends = this.#regionEnds;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (address >= ends[middle]) low = middle + 1;
      else high = middle;
    }
    if (low === ends.length) return -1;
    const region = this.#regions[low];
    if (!(address >= region.guestAddress)) return -1;
    const index = Math.floor((address - region.guestAddress) / CHUNK_SIZE);
    let chunk = region.chunks[index];
    if (chunk < 0) {
      if (region.size >= LARGE_CHUNK) {
        if (this.#openings === 0) return -1;
        this.#openings--;
      }
      chunk = this.#open(region, index);
    }
    return this.#last = chunk;
  }

  #open(region: MemoryRegion, index: number): number {
    const offset = index * CHUNK_SIZE;
    const length = Math.min(CHUNK_SIZE, region.size - offset);
    const buffer = region.mapping.buffer(offset, length);
    const chunk = this.#unused.pop() ?? this.views.length;
    if (chunk === this.starts.length) this.#grow();
    this.starts[chunk] = region.guestAddress + offset;
    this.ends[chunk] = region.guestAddress + offset + length;
    this.bytes[chunk] = new Uint8Array(buffer);
    this.views[chunk] = new DataView(buffer);
    region.chunks[index] = chunk;
    return chunk;
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
    const sum = others.reduce((sum, other) => sum + other.size, description.size);
    if (sum > this.#limit) {
      throw new RegionError(
        `${showRegion(description)} makes the guest's memory ${size(sum)}; ` +
          `the daemon can map ${size(this.#limit)} for each of its guests`,
      );
    }
    const file = checkRegionFile(description, fd);
    return this.#regions.find((region) => region.is(description, file)) ??
      new MemoryRegion(description, fd!, file);
  }

  #replace(regions: MemoryRegion[], gone: readonly MemoryRegion[]): void {
    for (const { chunks } of gone) {
      for (const chunk of chunks) if (chunk >= 0) this.#forget(chunk);
    }
    regions.sort((a, b) => a.guestAddress - b.guestAddress);
    this.#regions = regions;
    this.#regionEnds = Float64Array.from(regions, (region) => region.guestAddress + region.size);
    this.generation++;
    this.#openings = FIRST_CHUNKS;
    this.#unmap([...this.#stuck.splice(0), ...gone]);
  }

  #forget(chunk: number): void {
    this.starts[chunk] = this.ends[chunk] = NaN;
    this.#unused.push(chunk);
  }

  #unmap(regions: readonly MemoryRegion[]): void {
    for (const region of regions) {
      try {
        region.mapping.close();
      } catch (error) {
        this.#stuck.push(region);
        this.#onStuck?.(error as Error);
      }
    }
  }
}
