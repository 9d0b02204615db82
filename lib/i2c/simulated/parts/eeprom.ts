/**
 * Serial EEPROMs of the 24Cxx family.
 *
 * What is written begins with an address, of one byte in chips up to 24C16 and two from 24C32 on;
 * where one byte does not do, the chip answers to several addresses, one for each 256 bytes. Bytes
 * written after it wrap within a page, bytes read within the chip. After a write the chip is busy
 * for as long as its write cycle takes and does not acknowledge its address.
 *
 * Unlike real ones, it does not forget what was written when a repeated start follows instead of a
 * stop.
 *
 * State: u32 place, u32 unused, f64 end of the write cycle in milliseconds, then the contents.
 *
 * Source: data sheets of AT24C01 to AT24C512.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { ENOENT, SystemError } from "../../../../ffi/errno.ts";
import { close, O_CREAT, O_WRONLY, open } from "../../../../ffi/fd.ts";
import { pathStatus, readFile, writeAt } from "../../../../ffi/file.ts";
import { RuntimeError } from "../../../errors.ts";
import type { Chip, ChipModel } from "../part.ts";

interface Kind {
  /** In bytes, as everything here. */
  readonly size: number;
  readonly pageSize: number;
  readonly addressSize: number;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "24c01": { size: 128, pageSize: 8, addressSize: 1 },
  "24c02": { size: 256, pageSize: 8, addressSize: 1 },
  "24c04": { size: 512, pageSize: 16, addressSize: 1 },
  "24c08": { size: 1024, pageSize: 16, addressSize: 1 },
  "24c16": { size: 2048, pageSize: 16, addressSize: 1 },
  "24c32": { size: 4096, pageSize: 32, addressSize: 2 },
  "24c64": { size: 8192, pageSize: 32, addressSize: 2 },
  "24c128": { size: 16384, pageSize: 64, addressSize: 2 },
  "24c256": { size: 32768, pageSize: 64, addressSize: 2 },
  "24c512": { size: 65536, pageSize: 128, addressSize: 2 },
};

interface EepromConfig extends Kind {
  /** In milliseconds. */
  readonly writeCycle: number;
  readonly readOnly: boolean;
  /** Keeps the contents. */
  readonly file: string | undefined;
}

/** The simplest EEPROM: 256 bytes, never busy. */
export const PLAIN_EEPROM = "24c02";

const PLACE = 0;
const BUSY_UNTIL = 8;
const CONTENTS = 16;
/** The bytes that one address can speak of where addresses within the chip have one byte. */
const BLOCK = 256;
const ERASED = 0xff;

class Eeprom implements Chip {
  readonly #config: EepromConfig;
  readonly #state: DataView;
  readonly #contents: Uint8Array;
  readonly #log: Logger;
  /** The descriptor of its file, or -1. */
  readonly #fd: number = -1;
  /** For the file: what is written to it cannot be in memory that threads share. */
  readonly #copy: Uint8Array<ArrayBuffer>;
  #fileFails = false;
  /** How many bytes of the address have come. */
  #addressed = 0;
  #block = 0;
  #begun = false;
  #written = false;
  /** What has been written, for the file. */
  #dirtyFrom = 0;
  #dirtyTo = 0;

  constructor(config: EepromConfig, state: DataView, log: Logger) {
    this.#config = config;
    this.#state = state;
    this.#contents = new Uint8Array(state.buffer, state.byteOffset + CONTENTS, config.size);
    this.#log = log;
    this.#copy = new Uint8Array(config.file === undefined ? 0 : config.size);
    if (config.file !== undefined && !config.readOnly) {
      this.#fd = open(config.file, O_WRONLY);
    }
  }

  start(read: boolean, offset: number): boolean {
    if (!this.#begun) {
      if (this.#isBusy()) return false;
      this.#begun = true;
      this.#dirtyFrom = this.#config.size;
      this.#dirtyTo = 0;
    }
    this.#addressed = 0;
    this.#block = offset * BLOCK;
    if (read && this.#config.size > BLOCK && this.#config.addressSize === 1) {
      this.#place = this.#block + this.#place % BLOCK;
    }
    return true;
  }

  write(byte: number): boolean {
    const { addressSize, size, pageSize } = this.#config;
    if (this.#addressed < addressSize) {
      const before = this.#addressed++ === 0 ? 0 : this.#place;
      this.#place = (addressSize === 1 ? this.#block + byte : before * 256 + byte) % size;
      return true;
    }
    const place = this.#place;
    const page = place - place % pageSize;
    this.#place = page + (place + 1) % pageSize;
    if (this.#config.readOnly) return true;
    this.#contents[place] = byte;
    this.#written = true;
    if (place < this.#dirtyFrom) this.#dirtyFrom = place;
    if (place >= this.#dirtyTo) this.#dirtyTo = place + 1;
    return true;
  }

  read(): number {
    const place = this.#place;
    this.#place = (place + 1) % this.#config.size;
    return this.#contents[place];
  }

  stop(): void {
    this.#begun = false;
    if (!this.#written) return;
    this.#written = false;
    if (this.#fd >= 0) this.#save();
    const { writeCycle } = this.#config;
    if (writeCycle > 0) this.#state.setFloat64(BUSY_UNTIL, Date.now() + writeCycle);
  }

  close(): void {
    close(this.#fd);
  }

  get #place(): number {
    return this.#state.getUint32(PLACE);
  }

  set #place(place: number) {
    this.#state.setUint32(PLACE, place);
  }

  #isBusy(): boolean {
    const { writeCycle } = this.#config;
    if (writeCycle === 0) return false;
    const rest = this.#state.getFloat64(BUSY_UNTIL) - Date.now();
    // More than a whole cycle is left only if somebody has set the clock.
    return rest > 0 && rest <= writeCycle;
  }

  #save(): void {
    const part = this.#copy.subarray(this.#dirtyFrom, this.#dirtyTo);
    part.set(this.#contents.subarray(this.#dirtyFrom, this.#dirtyTo));
    try {
      writeAt(this.#fd, part, this.#dirtyFrom);
      this.#fileFails = false;
    } catch (error) {
      if (this.#fileFails) return;
      this.#fileFails = true;
      this.#log.error(
        `EEPROM file '${this.#config.file}' cannot be written: ${(error as Error).message}; ` +
          "what is written from now on will be lost",
      );
    }
  }
}

/** Reads the contents of an EEPROM, or makes a file for them. */
function loadFile(file: string, contents: Uint8Array, readOnly: boolean): void {
  const refuse = (why: string) => new RuntimeError(`EEPROM file '${file}' ${why}`);
  let bytes: Uint8Array | undefined = new Uint8Array(0);
  try {
    bytes = readFile(file, contents.length);
  } catch (error) {
    const missing = error instanceof SystemError && error.errno === ENOENT;
    if (!missing || readOnly) throw refuse(`cannot be read: ${(error as Error).message}`);
  }
  if (bytes === undefined) {
    throw refuse(
      `has ${pathStatus(file).size} bytes, more than the ${contents.length} of the chip; ` +
        "choose a larger chip or another file",
    );
  }
  contents.set(bytes);
  if (readOnly || bytes.length === contents.length) return;
  try {
    const fd = open(file, O_WRONLY | O_CREAT, 0o666);
    try {
      writeAt(fd, new Uint8Array(contents), 0);
    } finally {
      close(fd);
    }
  } catch (error) {
    throw refuse(`cannot be written: ${(error as Error).message}`);
  }
}

/** `24c01` to `24c512` */
export const eeprom: ChipModel<EepromConfig> = {
  names: Object.keys(KINDS),
  keys: ["file", "write-cycle-ms", "read-only"],

  configure: (name, values) => ({
    ...KINDS[name],
    writeCycle: values["write-cycle-ms"]?.integer(0, 1000, "a time in milliseconds") ?? 0,
    readOnly: values["read-only"]?.boolean() ?? false,
    file: values.file?.string("a path"),
  }),

  addressCount: ({ size, addressSize }) => addressSize === 1 ? Math.ceil(size / BLOCK) : 1,

  ownFile: ({ file, readOnly }) => readOnly ? undefined : file,

  stateSize: ({ size }) => CONTENTS + size,

  initialize({ size, file, readOnly }, state) {
    const contents = new Uint8Array(state.buffer, state.byteOffset + CONTENTS, size);
    contents.fill(ERASED);
    if (file !== undefined) loadFile(file, contents, readOnly);
  },

  create: (config, state, log) => new Eeprom(config, state, log),
};
