/**
 * Shared memory mappings and the buffers that look into them.
 *
 * @module
 */

import { check, errno, SystemError } from "./errno.ts";
import { libc } from "./libc.ts";
import { cover, uncover } from "./memory_fault.ts";

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 0x01;
const MAP_FAILED = 2n ** 64n - 1n;
/** `f_type` of statfs(2) for files in huge pages: linux/magic.h */
const HUGETLBFS_MAGIC = 0x958458f6;

/** The size of this machine's pages in bytes: 4096, or on arm64 up to 65536. */
export const PAGE_SIZE: number = libc.getpagesize();

/**
 * How many bytes a process has addresses for: 2^47 on x86_64, 2^39 to 2^48 on arm64, as its kernel
 * was made. Told from where the kernel has put the C library's data, which is in the upper half.
 */
export const ADDRESS_SPACE = 2 **
  Math.ceil(Math.log2(Number(Deno.UnsafePointer.value(libc.__errno_location()))));

/**
 * Memory that is mapped, however that was done.
 *
 * Buffers made by {@linkcode MappedMemory.buffer} are detached before the memory is unmapped: a
 * stale view then throws where it would otherwise touch memory that is gone. What becomes of a
 * touch of memory that whoever shares it has taken away is said in `memory_fault.ts`.
 */
export class MappedMemory {
  /** The length in bytes. */
  readonly length: number;
  /** Where the page begins that the first byte is in, and how far into it that is. */
  #pointer: Deno.PointerObject | null;
  readonly #start: number;
  readonly #cover: number;
  readonly #buffers = new Set<ArrayBuffer>();

  /**
   * @param pointer where its first page is; it is unmapped by {@linkcode close}, or if this fails
   * @param start how far into that page it begins; no buffer shows what is before
   * @throws {SystemError} if this thread has too much mapped memory
   */
  constructor(pointer: Deno.PointerObject, length: number, start = 0) {
    this.#pointer = pointer;
    this.#start = start;
    this.length = length;
    try {
      this.#cover = cover(BigInt(Deno.UnsafePointer.value(pointer)), start + length);
    } catch (error) {
      libc.munmap(pointer, BigInt(start + length));
      throw error;
    }
  }

  /** A buffer over `length` bytes from `offset`; valid until {@linkcode close}. */
  buffer(offset: number, length: number): ArrayBuffer {
    if (this.#pointer === null) throw new TypeError("the mapping is closed");
    if (offset < 0 || offset + length > this.length) {
      throw new RangeError("outside of the mapping");
    }
    const buffer = Deno.UnsafePointerView.getArrayBuffer(
      this.#pointer,
      length,
      this.#start + offset,
    );
    this.#buffers.add(buffer as ArrayBuffer);
    return buffer as ArrayBuffer;
  }

  /** Lets go of a buffer early: it is detached and no longer kept account of. */
  release(buffer: ArrayBuffer): void {
    if (this.#buffers.delete(buffer)) buffer.transfer(0);
  }

  /**
   * Detaches every buffer and unmaps the memory.
   *
   * @throws {SystemError} as munmap(2); the memory is then still mapped, and can be closed again
   */
  close(): void {
    if (this.#pointer === null) return;
    for (const buffer of this.#buffers) buffer.transfer(0);
    this.#buffers.clear();
    check("munmap", libc.munmap(this.#pointer, BigInt(this.#start + this.length)));
    this.#pointer = null;
    uncover(this.#cover);
  }
}

/**
 * A shared, writable mapping of part of a file.
 *
 * Huge pages are set aside for it, or else it cannot be made: a touch of a page that is not to be
 * had would be a fault.
 */
export class Mapping extends MappedMemory {
  /**
   * @param offset where in the file the mapping begins; mmap(2) itself knows only whole pages
   * @throws {SystemError} as mmap(2), or if this thread has too much mapped memory
   */
  constructor(fd: number, offset: number, length: number) {
    const start = offset % PAGE_SIZE;
    const [size, at] = [BigInt(start + length), BigInt(offset - start)];
    super(
      mapped(libc.mmap(null, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at)),
      length,
      start,
    );
  }
}

/**
 * What mmap(2) has returned.
 *
 * @throws {SystemError} if that is a failure
 */
export function mapped(pointer: Deno.PointerValue): Deno.PointerObject {
  if (pointer === null || Deno.UnsafePointer.value(pointer) === MAP_FAILED) {
    throw new SystemError("mmap", errno());
  }
  return pointer;
}

/**
 * The size in bytes of the pages of a file in huge pages, or `undefined` for any other file. Such a
 * file is mapped and unmapped in whole pages.
 *
 * @throws {SystemError} as statfs(2)
 */
export function hugePageSize(fd: number): number | undefined {
  // struct statfs: long f_type, f_bsize, ...
  const status = new DataView(new ArrayBuffer(256));
  check("fstatfs", libc.fstatfs(fd, status.buffer));
  return status.getUint32(0, true) === HUGETLBFS_MAGIC ? status.getUint32(8, true) : undefined;
}
