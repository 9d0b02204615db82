/**
 * Parts of a guest's memory that are mapped only for a while.
 *
 * @module
 */

import type { MappedMemory } from "../../ffi/memory.ts";
import { type MemoryRegion, showRegion } from "./memory_region.ts";
import { isUnmappable, pagesOf } from "./xen_region.ts";

/** How many windows there may be at a time, and pages in all of them: 32 MiB. */
export const MAX_WINDOWS = 64;
export const MAX_WINDOW_PAGES = 8192;

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

/** All windows of a guest's memory. */
export class Windows {
  readonly #open = new Set<Window>();
  readonly #onRemark: (text: string) => void;
  #pages = 0;
  #hasRemarked = false;

  /** @param onRemark is told why a window is not opened, once until {@linkcode remarkAgain} */
  constructor(onRemark: (text: string) => void) {
    this.#onRemark = onRemark;
  }

  /**
   * Maps part of a region that is not mapped in advance.
   *
   * @returns `undefined` if the guest does not have the pages, or there are too many windows
   */
  open(
    region: MemoryRegion,
    offset: number,
    length: number,
    writable: boolean,
  ): Window | undefined {
    const pages = pagesOf(offset, length);
    if (this.#open.size >= MAX_WINDOWS || this.#pages + pages.count > MAX_WINDOW_PAGES) {
      this.#remark(
        `of ${
          showRegion(region)
        }, which is not mapped in advance, a request needs more at a time ` +
          `than ${MAX_WINDOWS} parts or ${MAX_WINDOW_PAGES} pages`,
      );
      return undefined;
    }
    try {
      const mapping = region.source!.map(pages, writable);
      const window = new Window(region, mapping, pages.count, writable);
      this.#open.add(window);
      this.#pages += pages.count;
      return window;
    } catch (error) {
      if (!isUnmappable(error)) throw error;
      this.#remark(`memory that a request needs is not there: ${error.message}`);
      return undefined;
    }
  }

  /** Forgets a window, whose memory is to be unmapped now. @returns false if there is none such */
  forget(window: Window): boolean {
    if (!this.#open.delete(window)) return false;
    this.#pages -= window.pages;
    return true;
  }

  /** The windows of a region. */
  of(region: MemoryRegion): Window[] {
    return [...this.#open].filter((window) => window.region === region);
  }

  /** Has the next window that is not opened remarked on. */
  remarkAgain(): void {
    this.#hasRemarked = false;
  }

  #remark(text: string): void {
    if (this.#hasRemarked) return;
    this.#hasRemarked = true;
    this.#onRemark(text);
  }
}
