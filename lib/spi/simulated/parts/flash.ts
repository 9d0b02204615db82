/**
 * A simulated NOR flash of the 25 series: 256-byte pages, sectors of 4 KiB, blocks of 32 and 64 KiB.
 *
 * Programming clears bits, erasing sets them; both need write enable first, act when the chip
 * select is released, and are done at once. There is no table of parameters (SFDP).
 *
 * State: u8 status register, then from byte 64 on the contents.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties, Settings } from "../../../simulation/property.ts";
import type { SpiPart, SpiPartModel } from "../part.ts";

const KIB = 1024;
const PAGE = 256;

/** The sizes that a flash can have in KiB, each with its JEDEC id. */
const USUAL_IDS: Readonly<Record<number, number>> = {
  256: 0xef4012,
  512: 0xef4013,
  1024: 0xef4014,
  2048: 0xef4015,
  4096: 0xef4016,
  8192: 0xef4017,
  16384: 0xef4018,
};

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

// Where in the state.
const STATUS = 0;
const CONTENTS = 64;

const properties = {
  "size-kib": {
    type: "choice",
    set: "start",
    choices: [256, 512, 1024, 2048, 4096, 8192, 16384],
    unit: "KiB",
    default: 256,
    help: "its size",
  },
  id: {
    type: "integer",
    set: "start",
    what: "a JEDEC id of three bytes",
    from: 0,
    to: 0xffffff,
    base: 16,
    help: "its JEDEC id; a Winbond part's of that size if left out",
  },
  contents: {
    type: "bytes",
    set: "both",
    count: (settings) => 1024 * (settings["size-kib"] as number),
    what: "a byte",
    at: CONTENTS,
    fill: 0xff,
    excludes: ["file"],
    help: "what it holds",
  },
  file: {
    type: "path",
    set: "start",
    help: "a file that keeps the contents; made where it does not exist",
  },
  status: {
    type: "integer",
    set: "never",
    from: 0,
    to: 0xff,
    base: 16,
    help: "its status register, as the guest reads it",
  },
} as const satisfies Properties;

function sizeOf(settings: Settings<typeof properties>): number {
  return settings["size-kib"] * KIB;
}

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

class Flash implements SpiPart {
  readonly #context: PartContext<typeof properties>;
  readonly #state: Uint8Array;
  readonly #contents: Uint8Array;
  readonly #id: number;
  readonly #page = new Uint8Array(PAGE);
  #command = NONE;
  /** Bytes received of the command, its code included. */
  #count = 0;
  #address = 0;
  #value = 0;
  #programmed = false;

  constructor(context: PartContext<typeof properties>) {
    const { state, settings } = context;
    this.#context = context;
    this.#state = new Uint8Array(state.buffer, state.byteOffset, CONTENTS);
    this.#contents = new Uint8Array(
      state.buffer,
      state.byteOffset + CONTENTS,
      sizeOf(settings),
    );
    this.#id = settings.id ?? USUAL_IDS[settings["size-kib"]];
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

  #execute(command: number): void {
    const state = this.#state;
    const before = state[STATUS];
    if (command === WRITE_ENABLE) state[STATUS] |= WRITE_ENABLED;
    if (command === WRITE_DISABLE) state[STATUS] &= ~WRITE_ENABLED;
    if (state[STATUS] & WRITE_ENABLED && this.#act(command)) state[STATUS] &= ~WRITE_ENABLED;
    if (state[STATUS] !== before) this.#context.changes.tell("status", state[STATUS]);
  }

  /** @returns true if that was a command for which writing has to be enabled */
  #act(command: number): boolean {
    const state = this.#state;
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
        return false;
    }
    return true;
  }

  #program(): void {
    const start = (this.#address & (this.#contents.length - 1)) & ~(PAGE - 1);
    for (let index = 0; index < PAGE; index++) this.#contents[start + index] &= this.#page[index];
    this.#changed(start, PAGE);
  }

  #erase(length: number): void {
    const start = (this.#address & (this.#contents.length - 1)) & ~(length - 1);
    this.#contents.fill(0xff, start, start + length);
    this.#changed(start, length);
  }

  #changed(at: number, length: number): void {
    this.#context.file?.save(at, length);
    this.#context.changes.tellBytes("contents", at, length);
  }
}

/** `flash` */
export const flash: SpiPartModel<typeof properties> = {
  name: "flash",
  help: "NOR flash of the 25 series, for the guest's driver spi-nor",
  properties,
  backing: { file: "file", contents: "contents" },
  stateSize: (settings) => CONTENTS + sizeOf(settings),
  title: (settings) => `flash of ${settings["size-kib"]} KiB`,
  live: { status: { get: (state) => state.getUint8(STATUS) } },
  create: (context) => new Flash(context),
};
