/**
 * Memories of the 25 series that keep single bytes: EEPROM after Atmel's AT25 parts, and
 * ferroelectric RAM (FRAM) after Cypress's FM25V.
 *
 * Both take the same commands. An EEPROM writes a page at a time when the chip select is released,
 * wraps around within the page, and is then busy for as long as the settings say: it answers
 * nothing but its status. FRAM writes each byte at once, across all of it, and has an id and a
 * serial number.
 *
 * ```
 * 06, 04  writing is enabled, disabled; it is disabled again after each write
 * 05, 01  status is read, written: bit 0 busy, 1 writing is enabled, 2 and 3 protect the upper
 *         quarter, half or all of it
 * 03, 02  read, write: an address of 1, 2 or 3 bytes, then data; bit 3 is the address's ninth in an
 *         EEPROM of 512 bytes
 * 9f, c3  FRAM: id of 9 bytes; serial number of 8 bytes
 * ```
 *
 * Not modelled: the pins for hold and write protection (bit 7 of the status can be set, and has no
 * effect), and the sleep mode of FRAM.
 *
 * State: u8 status without its busy bit, f64 at byte 8 the time until which it is busy, then from
 * byte 64 on the contents.
 *
 * Source: data sheets of AT25010B, AT25640B, AT25M01 and FM25V10.
 *
 * @module
 */

import { monotonicTime } from "../../../../ffi/clock.ts";
import type { PartContext } from "../../../simulation/part.ts";
import type { Properties, Settings } from "../../../simulation/property.ts";
import type { SpiPart, SpiPartModel } from "../part.ts";

const KIB = 1024;
const MAX_PAGE = 256;

const WRITE_STATUS = 0x01;
const WRITE = 0x02;
const READ = 0x03;
const DISABLE_WRITE = 0x04;
const READ_STATUS = 0x05;
const ENABLE_WRITE = 0x06;
const READ_ID = 0x9f;
const READ_SERIAL = 0xc3;
/** Of READ and WRITE in an EEPROM of 512 bytes: bit 8 of the address. */
const NINTH_BIT = 0x08;

// Bits of the status.
const BUSY = 0x01;
const WRITE_ENABLED = 0x02;
const WRITABLE = 0x8c;

// Where in the state.
const STATUS = 0;
const BUSY_UNTIL = 8;
const CONTENTS = 64;

/** Of each size in bytes: that of a page, as Atmel's parts have it. */
const PAGES: Readonly<Record<number, number>> = {
  128: 8,
  256: 8,
  512: 8,
  1024: 32,
  2048: 32,
  4096: 32,
  8192: 32,
  16384: 64,
  32768: 64,
  65536: 128,
  131072: 256,
  262144: 256,
};

/** FRAM's sizes in KiB, each with the byte of the id that stands for it. */
const DENSITIES: Readonly<Record<number, number>> = {
  16: 0x21,
  32: 0x22,
  64: 0x23,
  128: 0x24,
  256: 0x25,
  512: 0x26,
};

const file = {
  type: "path",
  set: "start",
  help: "a file that keeps the contents; made where it does not exist",
} as const;

const contents = {
  type: "bytes",
  set: "both",
  what: "a byte",
  at: CONTENTS,
  excludes: ["file"],
  help: "what it holds",
} as const;

const status = {
  type: "integer",
  set: "never",
  from: 0,
  to: 0xff,
  base: 16,
  help: "its status, as the guest reads it",
} as const;

const eepromProperties = {
  size: {
    type: "choice",
    set: "start",
    choices: Object.keys(PAGES).map(Number),
    unit: "bytes",
    default: 8192,
    help: "its size; up to 512 has addresses of one byte, more than 65536 of three",
  },
  page: {
    type: "choice",
    set: "start",
    choices: [8, 16, 32, 64, 128, 256],
    unit: "bytes",
    help: "what is written at a time; as usual for its size if left out",
  },
  "write-ms": {
    type: "integer",
    set: "start",
    what: "a time in milliseconds",
    from: 0,
    to: 1000,
    unit: "ms",
    default: 0,
    help: "for how long it is busy with writing",
  },
  contents: { ...contents, count: (settings) => settings.size as number, fill: 0xff },
  file,
  status,
} as const satisfies Properties;

const framProperties = {
  "size-kib": {
    type: "choice",
    set: "start",
    choices: Object.keys(DENSITIES).map(Number),
    unit: "KiB",
    default: 128,
    help: "its size; more than 64 has addresses of three bytes",
  },
  serial: {
    type: "integer",
    set: "start",
    what: "a serial number of five bytes",
    from: 0,
    to: 0xff_ffff_ffff,
    base: 16,
    default: 1,
    help: "its serial number",
  },
  contents: { ...contents, count: (settings) => KIB * (settings["size-kib"] as number) },
  file,
  status,
} as const satisfies Properties;

/** What tells one memory from another. */
interface Kind {
  readonly size: number;
  /** 0 where writing knows no pages. */
  readonly page: number;
  /** For how long it is busy with writing, in milliseconds. */
  readonly busy: number;
  /** What single commands return. */
  readonly registers: Readonly<Record<number, readonly number[]>>;
}

type MemoryContext = Pick<PartContext<Properties>, "state" | "file" | "changes">;

function statusOf(state: DataView): number {
  const isBusy = monotonicTime() < state.getFloat64(BUSY_UNTIL);
  return state.getUint8(STATUS) | (isBusy ? BUSY : 0);
}

class Memory implements SpiPart {
  readonly #context: MemoryContext;
  readonly #state: DataView;
  readonly #contents: Uint8Array;
  readonly #kind: Kind;
  readonly #addressLength: number;
  readonly #buffer = new Uint8Array(MAX_PAGE);

  // The command at work.
  #command = 0;
  /** Bytes of it so far. */
  #count = 0;
  /** Bytes from its code to its data. */
  #prefix = 0;
  #hasData = false;
  #ignored = false;
  #address = 0;

  constructor(context: MemoryContext, kind: Kind) {
    const { state } = context;
    const { size } = kind;
    this.#context = context;
    this.#state = state;
    this.#contents = new Uint8Array(state.buffer, state.byteOffset + CONTENTS, size);
    this.#kind = kind;
    this.#addressLength = size <= 512 ? 1 : size <= 65536 ? 2 : 3;
  }

  get expectsMore(): boolean {
    if (this.#count === 0) return false;
    return this.#count < this.#prefix || (this.#count === this.#prefix && this.#hasData);
  }

  exchange(sent: number): number {
    const position = this.#count++;
    if (position === 0) {
      this.#begin(sent);
      return 0xff;
    }
    if (position < this.#prefix) {
      this.#address = (this.#address * 256 + sent) % this.#kind.size;
      return 0xff;
    }
    return this.#ignored ? 0xff : this.#exchangeData(position - this.#prefix, sent);
  }

  deselect(): void {
    const command = this.#command;
    const data = this.#count - this.#prefix;
    const complete = this.#count > 0 && !this.#ignored && !this.expectsMore;
    this.#count = 0;
    if (complete) this.#execute(command, data);
  }

  #begin(code: number): void {
    const { size, registers } = this.#kind;
    const ninth = size === 512 && (code & ~NINTH_BIT & ~1) === WRITE;
    const command = ninth ? code & ~NINTH_BIT : code;
    const addressed = command === READ || command === WRITE;
    this.#command = command;
    this.#address = ninth && code & NINTH_BIT ? 1 : 0;
    this.#prefix = addressed ? 1 + this.#addressLength : 1;
    this.#hasData = addressed || command === READ_STATUS || command === WRITE_STATUS ||
      registers[command] !== undefined;
    const status = statusOf(this.#state);
    const locked = (command === WRITE || command === WRITE_STATUS) && !(status & WRITE_ENABLED);
    this.#ignored = locked || ((status & BUSY) !== 0 && command !== READ_STATUS);
  }

  #exchangeData(index: number, sent: number): number {
    const { size, page, registers } = this.#kind;
    switch (this.#command) {
      case READ:
        return this.#contents[(this.#address + index) % size];
      case READ_STATUS:
        return statusOf(this.#state);
      case WRITE:
        if (page > 0) this.#buffer[index % page] = sent;
        else if (!this.#isProtected((this.#address + index) % size)) {
          this.#contents[(this.#address + index) % size] = sent;
        }
        return 0xff;
      case WRITE_STATUS:
        if (index === 0) this.#buffer[0] = sent;
        return 0xff;
      default: {
        const register = registers[this.#command];
        return register === undefined ? 0xff : register[index % register.length];
      }
    }
  }

  /** @param count of bytes of data */
  #execute(command: number, count: number): void {
    const state = this.#state;
    const before = state.getUint8(STATUS);
    let after = before;
    if (command === ENABLE_WRITE) after |= WRITE_ENABLED;
    else if (command === DISABLE_WRITE) after &= ~WRITE_ENABLED;
    else if (command === WRITE_STATUS) {
      after = this.#buffer[0] & WRITABLE;
      this.#setBusy();
    } else if (command === WRITE) {
      after &= ~WRITE_ENABLED;
      if (this.#kind.page > 0) this.#writePage(count);
      else this.#changed(this.#address, count);
    }
    state.setUint8(STATUS, after);
    if (after !== before) this.#context.changes.tell("status", statusOf(state));
  }

  /** Of more bytes than a page has, the last ones stay. */
  #writePage(count: number): void {
    const { page } = this.#kind;
    const start = this.#address - this.#address % page;
    this.#setBusy();
    if (this.#isProtected(start)) return;
    const from = this.#address - start;
    for (let index = Math.max(0, count - page); index < count; index++) {
      this.#contents[start + (from + index) % page] = this.#buffer[index % page];
    }
    const within = from + count <= page;
    this.#changed(within ? this.#address : start, within ? count : page);
  }

  /** The contents were written from there on, and perhaps beyond the end. */
  #changed(at: number, length: number): void {
    const { size } = this.#kind;
    const within = at + length <= size;
    this.#context.file?.save(within ? at : 0, within ? length : size);
    this.#context.changes.tellBytes("contents", within ? at : 0, within ? length : size);
  }

  #isProtected(address: number): boolean {
    const { size } = this.#kind;
    const level = (this.#state.getUint8(STATUS) >>> 2) & 3;
    return level > 0 && address >= size - (size >>> (3 - level));
  }

  #setBusy(): void {
    const { busy } = this.#kind;
    if (busy > 0) this.#state.setFloat64(BUSY_UNTIL, monotonicTime() + busy);
  }
}

function eepromKind(settings: Settings<typeof eepromProperties>): Kind {
  const { size, page = PAGES[size], "write-ms": busy } = settings;
  return { size, page: Math.min(page, size), busy, registers: {} };
}

/** CRC-8 with the polynomial x⁸ + x² + x + 1, as it ends the serial number. */
function checksum(bytes: readonly number[]): number {
  return bytes.reduce((crc, byte) => {
    let rest = crc ^ byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest << 1) ^ (rest & 0x80 ? 0x107 : 0);
    return rest;
  }, 0);
}

function framKind(settings: Settings<typeof framProperties>): Kind {
  const { "size-kib": size, serial } = settings;
  const number = [0, 0, ...[32, 24, 16, 8, 0].map((bit) => Math.floor(serial / 2 ** bit) % 256)];
  return {
    size: size * KIB,
    page: 0,
    busy: 0,
    registers: {
      [READ_ID]: [0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0xc2, DENSITIES[size], 0x00],
      [READ_SERIAL]: [...number, checksum(number)],
    },
  };
}

const common = {
  modes: [0, 3],
  backing: { file: "file", contents: "contents" },
  live: { status: { get: statusOf } },
} as const;

/** `at25` */
export const at25: SpiPartModel<typeof eepromProperties> = {
  ...common,
  name: "at25",
  help: "EEPROM of the 25 series, for the guest's driver at25",
  properties: eepromProperties,
  stateSize: ({ size }) => CONTENTS + size,
  title: ({ size }) => `EEPROM of ${size} bytes`,
  create: (context) => new Memory(context, eepromKind(context.settings)),
};

/** `fram` */
export const fram: SpiPartModel<typeof framProperties> = {
  ...common,
  name: "fram",
  help: "ferroelectric RAM of the 25 series with an id, for the guest's driver at25",
  properties: framProperties,
  stateSize: (settings) => CONTENTS + KIB * settings["size-kib"],
  title: (settings) => `FRAM of ${settings["size-kib"]} KiB`,
  create: (context) => new Memory(context, framKind(context.settings)),
};
