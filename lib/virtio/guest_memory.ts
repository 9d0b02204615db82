/**
 * The guest's memory: regions that a front-end shares, found by guest or by front-end address.
 *
 * @module
 */

import { describe, regularFileSize, sealAgainstShrinking } from "../../ffi/fd.ts";
import { Mapping, PAGE_SIZE } from "../../ffi/memory.ts";

/**
 * How much of a region one buffer covers. Element indices of typed arrays stay small integers, and
 * V8 does not take well to buffers of more than 32 GiB. A region of more than this is several
 * chunks, and a guest buffer that crosses from one to the next is treated like one that crosses
 * from region to region.
 */
const CHUNK_SIZE = 2 ** 30;

/** The most regions at a time: what `GET_MAX_MEM_SLOTS` announces and QEMU can use. */
export const MAX_REGIONS = 509;

/** A region as the front-end describes it; addresses and sizes in bytes. */
export interface RegionDescription {
  /** Where the guest sees it (guest physical address). */
  readonly guestAddress: number;
  readonly size: number;
  /** Where the front-end has mapped it; ring addresses are given in this space. */
  readonly userAddress: number;
  /** Where it begins in the file that came along. */
  readonly fileOffset: number;
}

/** A memory table that is refused; the message says which region and why. */
export class RegionError extends Error {
  override readonly name = "RegionError";
}

interface Region extends RegionDescription {
  readonly mapping: Mapping;
}

/** Part of the front-end's memory as a buffer, to be handed back with `release`. */
export interface UserBuffer {
  readonly buffer: ArrayBuffer;
  release(): void;
}

const hex = (value: number) => "0x" + value.toString(16);
const show = (region: RegionDescription) =>
  `region ${hex(region.guestAddress)}+${hex(region.size)}`;

/** True if the half-open ranges share an address. */
function overlap(a: number, aSize: number, b: number, bSize: number): boolean {
  return a < b + bSize && b < a + aSize;
}

/**
 * The memory table. Chunk `i` covers the guest addresses from `starts[i]` to before `ends[i]` and
 * is accessed through `bytes[i]` and `views[i]`; chunks are sorted by address.
 */
export class GuestMemory {
  starts: Float64Array = new Float64Array(0);
  ends: Float64Array = new Float64Array(0);
  bytes: Uint8Array[] = [];
  views: DataView[] = [];
  /** Changes whenever chunk numbers and offsets found earlier may no longer hold. */
  generation = 0;

  #regions: Region[] = [];
  #last = 0;

  /** The number of regions. */
  get regionCount(): number {
    return this.#regions.length;
  }

  /** The sum of the regions' sizes in bytes. */
  get size(): number {
    return this.#regions.reduce((sum, region) => sum + region.size, 0);
  }

  /**
   * Replaces the whole table. On failure the old one stays.
   *
   * @param fds one per region; they stay the caller's
   * @throws {RegionError} if a region is refused
   * @throws {SystemError} if a file cannot be mapped
   */
  setTable(descriptions: readonly RegionDescription[], fds: readonly number[]): void {
    if (descriptions.length > MAX_REGIONS) {
      throw new RegionError(`${descriptions.length} regions are more than ${MAX_REGIONS}`);
    }
    const regions: Region[] = [];
    try {
      descriptions.forEach((description, index) => {
        regions.push(this.#map(description, fds[index], regions));
      });
    } catch (error) {
      for (const region of regions) region.mapping.close();
      throw error;
    }
    const old = this.#regions;
    this.#replace(regions);
    for (const region of old) region.mapping.close();
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
    this.#replace([...this.#regions, this.#map(description, fd, this.#regions)]);
  }

  /**
   * Removes the region of this guest address, front-end address and size.
   *
   * @throws {RegionError} if there is none
   */
  removeRegion(description: RegionDescription): void {
    const region = this.#regions.find((region) =>
      region.guestAddress === description.guestAddress &&
      region.userAddress === description.userAddress && region.size === description.size
    );
    if (region === undefined) throw new RegionError(`${show(description)} is not in the table`);
    this.#replace(this.#regions.filter((other) => other !== region));
    region.mapping.close();
  }

  /** Unmaps everything. */
  clear(): void {
    this.setTable([], []);
  }

  /** The chunk that holds `address`, or -1. */
  find(address: number): number {
    const starts = this.starts;
    let low = this.#last;
    if (low < starts.length && address >= starts[low] && address < this.ends[low]) return low;
    low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (address >= this.ends[middle]) low = middle + 1;
      else high = middle;
    }
    if (low === starts.length || !(address >= starts[low])) return -1;
    this.#last = low;
    return low;
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

  #map(
    description: RegionDescription,
    fd: number | undefined,
    others: readonly Region[],
  ): Region {
    const { guestAddress, size, userAddress, fileOffset } = description;
    const refuse = (why: string) => new RegionError(`${show(description)} ${why}`);
    for (const value of [guestAddress + size, userAddress + size, fileOffset + size]) {
      if (!Number.isSafeInteger(value)) throw refuse("ends beyond the largest address, 2^53");
    }
    if (size === 0) throw refuse("is empty");
    if (guestAddress % PAGE_SIZE || userAddress % PAGE_SIZE || fileOffset % PAGE_SIZE) {
      throw refuse(`is not aligned to ${PAGE_SIZE} bytes`);
    }
    for (const other of others) {
      if (overlap(guestAddress, size, other.guestAddress, other.size)) {
        throw refuse(`overlaps ${show(other)} in guest addresses`);
      }
      if (overlap(userAddress, size, other.userAddress, other.size)) {
        throw refuse(`overlaps ${show(other)} in front-end addresses`);
      }
    }
    if (fd === undefined || fd < 0) throw refuse("comes without a file descriptor");
    sealAgainstShrinking(fd);
    const fileSize = regularFileSize(fd);
    if (fileSize === undefined && !describe(fd).startsWith("/dev/")) {
      throw refuse("comes with a descriptor that is no memory");
    }
    if (fileSize !== undefined && fileSize < fileOffset + size) {
      throw refuse(`needs a file of ${hex(fileOffset + size)} bytes, it has ${hex(fileSize)}`);
    }
    return { ...description, mapping: new Mapping(fd, fileOffset, size) };
  }

  #replace(regions: Region[]): void {
    for (const { mapping } of this.#regions) {
      for (const view of this.views) mapping.release(view.buffer as ArrayBuffer);
    }
    regions.sort((a, b) => a.guestAddress - b.guestAddress);
    const starts: number[] = [];
    const ends: number[] = [];
    this.bytes = [];
    this.views = [];
    for (const { guestAddress, size, mapping } of regions) {
      for (let offset = 0; offset < size; offset += CHUNK_SIZE) {
        const length = Math.min(CHUNK_SIZE, size - offset);
        const buffer = mapping.buffer(offset, length);
        starts.push(guestAddress + offset);
        ends.push(guestAddress + offset + length);
        this.bytes.push(new Uint8Array(buffer));
        this.views.push(new DataView(buffer));
      }
    }
    this.starts = Float64Array.from(starts);
    this.ends = Float64Array.from(ends);
    this.#regions = regions;
    this.#last = 0;
    this.generation++;
  }
}
