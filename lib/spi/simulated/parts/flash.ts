/**
 * A simulated NOR flash of the 25 series: 256-byte pages, sectors of 4 KiB, blocks of 32 and 64 KiB.
 *
 * Programming clears bits, erasing sets them; both need write enable first, act when the chip
 * select is released, and are done at once. There is no table of parameters (SFDP).
 *
 * @module
 */

import type { Chip } from "../part.ts";

const KIB = 1024;
const PAGE = 256;

/** The sizes that a flash can have in bytes, each with its JEDEC id. */
export const FLASH_SIZES: ReadonlyMap<number, number> = new Map([
  [256 * KIB, 0xef4012],
  [512 * KIB, 0xef4013],
  [1024 * KIB, 0xef4014],
  [2048 * KIB, 0xef4015],
  [4096 * KIB, 0xef4016],
  [8192 * KIB, 0xef4017],
  [16384 * KIB, 0xef4018],
]);

/** What the configuration says of the chip. */
export interface FlashSettings {
  readonly type: "flash";
  /** In bytes, a power of two. */
  readonly size: number;
  /** Manufacturer, type and capacity, one byte each. */
  readonly id: number;
  /** Where the contents are kept; `undefined` for nowhere. */
  readonly file: string | undefined;
}

// Commands.
const WRITE_STATUS = 0x01;
const PAGE_PROGRAM = 0x02;
const READ = 0x03;
const WRITE_DISABLE = 0x04;
const READ_STATUS = 0x05;
const WRITE_ENABLE = 0x06;
const FAST_READ = 0x0b;
const ERASE_4K = 0x20;
const READ_STATUS_2 = 0x35;
const FAST_READ_DUAL = 0x3b;
const ERASE_32K = 0x52;
const FAST_READ_QUAD = 0x6b;
const ERASE_CHIP_60 = 0x60;
const READ_ID = 0x9f;
const ERASE_CHIP = 0xc7;
const ERASE_64K = 0xd8;

/** No command was received. */
const NONE = -1;

/** Bits of the status register. */
const WRITE_ENABLED = 0x02;
const WRITABLE_STATUS = 0xfc;

// Words of the shared memory in front of the contents.
const STATUS = 0;
const HEADER = 64;

/** Bytes of a command between its code and its data: address and dummy. */
function prefix(command: number): number {
  switch (command) {
    case READ:
    case PAGE_PROGRAM:
    case ERASE_4K:
    case ERASE_32K:
    case ERASE_64K:
      return 3;
    case FAST_READ:
    case FAST_READ_DUAL:
    case FAST_READ_QUAD:
      return 4;
    default:
      return 0;
  }
}

function hasData(command: number): boolean {
  switch (command) {
    case READ:
    case FAST_READ:
    case FAST_READ_DUAL:
    case FAST_READ_QUAD:
    case PAGE_PROGRAM:
    case READ_STATUS:
    case READ_STATUS_2:
    case READ_ID:
    case WRITE_STATUS:
      return true;
    default:
      return false;
  }
}

/**
 * The chip's memory, as guests share it.
 *
 * @param contents what it holds at the start; the rest is erased
 */
export function makeFlash(settings: FlashSettings, contents: Uint8Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(HEADER + settings.size);
  const bytes = new Uint8Array(memory, HEADER).fill(0xff);
  bytes.set(contents.subarray(0, settings.size));
  return memory;
}

/** Where changed contents are kept. */
export interface FlashStore {
  /** Keeps `length` bytes from `offset` of the contents. */
  save(contents: Uint8Array, offset: number, length: number): void;
  close(): void;
}

/** A NOR flash. */
export class Flash implements Chip {
  readonly #state: Int32Array;
  readonly #contents: Uint8Array;
  readonly #id: number;
  readonly #store: FlashStore | undefined;
  readonly #page = new Uint8Array(PAGE);
  #command = NONE;
  /** Bytes received of the command, its code included. */
  #count = 0;
  #address = 0;
  #value = 0;
  #programmed = false;

  constructor(settings: FlashSettings, memory: SharedArrayBuffer, store: FlashStore | undefined) {
    this.#state = new Int32Array(memory, 0, HEADER / 4);
    this.#contents = new Uint8Array(memory, HEADER);
    this.#id = settings.id;
    this.#store = store;
  }

  get expectsMore(): boolean {
    const command = this.#command;
    if (command === NONE) return false;
    const rest = this.#count - 1 - prefix(command);
    return rest < 0 || (rest === 0 && hasData(command));
  }

  exchange(sent: number): number {
    const position = this.#count++;
    if (position === 0) {
      this.#command = sent;
      this.#address = 0;
      return 0xff;
    }
    const command = this.#command;
    if (position <= prefix(command)) {
      if (position <= 3) this.#address = this.#address * 256 + sent;
      return 0xff;
    }
    const index = position - 1 - prefix(command);
    const size = this.#contents.length;
    switch (command) {
      case READ:
      case FAST_READ:
      case FAST_READ_DUAL:
      case FAST_READ_QUAD:
        return this.#contents[(this.#address + index) & (size - 1)];
      case READ_ID:
        return (this.#id >>> (16 - 8 * (index % 3))) & 0xff;
      case READ_STATUS:
        return this.#state[STATUS];
      case READ_STATUS_2:
        return 0;
      case WRITE_STATUS:
        if (index === 0) this.#value = sent;
        return 0xff;
      case PAGE_PROGRAM:
        if (index === 0) this.#page.fill(0xff);
        this.#page[(this.#address + index) % PAGE] = sent;
        this.#programmed = true;
        return 0xff;
      default:
        return 0xff;
    }
  }

  deselect(): void {
    const command = this.#command;
    const complete = command !== NONE && !this.expectsMore;
    this.#command = NONE;
    this.#count = 0;
    if (complete) this.#execute(command);
    this.#programmed = false;
  }

  close(): void {
    this.#store?.close();
  }

  #execute(command: number): void {
    const state = this.#state;
    if (command === WRITE_ENABLE) state[STATUS] |= WRITE_ENABLED;
    if (command === WRITE_DISABLE) state[STATUS] &= ~WRITE_ENABLED;
    if (!(state[STATUS] & WRITE_ENABLED)) return;
    switch (command) {
      case WRITE_STATUS:
        state[STATUS] = (state[STATUS] & ~WRITABLE_STATUS) | (this.#value & WRITABLE_STATUS);
        break;
      case PAGE_PROGRAM:
        if (this.#programmed) this.#program();
        break;
      case ERASE_4K:
        this.#erase(4 * KIB);
        break;
      case ERASE_32K:
        this.#erase(32 * KIB);
        break;
      case ERASE_64K:
        this.#erase(64 * KIB);
        break;
      case ERASE_CHIP:
      case ERASE_CHIP_60:
        this.#erase(this.#contents.length);
        break;
      default:
        return;
    }
    state[STATUS] &= ~WRITE_ENABLED;
  }

  #program(): void {
    const start = (this.#address & (this.#contents.length - 1)) & ~(PAGE - 1);
    for (let index = 0; index < PAGE; index++) this.#contents[start + index] &= this.#page[index];
    this.#store?.save(this.#contents, start, PAGE);
  }

  #erase(length: number): void {
    const start = (this.#address & (this.#contents.length - 1)) & ~(length - 1);
    this.#contents.fill(0xff, start, start + length);
    this.#store?.save(this.#contents, start, length);
  }
}
