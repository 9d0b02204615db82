/**
 * One region of a guest's memory: what a front-end says of it, whether that can be, its mapping.
 *
 * @module
 */

import {
  describe,
  type FileStatus,
  fileStatus,
  S_IFREG,
  sealAgainstShrinking,
} from "../../ffi/fd.ts";
import { hugePageSize, type MappedMemory, Mapping } from "../../ffi/memory.ts";
import { encodeXenAddress } from "./xen_address.ts";
import { NOT_IN_ADVANCE, type XenArea } from "./xen_area.ts";
import type { XenSource } from "./xen_region.ts";

/**
 * How much of a region one buffer covers. Element indices of typed arrays stay small integers, and
 * V8 does not take well to buffers of more than 32 GiB. A region of more than this is several
 * chunks, and a guest buffer that crosses from one to the next is treated like one that crosses
 * from region to region.
 */
export const CHUNK_SIZE = 2 ** 30;

/**
 * What addresses and file offsets of regions are multiples of, in bytes: the smallest pages that a
 * guest has. Those of this machine may be larger.
 */
const ALIGNMENT = 4096;

/** A region as the front-end describes it; addresses and sizes in bytes. */
export interface RegionDescription {
  /** Where the guest sees it (guest physical address). */
  readonly guestAddress: number;
  readonly size: number;
  /** Where the front-end has mapped it; ring addresses are given in this space. */
  readonly userAddress: number;
  /** Where it begins in the file that came along. */
  readonly fileOffset: number;
  /** Says that it is memory of another domain of a Xen host; `undefined` for part of a file. */
  readonly xen?: XenArea | undefined;
}

/** A memory table that is refused; the message says which region and why. */
export class RegionError extends Error {
  override readonly name = "RegionError";
}

const hex = (value: number | bigint) => "0x" + value.toString(16);

/** A region for people. */
export const showRegion = ({ guestAddress, size }: RegionDescription) =>
  `region ${hex(encodeXenAddress(guestAddress))}+${hex(size)}`;

/**
 * False for memory that the front-end has not mapped either: of what cannot be mapped in advance, its
 * address may be 0.
 */
export const hasUserAddress = ({ userAddress, xen }: RegionDescription): boolean =>
  userAddress !== 0 || xen === undefined || (xen.flags & NOT_IN_ADVANCE) === 0;

/** True if the half-open ranges share an address. */
function overlap(a: number, aSize: number, b: number, bSize: number): boolean {
  return a < b + bSize && b < a + aSize;
}

/**
 * Looks at what a front-end says of a region.
 *
 * @param others of the same table
 * @throws {RegionError} if there can be no such region beside the others
 */
export function checkRegion(
  description: RegionDescription,
  others: readonly RegionDescription[],
): void {
  const { guestAddress, size, userAddress, fileOffset } = description;
  const refuse = (why: string) => new RegionError(`${showRegion(description)} ${why}`);
  for (const value of [guestAddress + size, userAddress + size, fileOffset + size]) {
    if (!Number.isSafeInteger(value)) throw refuse("ends beyond the largest address, 2^53");
  }
  if (size === 0) throw refuse("is empty");
  if (guestAddress % ALIGNMENT || userAddress % ALIGNMENT || fileOffset % ALIGNMENT) {
    throw refuse(`is not aligned to ${ALIGNMENT} bytes`);
  }
  for (const other of others) {
    if (overlap(guestAddress, size, other.guestAddress, other.size)) {
      throw refuse(`overlaps ${showRegion(other)} in guest addresses`);
    }
    if (
      hasUserAddress(description) && hasUserAddress(other) &&
      overlap(userAddress, size, other.userAddress, other.size)
    ) {
      throw refuse(`overlaps ${showRegion(other)} in front-end addresses`);
    }
  }
}

/**
 * Looks at the file that a region is said to be part of, and keeps it from getting shorter where
 * that can be done.
 *
 * @throws {RegionError} if it is none, or too short
 */
export function checkRegionFile(
  description: RegionDescription,
  fd: number | undefined,
): FileStatus {
  const { size, fileOffset } = description;
  const refuse = (why: string) => new RegionError(`${showRegion(description)} ${why}`);
  if (fd === undefined || fd < 0) throw refuse("comes without a file descriptor");
  sealAgainstShrinking(fd);
  const file = fileStatus(fd);
  if (file.type !== S_IFREG) {
    if (describe(fd).startsWith("/dev/")) return file;
    throw refuse("comes with a descriptor that is no memory");
  }
  const end = fileOffset + size;
  if (file.size < end) {
    throw refuse(`needs a file of ${hex(end)} bytes, it has ${hex(file.size)}`);
  }
  // Of a huge page that is not whole, mmap(2) would make a whole one, and munmap(2) refuse it.
  const hugePage = hugePageSize(fd);
  if (hugePage !== undefined && (size % hugePage || fileOffset % hugePage)) {
    throw refuse(`is not whole pages of its file, which are ${hex(hugePage)} bytes`);
  }
  return file;
}

/** Where the bytes of a region are. */
export interface RegionContent {
  /** All of it, where it is mapped in advance. */
  readonly mapping?: MappedMemory;
  /** What maps parts of it, where it is not. */
  readonly source?: XenSource;
  /** The file that it is part of. */
  readonly file?: FileStatus;
}

/** Maps the region that is described, part of the file that came along. */
export function mapFile(
  description: RegionDescription,
  fd: number,
  file: FileStatus,
): RegionContent {
  return { mapping: new Mapping(fd, description.fileOffset, description.size), file };
}

/** A region of the table. */
export class MemoryRegion implements RegionDescription {
  readonly guestAddress: number;
  readonly size: number;
  readonly userAddress: number;
  readonly fileOffset: number;
  readonly xen: XenArea | undefined;
  /** `undefined` where only what requests need is mapped, for as long as they do. */
  readonly mapping: MappedMemory | undefined;
  /** What maps that. */
  readonly source: XenSource | undefined;
  /** Under which number the memory table has each chunk; -1 for one that was not needed yet. */
  readonly chunks: Int32Array;
  /** True once something may have been looked at there. */
  used = false;
  readonly #file: FileStatus | undefined;

  constructor(description: RegionDescription, content: RegionContent) {
    this.guestAddress = description.guestAddress;
    this.size = description.size;
    this.userAddress = description.userAddress;
    this.fileOffset = description.fileOffset;
    this.xen = description.xen;
    this.mapping = content.mapping;
    this.source = content.source;
    const chunks = content.mapping === undefined ? 0 : Math.ceil(this.size / CHUNK_SIZE);
    this.chunks = new Int32Array(chunks).fill(-1);
    this.#file = content.file;
  }

  /** True if this is the region that is described, part of the same file. */
  is(description: RegionDescription, file: FileStatus): boolean {
    return this.matches(description) && this.fileOffset === description.fileOffset &&
      // What a device gives to look at may depend on who has opened it.
      file.type === S_IFREG && this.#file?.type === S_IFREG &&
      this.#file.device === file.device && this.#file.inode === file.inode;
  }

  /** True if it has these addresses and this size. */
  matches(description: RegionDescription): boolean {
    return this.guestAddress === description.guestAddress &&
      this.userAddress === description.userAddress && this.size === description.size;
  }

  /**
   * Unmaps it.
   *
   * @throws {SystemError} as munmap(2); it is then still mapped, and can be closed again
   */
  close(): void {
    this.mapping?.close();
    this.source?.close();
  }
}
