/**
 * The controller SSD1306 with a display of 128 x 64 or 128 x 32 pixels.
 *
 * A message begins with a control byte: bit 6 says whether data or commands follow, bit 7 that it is
 * one byte only, and then another control byte. Data goes to the memory: a byte is 8 pixels of a
 * column, the lowest bit uppermost; 128 of them are a page, of which there are 8. Commands and what
 * belongs to them may come in messages of their own.
 *
 * What is seen is the memory from the start line on, as far as the multiplex ratio goes, moved by
 * the offset, in the directions of segments and rows. Glass is mounted so that it is upright with
 * both directions remapped (commands a1 and c8), as on most modules; that of 32 rows is wired to the
 * first 32 pins.
 *
 * Reading gives a status: bit 6 is set while the display is off.
 *
 * Not modelled: scrolling by itself, the configuration of the rows' pins, and that contrast, charge
 * pump and timings change what is seen.
 *
 * State: u8 each of what commands set, the command that waits for more with what it has, and from
 * byte 64 on the memory and the picture.
 *
 * Source: data sheet of SSD1306.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";

const WIDTH = 128;
/** Rows of the memory, and pins for rows. */
const ROWS = 64;
const PAGES = ROWS / 8;
/** Bytes of a row of the picture. */
const ROW = WIDTH / 8;
const MEMORY_SIZE = WIDTH * PAGES;

const ON = 0;
const ALL_LIT = 1;
const INVERTED = 2;
const CONTRAST = 3;
const MODE = 4;
const COLUMN = 5;
const PAGE = 6;
const FIRST_COLUMN = 7;
const LAST_COLUMN = 8;
const FIRST_PAGE = 9;
const LAST_PAGE = 10;
const START_LINE = 11;
const OFFSET = 12;
/** The number of the last row that is driven. */
const LAST_ROW = 13;
const SEGMENTS_REMAPPED = 14;
const ROWS_REMAPPED = 15;
/** The command that waits for more, how many bytes more, and those that have come. */
const COMMAND = 16;
const MISSING = 17;
const COUNT = 18;
const PARAMETERS = 19;
const MEMORY = 64;
const PICTURE = MEMORY + MEMORY_SIZE;

const HORIZONTAL = 0;
const VERTICAL = 1;
const BY_PAGE = 2;

const CONTINUES = 0x80;
const IS_DATA = 0x40;
const IS_OFF = 0x40;

/** How many bytes follow a command, where some do. */
const LENGTHS = new Map([
  ...[0x20, 0x81, 0x8d, 0xa8, 0xd3, 0xd5, 0xd9, 0xda, 0xdb].map((command) => [command, 1] as const),
  ...[0x21, 0x22, 0xa3].map((command) => [command, 2] as const),
  ...[0x29, 0x2a].map((command) => [command, 5] as const),
  ...[0x26, 0x27].map((command) => [command, 6] as const),
]);

function propertiesOf(height: number) {
  return {
    picture: {
      type: "bytes",
      set: "never",
      count: ROW * height,
      what: "a byte",
      at: PICTURE,
      picture: { width: WIDTH, height, bits: 1 },
      help: "what is seen",
    },
    on: { type: "boolean", set: "never", help: "whether the guest has switched the display on" },
    contrast: {
      type: "integer",
      set: "never",
      from: 0,
      to: 255,
      help: "the contrast that the guest has set",
    },
  } as const satisfies Properties;
}

type DisplayProperties = ReturnType<typeof propertiesOf>;

class Ssd1306 implements I2cPart {
  readonly #context: PartContext<DisplayProperties>;
  /** Rows of the glass. */
  readonly #height: number;
  readonly #state: DataView;
  /** What the next byte is: a control byte, or what the last one has said. */
  #isControl = true;
  #control = 0;
  /** The whole picture may have changed. */
  #isStale = false;
  /** The rows of it that have, from and to. */
  #top = ROWS;
  #bottom = 0;

  constructor(context: PartContext<DisplayProperties>, height: number) {
    this.#context = context;
    this.#state = context.state;
    this.#height = height;
  }

  start(): boolean {
    this.#context.watch.begin();
    this.#isControl = true;
    return true;
  }

  write(byte: number): boolean {
    if (this.#isControl) {
      this.#control = byte;
      this.#isControl = false;
      return true;
    }
    if ((this.#control & IS_DATA) !== 0) this.#data(byte);
    else this.#command(byte);
    this.#isControl = (this.#control & CONTINUES) !== 0;
    return true;
  }

  read(): number {
    return this.#state.getUint8(ON) === 1 ? 0 : IS_OFF;
  }

  stop(): void {
    if (this.#isStale) this.#drawAll();
    const { changes, watch } = this.#context;
    const rows = this.#bottom - this.#top;
    if (rows > 0) changes.tellBytes("picture", this.#top * ROW, rows * ROW);
    this.#top = ROWS;
    this.#bottom = 0;
    watch.end();
  }

  #data(byte: number): void {
    const state = this.#state;
    const column = state.getUint8(COLUMN);
    const page = state.getUint8(PAGE);
    state.setUint8(MEMORY + page * WIDTH + column, byte);
    if (!this.#isStale) this.#draw(page, column);
    this.#advance(column, page);
  }

  #advance(column: number, page: number): void {
    const state = this.#state;
    const mode = state.getUint8(MODE);
    if (mode === BY_PAGE) return state.setUint8(COLUMN, (column + 1) % WIDTH);
    const endsRow = column === state.getUint8(LAST_COLUMN);
    const endsColumn = page === state.getUint8(LAST_PAGE);
    if (mode === HORIZONTAL || endsColumn) {
      state.setUint8(COLUMN, endsRow ? state.getUint8(FIRST_COLUMN) : (column + 1) % WIDTH);
    }
    if (mode === VERTICAL || endsRow) {
      state.setUint8(PAGE, endsColumn ? state.getUint8(FIRST_PAGE) : (page + 1) % PAGES);
    }
  }

  #command(byte: number): void {
    const state = this.#state;
    const missing = state.getUint8(MISSING);
    if (missing === 0) {
      const length = LENGTHS.get(byte) ?? 0;
      if (length === 0) return this.#simple(byte);
      state.setUint8(COMMAND, byte);
      state.setUint8(MISSING, length);
      state.setUint8(COUNT, 0);
      return;
    }
    const count = state.getUint8(COUNT);
    state.setUint8(PARAMETERS + count, byte);
    state.setUint8(COUNT, count + 1);
    state.setUint8(MISSING, missing - 1);
    if (missing === 1) this.#withParameters(state.getUint8(COMMAND));
  }

  /** A command of one byte. */
  #simple(command: number): void {
    const state = this.#state;
    const low = command & 0x0f;
    switch (command & 0xf0) {
      case 0x00:
        return state.setUint8(COLUMN, state.getUint8(COLUMN) & 0x70 | low);
      case 0x10:
        return state.setUint8(COLUMN, state.getUint8(COLUMN) & 0x0f | (low & 7) << 4);
      case 0x40:
      case 0x50:
      case 0x60:
      case 0x70:
        return this.#see(START_LINE, command & 0x3f);
      case 0xb0:
        return state.setUint8(PAGE, low % PAGES);
      case 0xc0:
        return this.#see(ROWS_REMAPPED, low >> 3);
    }
    switch (command & 0xfe) {
      case 0xa0:
        return this.#see(SEGMENTS_REMAPPED, low & 1);
      case 0xa4:
        return this.#see(ALL_LIT, low & 1);
      case 0xa6:
        return this.#see(INVERTED, low & 1);
      case 0xae:
        return this.#see(ON, low & 1);
    }
  }

  #withParameters(command: number): void {
    const state = this.#state;
    const first = state.getUint8(PARAMETERS);
    const second = state.getUint8(PARAMETERS + 1);
    switch (command) {
      case 0x20:
        return state.setUint8(MODE, Math.min(first & 3, BY_PAGE));
      case 0x21:
        state.setUint8(FIRST_COLUMN, first % WIDTH);
        state.setUint8(LAST_COLUMN, second % WIDTH);
        return state.setUint8(COLUMN, first % WIDTH);
      case 0x22:
        state.setUint8(FIRST_PAGE, first % PAGES);
        state.setUint8(LAST_PAGE, second % PAGES);
        return state.setUint8(PAGE, first % PAGES);
      case 0x81:
        return state.setUint8(CONTRAST, first);
      case 0xa8:
        return this.#see(LAST_ROW, first & 0x3f);
      case 0xd3:
        return this.#see(OFFSET, first & 0x3f);
    }
  }

  /** Sets something that changes what is seen. */
  #see(at: number, value: number): void {
    if (this.#state.getUint8(at) === value) return;
    this.#state.setUint8(at, value);
    this.#isStale = true;
  }

  #drawAll(): void {
    this.#isStale = false;
    const state = this.#state;
    const end = PICTURE + ROW * this.#height;
    for (let at = PICTURE; at < end; at++) state.setUint8(at, 0);
    for (let page = 0; page < PAGES; page++) {
      for (let column = 0; column < WIDTH; column++) this.#draw(page, column);
    }
    this.#top = 0;
    this.#bottom = this.#height;
  }

  /** Draws the pixels of a byte of the memory. */
  #draw(page: number, column: number): void {
    const state = this.#state;
    const byte = state.getUint8(MEMORY + page * WIDTH + column);
    const isOn = state.getUint8(ON) === 1;
    const allLit = state.getUint8(ALL_LIT) === 1;
    const inverted = state.getUint8(INVERTED);
    const last = state.getUint8(LAST_ROW);
    const x = state.getUint8(SEGMENTS_REMAPPED) === 1 ? column : WIDTH - 1 - column;
    for (let bit = 0; bit < 8; bit++) {
      const row = (8 * page + bit + ROWS - state.getUint8(START_LINE)) % ROWS;
      const y = this.#place(row, last);
      if (row > last || y < 0) continue;
      const lit = isOn && (allLit || (byte >> bit & 1) !== inverted);
      this.#set(PICTURE + y * ROW + (x >> 3), 0x80 >> (x & 7), lit, y);
    }
  }

  /** Where on the glass a row is driven; below 0 for not at all. */
  #place(row: number, last: number): number {
    const offset = this.#state.getUint8(OFFSET);
    const pin = this.#state.getUint8(ROWS_REMAPPED) === 1 ? last + offset - row : row - offset;
    return this.#height - 1 - (pin + ROWS) % ROWS;
  }

  #set(at: number, bit: number, lit: boolean, y: number): void {
    const before = this.#state.getUint8(at);
    const after = lit ? before | bit : before & ~bit;
    if (after === before) return;
    this.#state.setUint8(at, after);
    this.#top = Math.min(this.#top, y);
    this.#bottom = Math.max(this.#bottom, y + 1);
  }
}

function model(name: string, height: number): I2cPartModel<DisplayProperties> {
  return {
    name,
    help: `display of ${WIDTH} x ${height} pixels`,
    properties: propertiesOf(height),
    stateSize: () => PICTURE + ROW * height,

    initialize(_settings, state) {
      state.setUint8(CONTRAST, 0x7f);
      state.setUint8(MODE, BY_PAGE);
      state.setUint8(LAST_COLUMN, WIDTH - 1);
      state.setUint8(LAST_PAGE, PAGES - 1);
      state.setUint8(LAST_ROW, ROWS - 1);
    },

    live: {
      on: { get: (state) => state.getUint8(ON) === 1 },
      contrast: { get: (state) => state.getUint8(CONTRAST) },
    },

    create: (context) => new Ssd1306(context, height),
  };
}

/** `ssd1306`, `ssd1306-128x32` */
export const displays: readonly I2cPartModel<DisplayProperties>[] = [
  model("ssd1306", 64),
  model("ssd1306-128x32", 32),
];
