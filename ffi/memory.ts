/**
 * Shared memory mappings and the buffers that look into them.
 *
 * @module
 */

import { errno, SystemError } from "./errno.ts";
import { libc } from "./libc.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 0x01;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = 2n ** 64n - 1n;

/** The granularity of file offsets in mmap(2) that this code insists on, in bytes. */
export const PAGE_SIZE = 4096;

/**
 * A shared, writable mapping of part of a file.
 *
 * Buffers made by {@linkcode Mapping.buffer} are detached before the memory is unmapped: a stale
 * view then throws where it would otherwise touch memory that is gone.
 */
export class Mapping {
  /** The length in bytes. */
  readonly length: number;
  #pointer: Deno.PointerObject | null;
  #buffers: ArrayBuffer[] = [];

  /**
   * @param offset where in the file the mapping begins, a multiple of {@linkcode PAGE_SIZE}
   * @throws {SystemError} as mmap(2)
   */
  constructor(fd: number, offset: number, length: number) {
    const pointer = libc.mmap(
      null,
      BigInt(length),
      PROT_READ | PROT_WRITE,
      MAP_SHARED | MAP_NORESERVE,
      fd,
      BigInt(offset),
    );
    if (pointer === null || Deno.UnsafePointer.value(pointer) === MAP_FAILED) {
      throw new SystemError("mmap", errno());
    }
    this.#pointer = pointer;
    this.length = length;
  }

  /** A buffer over `length` bytes from `offset`; valid until {@linkcode close}. */
  buffer(offset: number, length: number): ArrayBuffer {
    if (this.#pointer === null) throw new TypeError("the mapping is closed");
    if (offset < 0 || offset + length > this.length) {
      throw new RangeError("outside of the mapping");
    }
    const buffer = Deno.UnsafePointerView.getArrayBuffer(this.#pointer, length, offset);
    this.#buffers.push(buffer as ArrayBuffer);
    return buffer as ArrayBuffer;
  }

  /** Lets go of a buffer early: it is detached and no longer kept account of. */
  release(buffer: ArrayBuffer): void {
    const index = this.#buffers.indexOf(buffer);
    if (index < 0) return;
    this.#buffers.splice(index, 1);
    buffer.transfer(0);
  }

  /** Detaches every buffer and unmaps the memory. */
  close(): void {
    if (this.#pointer === null) return;
    for (const buffer of this.#buffers) buffer.transfer(0);
    this.#buffers = [];
    libc.munmap(this.#pointer, BigInt(this.length));
    this.#pointer = null;
  }
}
