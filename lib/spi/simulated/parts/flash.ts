/**
 * A simulated NOR flash of the 25 series, after the Winbond W25Q parts: 256-byte pages, sectors of
 * 4 KiB, blocks of 32 and 64 KiB, three status registers, block protection, and a table of
 * parameters (SFDP).
 *
 * Programming clears bits, erasing sets them; both need write enable first and act when the chip
 * select is released. What they take is over in the chip at once, but it says that it is busy, and
 * answers nothing but its status, for as long as the settings say.
 *
 * State: u8 status registers 1 to 3, u8 bank of addresses, u8 flags, f64 at byte 8 the time until
 * which it is busy, then from byte 64 on the contents.
 *
 * @module
 */

import { monotonicTime } from "../../../../ffi/clock.ts";
import type { PartContext } from "../../../simulation/part.ts";
import type { Properties, Settings } from "../../../simulation/property.ts";
import {
  type Command,
  commandOf,
  DISABLE_WRITE,
  ENABLE_RESET,
  ENABLE_STATUS_WRITE,
  ENABLE_WRITE,
  ERASE,
  ERASE_CHIP,
  PROGRAM,
  READ,
  READ_BANK,
  READ_ID,
  READ_SFDP,
  READ_STATUS,
  RESET,
  SET_LONG_ADDRESSES,
  WRITE_BANK,
  WRITE_STATUS,
} from "../flash/commands.ts";
import { protectedRange } from "../flash/protection.ts";
import { sfdp } from "../flash/sfdp.ts";
import type { SpiPart, SpiPartModel } from "../part.ts";

const KIB = 1024;
const PAGE = 256;
/** Addresses of three bytes reach so far. */
const BANK = 2 ** 24;

/** The sizes that a flash can have in KiB, each with its JEDEC id. */
const USUAL_IDS: Readonly<Record<number, number>> = {
  256: 0xef4012,
  512: 0xef4013,
  1024: 0xef4014,
  2048: 0xef4015,
  4096: 0xef4016,
  8192: 0xef4017,
  16384: 0xef4018,
  32768: 0xef4019,
  65536: 0xef4020,
};
const SIZES = Object.keys(USUAL_IDS).map(Number);

/** Bits of status register 1: it is busy, writing is enabled. */
const BUSY = 0x01;
const WRITE_ENABLED = 0x02;
/** Of each status register, the bits that can be written. */
const WRITABLE = [0xfc, 0x7b, 0x64];
/** Bits of status register 2: quad lines are enabled; status registers are locked. */
const QUAD_ENABLED = 0x02;
const LOCKED = 0x01;
/** Of status register 3: addresses have four bytes, now and when the power comes on. */
const LONG_NOW = 0x01;
const LONG_AT_POWER_UP = 0x02;

// Where in the state.
const STATUS = 0;
const CURRENT_BANK = 3;
const FLAGS = 4;
const BUSY_UNTIL = 8;
const CONTENTS = 64;

/** Flags: a status register may be written; a reset may follow. */
const STATUS_WRITABLE = 1;
const RESET_ENABLED = 2;

const properties = {
  "size-kib": {
    type: "choice",
    set: "start",
    choices: SIZES,
    unit: "KiB",
    default: 256,
    help: "its size; more than 16384 has addresses of four bytes, too",
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
  "erase-ms": {
    type: "integer",
    set: "start",
    what: "a time in milliseconds",
    from: 0,
    to: 60_000,
    unit: "ms",
    default: 0,
    help: "for how long it is busy with erasing a sector or block",
  },
  "program-us": {
    type: "integer",
    set: "start",
    what: "a time in microseconds",
    from: 0,
    to: 1_000_000,
    unit: "µs",
    default: 0,
    help: "for how long it is busy with programming a page, or a status register",
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
    help: "its status register 1, as the guest reads it",
  },
  configuration: {
    type: "integer",
    set: "never",
    from: 0,
    to: 0xff,
    base: 16,
    help: "its status register 2, with quad enable in bit 1",
  },
} as const satisfies Properties;

type FlashSettings = Settings<typeof properties>;

function sizeOf(settings: FlashSettings): number {
  return settings["size-kib"] * KIB;
}

function statusOf(state: DataView, register: number): number {
  const value = state.getUint8(STATUS + register);
  if (register !== 0) return value;
  return value | (monotonicTime() < state.getFloat64(BUSY_UNTIL) ? BUSY : 0);
}

const NOTHING = commandOf(-1);

class Flash implements SpiPart {
  readonly #context: PartContext<typeof properties>;
  readonly #view: DataView;
  readonly #state: Uint8Array;
  readonly #contents: Uint8Array;
  readonly #size: number;
  readonly #id: number;
  readonly #parameters: Uint8Array;
  readonly #page = new Uint8Array(PAGE);

  // The command at work.
  #command: Command = NOTHING;
  /** It is not for now: the chip is busy, or quad lines are not enabled. */
  #ignored = false;
  /** Bytes received of it, its code included. */
  #count = 0;
  #addressLength = 0;
  #address = 0;
  /** Bytes from its code to its data. */
  #prefix = 0;
  readonly #values = new Uint8Array(2);

  constructor(context: PartContext<typeof properties>) {
    const { state, settings } = context;
    this.#context = context;
    this.#view = state;
    this.#size = sizeOf(settings);
    this.#state = new Uint8Array(state.buffer, state.byteOffset, CONTENTS);
    this.#contents = new Uint8Array(state.buffer, state.byteOffset + CONTENTS, this.#size);
    this.#id = settings.id ?? USUAL_IDS[settings["size-kib"]];
    this.#parameters = sfdp({
      size: this.#size,
      eraseMilliseconds: settings["erase-ms"],
      programMicroseconds: settings["program-us"],
    });
  }

  get expectsMore(): boolean {
    if (this.#count === 0) return false;
    const rest = this.#count - this.#prefix;
    return rest < 0 || (rest === 0 && this.#command.data !== "none");
  }

  exchange(sent: number): number {
    const position = this.#count++;
    if (position === 0) return this.#begin(sent);
    if (position < this.#prefix) {
      if (position <= this.#addressLength) this.#address = this.#address * 256 + sent;
      return 0xff;
    }
    return this.#ignored ? 0xff : this.#exchangeData(position - this.#prefix, sent);
  }

  deselect(): void {
    const command = this.#command;
    const complete = this.#count > 0 && !this.#ignored && !this.expectsMore;
    const data = this.#count - this.#prefix;
    this.#command = NOTHING;
    this.#count = 0;
    if (complete) this.#execute(command, data);
  }

  #begin(code: number): number {
    const command = this.#command = commandOf(code);
    const state = this.#state;
    const busy = monotonicTime() < this.#view.getFloat64(BUSY_UNTIL);
    const quad = (state[STATUS + 1] & QUAD_ENABLED) !== 0;
    this.#ignored = (busy && command.action !== READ_STATUS) || (command.quad && !quad);
    const long = command.address === 3 && command.action !== READ_SFDP &&
      (state[STATUS + 2] & LONG_NOW) !== 0;
    this.#addressLength = long ? 4 : command.address;
    this.#prefix = 1 + this.#addressLength + command.dummy;
    // Short addresses are those of the bank chosen.
    this.#address = this.#addressLength === 3 ? state[CURRENT_BANK] : 0;
    return 0xff;
  }

  #exchangeData(index: number, sent: number): number {
    switch (this.#command.action) {
      case READ:
        return this.#contents[(this.#address + index) % this.#size];
      case READ_ID:
        return (this.#id >>> (16 - 8 * (index % 3))) & 0xff;
      case READ_SFDP:
        return this.#parameters[this.#address % BANK + index] ?? 0xff;
      case READ_STATUS:
        return statusOf(this.#view, this.#command.value);
      case READ_BANK:
        return this.#state[CURRENT_BANK];
      case WRITE_STATUS:
      case WRITE_BANK:
        if (index < this.#values.length) this.#values[index] = sent;
        return 0xff;
      case PROGRAM:
        if (index === 0) this.#page.fill(0xff);
        this.#page[(this.#address + index) % PAGE] = sent;
        return 0xff;
      default:
        return 0xff;
    }
  }

  /** @param data the number of bytes of data */
  #execute(command: Command, data: number): void {
    const state = this.#state;
    const before = [state[STATUS], state[STATUS + 1]];
    const flags = state[FLAGS];
    state[FLAGS] = 0;
    switch (command.action) {
      case ENABLE_WRITE:
        state[STATUS] |= WRITE_ENABLED;
        break;
      case ENABLE_STATUS_WRITE:
        state[FLAGS] = STATUS_WRITABLE;
        break;
      case DISABLE_WRITE:
        state[STATUS] &= ~WRITE_ENABLED;
        break;
      case SET_LONG_ADDRESSES:
        if (this.#size > BANK) this.#setLong(command.value !== 0);
        break;
      case ENABLE_RESET:
        state[FLAGS] = RESET_ENABLED;
        break;
      case RESET:
        if (flags & RESET_ENABLED) this.#reset();
        break;
      case WRITE_STATUS:
        if (flags & STATUS_WRITABLE || state[STATUS] & WRITE_ENABLED) {
          this.#writeStatus(command.value, data);
        }
        break;
      default:
        if (state[STATUS] & WRITE_ENABLED && this.#write(command)) state[STATUS] &= ~WRITE_ENABLED;
    }
    const { changes } = this.#context;
    if (state[STATUS] !== before[0]) changes.tell("status", statusOf(this.#view, 0));
    if (state[STATUS + 1] !== before[1]) changes.tell("configuration", state[STATUS + 1]);
  }

  /** @returns true if that was a command for which writing has to be enabled */
  #write(command: Command): boolean {
    switch (command.action) {
      case PROGRAM:
        this.#program();
        return true;
      case ERASE:
        this.#erase(command.value);
        return true;
      case ERASE_CHIP:
        this.#erase(this.#size);
        return true;
      case WRITE_BANK:
        this.#state[CURRENT_BANK] = this.#values[0] & (this.#size / BANK - 1);
        return true;
      default:
        return false;
    }
  }

  #setLong(long: boolean): void {
    if (long) this.#state[STATUS + 2] |= LONG_NOW;
    else this.#state[STATUS + 2] &= ~LONG_NOW;
  }

  #reset(): void {
    this.#state[STATUS] &= ~WRITE_ENABLED;
    this.#state[CURRENT_BANK] = 0;
    this.#setLong((this.#state[STATUS + 2] & LONG_AT_POWER_UP) !== 0);
  }

  /** A second byte goes to the register behind the first one. */
  #writeStatus(first: number, count: number): void {
    const state = this.#state;
    state[STATUS] &= ~WRITE_ENABLED;
    if (state[STATUS + 1] & LOCKED) return;
    for (let index = 0; index < Math.min(2, count) && first + index < WRITABLE.length; index++) {
      const register = STATUS + first + index;
      const writable = WRITABLE[first + index];
      state[register] = (state[register] & ~writable) | (this.#values[index] & writable);
    }
    this.#setBusy(this.#context.settings["program-us"] / 1000);
  }

  #program(): void {
    const start = this.#address % this.#size & ~(PAGE - 1);
    if (this.#isProtected(start, PAGE)) return;
    for (let index = 0; index < PAGE; index++) this.#contents[start + index] &= this.#page[index];
    this.#changed(start, PAGE);
    this.#setBusy(this.#context.settings["program-us"] / 1000);
  }

  #erase(length: number): void {
    const start = this.#address % this.#size & ~(length - 1);
    if (this.#isProtected(start, length)) return;
    this.#contents.fill(0xff, start, start + length);
    this.#changed(start, length);
    this.#setBusy(this.#context.settings["erase-ms"] * Math.max(1, length / (64 * KIB)));
  }

  #isProtected(start: number, length: number): boolean {
    const range = protectedRange(this.#size, this.#state[STATUS], this.#state[STATUS + 1]);
    return start < range.end && start + length > range.start;
  }

  #setBusy(milliseconds: number): void {
    if (milliseconds > 0) this.#view.setFloat64(BUSY_UNTIL, monotonicTime() + milliseconds);
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
  modes: [0, 3],
  backing: { file: "file", contents: "contents" },
  stateSize: (settings) => CONTENTS + sizeOf(settings),
  title: (settings) => `flash of ${settings["size-kib"]} KiB`,
  live: {
    status: { get: (state) => statusOf(state, 0) },
    configuration: { get: (state) => statusOf(state, 1) },
  },
  create: (context) => new Flash(context),
};
