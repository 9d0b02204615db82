/**
 * Part of a guest's memory that is mapped only for a while.
 *
 * @module
 */

import type { MappedMemory } from "../../ffi/memory.ts";
import type { MemoryRegion } from "./memory_region.ts";

/** Pages of one region. Nobody but the one who has opened it knows of its chunk. */
export class Window {
  readonly region: MemoryRegion;
  readonly mapping: MappedMemory;
  readonly pages: number;
  /** False if a write would be a fault. */
  readonly writable: boolean;
  /** Under which number the memory table has it; -1 if it is no chunk. */
  chunk = -1;

  constructor(region: MemoryRegion, mapping: MappedMemory, pages: number, writable: boolean) {
    this.region = region;
    this.mapping = mapping;
    this.pages = pages;
    this.writable = writable;
  }
}
