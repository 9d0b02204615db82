/**
 * Open spidev nodes that the threads of several guests share: opened by the first of them, put back
 * to how they were found and closed by the last.
 *
 * @module
 */

import { close } from "../../../ffi/fd.ts";
import { Lock } from "../../threads/lock.ts";
import { openNode } from "./find_nodes.ts";
import { readSettings, restoreSettings } from "./probe.ts";

// Words of the shared memory: a lock, the number of users, then for each node
const USERS = 1;
const HEADER = 2;
const FD = 0;
/** As it is, and as it was found. */
const MODE = 1;
const FOUND_MODE = 2;
const FOUND_BITS = 3;
const FOUND_SPEED = 4;
const WORDS = 5;

/** The nodes of a controller. */
export class SharedNodes {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #lock: Lock;
  readonly #count: number;

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
    this.#count = paths.length;
    this.#lock.acquire();
    try {
      if (this.#words[USERS] === 0) this.#open(paths);
      this.#words[USERS]++;
    } finally {
      this.#lock.release();
    }
  }

  /** The descriptor of a node. */
  fd(node: number): number {
    return this.#words[HEADER + node * WORDS + FD];
  }

  /** A node's mode bits; only who has the bus may ask and set them. */
  mode(node: number): number {
    return this.#words[HEADER + node * WORDS + MODE];
  }

  /** Notes what a node's mode was set to. */
  setMode(node: number, mode: number): void {
    this.#words[HEADER + node * WORDS + MODE] = mode;
  }

  /** A node's mode bits as they were found. */
  originalMode(node: number): number {
    return this.#words[HEADER + node * WORDS + FOUND_MODE];
  }

  /** This guest no longer needs the nodes. */
  close(): void {
    this.#lock.acquire();
    try {
      if (--this.#words[USERS] === 0) this.#restore(this.#count);
    } finally {
      this.#lock.release();
    }
  }

  #open(paths: readonly string[]): void {
    let opened = 0;
    try {
      for (; opened < paths.length; opened++) {
        const at = HEADER + opened * WORDS;
        const fd = openNode(paths[opened]);
        const { mode, bitsPerWord, speed } = readSettings(fd);
        this.#words[at + FD] = fd;
        this.#words[at + MODE] = this.#words[at + FOUND_MODE] = mode;
        this.#words[at + FOUND_BITS] = bitsPerWord;
        this.#words[at + FOUND_SPEED] = speed;
      }
    } catch (error) {
      this.#restore(opened);
      throw error;
    }
  }

  #restore(count: number): void {
    for (let node = 0; node < count; node++) {
      const at = HEADER + node * WORDS;
      const fd = this.#words[at + FD];
      restoreSettings(fd, {
        mode: this.#words[at + FOUND_MODE],
        bitsPerWord: this.#words[at + FOUND_BITS],
        speed: this.#words[at + FOUND_SPEED] >>> 0,
      });
      close(fd);
    }
  }
}
