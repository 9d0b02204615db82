/**
 * Open spidev nodes that the threads of several guests share: opened by the first of them, put back
 * to how they were found and closed by the last. One that goes away and comes back is opened anew.
 *
 * @module
 */

import { close, replace, unlock } from "../../../ffi/fd.ts";
import { readMode, writeMode } from "../../../ffi/spidev.ts";
import { Lock } from "../../threads/lock.ts";
import { openNode } from "./find_nodes.ts";

// Words of the shared memory: a lock, the number of users, then for each node
const USERS = 1;
const HEADER = 2;
const FD = 0;
/** As it is, and as it was found. */
const MODE = 1;
const FOUND_MODE = 2;
/** It has gone. */
const GONE = 3;
const WORDS = 4;

/** The nodes of a controller. Only the guest that has the bus asks for their modes and sets them. */
export class SharedNodes {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #lock: Lock;
  readonly #paths: readonly string[];

  /** The size of the shared memory in bytes. */
  static size(nodes: number): number {
    return 4 * (HEADER + nodes * WORDS);
  }

  /**
   * @param memory {@linkcode SharedNodes.size} zeroed bytes, the same for all guests
   * @throws {RuntimeError} if a node cannot be had
   */
  constructor(memory: SharedArrayBuffer, paths: readonly string[]) {
    this.#words = new Int32Array(memory);
    this.#lock = new Lock(memory);
    this.#paths = paths;
    this.#lock.acquire();
    try {
      if (this.#words[USERS] === 0) this.#open();
      this.#words[USERS]++;
    } finally {
      this.#lock.release();
    }
  }

  /** The descriptor of a node, which stays the same. */
  fd(node: number): number {
    return this.#words[this.#at(node) + FD];
  }

  /** A node's mode bits. */
  mode(node: number): number {
    return this.#words[this.#at(node) + MODE];
  }

  /** A node's mode bits as they were found. */
  originalMode(node: number): number {
    return this.#words[this.#at(node) + FOUND_MODE];
  }

  /**
   * Sets a node's mode, even to what it is: that makes the kernel release its chip select.
   *
   * @returns false with errno set if that fails
   */
  writeMode(node: number, mode: number): boolean {
    if (writeMode(this.fd(node), mode) < 0) return false;
    this.#words[this.#at(node) + MODE] = mode;
    return true;
  }

  /** True if a node has gone away. */
  isGone(node: number): boolean {
    return this.#words[this.#at(node) + GONE] !== 0;
  }

  /** Notes that a node has gone. What comes back may be at the same place of a `/dev` of files. */
  setGone(node: number): void {
    unlock(this.fd(node));
    this.#words[this.#at(node) + GONE] = 1;
  }

  /**
   * Opens a node again that has gone. It is as its driver has made it, at rest.
   *
   * @throws {RuntimeError} if it is not there, or cannot be had
   */
  reopen(node: number): void {
    const fd = openNode(this.#paths[node]);
    this.#note(node, readMode(fd));
    replace(this.fd(node), fd);
    this.#words[this.#at(node) + GONE] = 0;
  }

  /** This guest no longer needs the nodes. */
  close(): void {
    this.#lock.acquire();
    try {
      if (--this.#words[USERS] === 0) this.#restore(this.#paths.length);
    } finally {
      this.#lock.release();
    }
  }

  #at(node: number): number {
    return HEADER + node * WORDS;
  }

  #note(node: number, mode: number): void {
    const at = this.#at(node);
    this.#words[at + MODE] = this.#words[at + FOUND_MODE] = mode;
  }

  #open(): void {
    let opened = 0;
    try {
      for (; opened < this.#paths.length; opened++) {
        const fd = openNode(this.#paths[opened]);
        this.#words[this.#at(opened) + FD] = fd;
        this.#note(opened, readMode(fd));
      }
    } catch (error) {
      this.#restore(opened);
      throw error;
    }
  }

  #restore(count: number): void {
    for (let node = 0; node < count; node++) {
      const mode = this.originalMode(node);
      if (this.mode(node) !== mode) this.writeMode(node, mode);
      close(this.fd(node));
    }
  }
}
