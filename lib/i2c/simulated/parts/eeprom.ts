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

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";

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

/** The simplest EEPROM: 256 bytes, never busy. */
export const PLAIN_EEPROM = "24c02";

const PLACE = 0;
const BUSY_UNTIL = 8;
const CONTENTS = 16;
/** The bytes that one address can speak of where addresses within the chip have one byte. */
const BLOCK = 256;
const ERASED = 0xff;

function propertiesOf({ size }: Kind) {
  return {
    contents: {
      type: "bytes",
      set: "both",
      count: size,
      what: "a byte",
      at: CONTENTS,
      fill: ERASED,
      excludes: ["file"],
      help: "what it holds",
    },
    file: {
      type: "path",
      set: "start",
      help: "a file that keeps the contents; made where it does not exist",
    },
    "write-cycle-ms": {
      type: "integer",
      set: "start",
      what: "a time",
      from: 0,
      to: 1000,
      unit: "ms",
      default: 0,
      help: "how long it is busy after a write",
    },
    "read-only": {
      type: "boolean",
      set: "start",
      default: false,
      help: "true: the guest's writes have no effect",
    },
    busy: { type: "boolean", set: "never", help: "whether a write cycle is going on" },
  } as const satisfies Properties;
}

type EepromProperties = ReturnType<typeof propertiesOf>;

class Eeprom implements I2cPart {
  readonly #kind: Kind;
  /** In milliseconds. */
  readonly #writeCycle: number;
  readonly #readOnly: boolean;
  readonly #context: PartContext<EepromProperties>;
  readonly #state: DataView;
  readonly #contents: Uint8Array;
  /** How many bytes of the address have come. */
  #addressed = 0;
  #block = 0;
  #begun = false;
  #written = false;
  /** What has been written, for the file. */
  #dirtyFrom = 0;
  #dirtyTo = 0;

  constructor(kind: Kind, context: PartContext<EepromProperties>) {
    const { settings, state } = context;
    this.#kind = kind;
    this.#writeCycle = settings["write-cycle-ms"];
    this.#readOnly = settings["read-only"];
    this.#context = context;
    this.#state = state;
    this.#contents = new Uint8Array(state.buffer, state.byteOffset + CONTENTS, kind.size);
  }

  start(read: boolean, offset: number): boolean {
    if (!this.#begun) {
      if (isBusy(this.#state, this.#writeCycle)) return false;
      this.#begun = true;
      this.#dirtyFrom = this.#kind.size;
      this.#dirtyTo = 0;
    }
    this.#addressed = 0;
    this.#block = offset * BLOCK;
    if (read && this.#kind.size > BLOCK && this.#kind.addressSize === 1) {
      this.#place = this.#block + this.#place % BLOCK;
    }
    return true;
  }

  write(byte: number): boolean {
    const { addressSize, size, pageSize } = this.#kind;
    if (this.#addressed < addressSize) {
      const before = this.#addressed++ === 0 ? 0 : this.#place;
      this.#place = (addressSize === 1 ? this.#block + byte : before * 256 + byte) % size;
      return true;
    }
    const place = this.#place;
    const page = place - place % pageSize;
    this.#place = page + (place + 1) % pageSize;
    if (this.#readOnly) return true;
    this.#contents[place] = byte;
    this.#written = true;
    if (place < this.#dirtyFrom) this.#dirtyFrom = place;
    if (place >= this.#dirtyTo) this.#dirtyTo = place + 1;
    return true;
  }

  read(): number {
    const place = this.#place;
    this.#place = (place + 1) % this.#kind.size;
    return this.#contents[place];
  }

  stop(): void {
    this.#begun = false;
    if (!this.#written) return;
    this.#written = false;
    const { file, changes } = this.#context;
    const length = this.#dirtyTo - this.#dirtyFrom;
    file?.save(this.#dirtyFrom, length);
    changes.tellBytes("contents", this.#dirtyFrom, length);
    if (this.#writeCycle > 0) this.#state.setFloat64(BUSY_UNTIL, Date.now() + this.#writeCycle);
  }

  get #place(): number {
    return this.#state.getUint32(PLACE);
  }

  set #place(place: number) {
    this.#state.setUint32(PLACE, place);
  }
}

function isBusy(state: DataView, writeCycle: number): boolean {
  if (writeCycle === 0) return false;
  const rest = state.getFloat64(BUSY_UNTIL) - Date.now();
  // More than a whole cycle is left only if somebody has set the clock.
  return rest > 0 && rest <= writeCycle;
}

function model(name: string, kind: Kind): I2cPartModel<EepromProperties> {
  const { size, addressSize, pageSize } = kind;
  const addressCount = addressSize === 1 ? Math.ceil(size / BLOCK) : 1;
  const taken = addressCount === 1 ? "" : `, ${addressCount} addresses`;
  const bytes = size < 1024 ? `${size} bytes` : `${size / 1024} KiB`;
  return {
    name,
    help: `EEPROM of ${bytes} in pages of ${pageSize}${taken}`,
    properties: propertiesOf(kind),
    backing: { file: "file", contents: "contents", readOnly: "read-only" },
    addressCount,
    stateSize: () => CONTENTS + size,
    live: {
      busy: { get: (state, settings) => isBusy(state, settings["write-cycle-ms"]) },
    },
    create: (context) => new Eeprom(kind, context),
  };
}

/** `24c01` to `24c512` */
export const eeproms: readonly I2cPartModel<EepromProperties>[] = Object.entries(KINDS)
  .map(([name, kind]) => model(name, kind));
