/**
 * SPI transfers as the levels of SCLK, MOSI, MISO and the chip selects.
 *
 * Transfers over two lines use MOSI and MISO as IO0 and IO1, those over four and eight IO2 and up
 * as well; the highest bit is on the highest line.
 *
 * @module
 */

import type { Level, Wire, WireSink } from "./vcd.ts";

/** The wires of a bus. */
export interface SpiWires {
  readonly sclk: Wire;
  /** MOSI, MISO, and what else there is of data lines. */
  readonly data: readonly Wire[];
  /** By chip select. */
  readonly selects: readonly Wire[];
}

/** How one transfer goes over the wires. */
export interface SpiTransfer {
  readonly chipSelect: number;
  /** Clock polarity and phase, 0 or 1 each. */
  readonly polarity: 0 | 1;
  readonly phase: 0 | 1;
  readonly lsbFirst: boolean;
  readonly csHigh: boolean;
  readonly bitsPerWord: number;
  /** In Hz; 0 for as fast as it goes. */
  readonly frequency: number;
  /** Data lines in each direction: 1, 2, 4 or 8. */
  readonly txLines: number;
  readonly rxLines: number;
  /** How many bytes there are, be they known or not. */
  readonly length: number;
  /** Words in the byte order of memory, little-endian; empty for none. */
  readonly sent: Uint8Array;
  readonly received: Uint8Array;
}

/** What is drawn where nobody says how fast the clock is, in Hz. */
const USUAL_FREQUENCY = 1_000_000;
/** Between two messages, in nanoseconds. */
const PAUSE = 100;
const MOSI = 0;
const MISO = 1;

function wordBytes(bits: number): number {
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
}

/** Lines that a transfer's bits share. */
function linesOf({ sent, received, txLines, rxLines }: SpiTransfer): number {
  return Math.max(sent.length > 0 ? txLines : 1, received.length > 0 ? rxLines : 1);
}

/** Half a cycle of the clock in nanoseconds. */
function halfCycle({ frequency }: SpiTransfer): number {
  return 500_000_000 / (frequency || USUAL_FREQUENCY);
}

/** How long a transfer takes in nanoseconds. */
export function spiDuration(transfer: SpiTransfer): number {
  const words = Math.floor(transfer.length / wordBytes(transfer.bitsPerWord));
  const cycles = words * Math.ceil(transfer.bitsPerWord / linesOf(transfer));
  return 2 * cycles * halfCycle(transfer);
}

/** Draws what happens on one bus. */
export class SpiWave {
  readonly #sink: WireSink;
  readonly #wires: SpiWires;
  readonly #levels: Level[];
  /** By chip select: the levels of their wires. */
  readonly #selectLevels: Level[];
  #time = 0;
  #clock: 0 | 1 = 0;
  #selected = -1;
  #csHigh = false;

  constructor(sink: WireSink, wires: SpiWires) {
    this.#sink = sink;
    this.#wires = wires;
    this.#levels = wires.data.map(() => "z");
    this.#selectLevels = wires.selects.map(() => 1);
  }

  /** True while a chip is. */
  get isSelected(): boolean {
    return this.#selected >= 0;
  }

  /**
   * A transfer, with its chip selected before and left selected. Of bytes that are not known, there
   * is their time.
   *
   * @param time in nanoseconds; a bus that is still being drawn goes on where it is
   */
  transfer(time: number, transfer: SpiTransfer): void {
    const half = halfCycle(transfer);
    this.#time = Math.max(time, this.#time);
    this.#select(transfer, half);
    const begin = this.#time;
    const bytes = wordBytes(transfer.bitsPerWord);
    const length = Math.max(transfer.sent.length, transfer.received.length);
    for (let at = 0; at + bytes <= length; at += bytes) this.#word(transfer, at, bytes, half);
    this.#time = Math.max(this.#time, begin + spiDuration(transfer)) + half;
  }

  /**
   * The chip that is selected no longer is.
   *
   * @param time as for {@linkcode transfer}
   */
  deselect(time: number): void {
    if (this.#selected < 0) return;
    this.#time = Math.max(time, this.#time);
    this.#setSelect(this.#selected, this.#csHigh ? 0 : 1);
    for (let line = 0; line < this.#levels.length; line++) this.#drive(line, "z");
    this.#selected = -1;
    this.#time += PAUSE;
  }

  #select(transfer: SpiTransfer, half: number): void {
    const { chipSelect, csHigh, polarity } = transfer;
    if (this.#selected >= 0 && this.#selected !== chipSelect) this.deselect(this.#time);
    if (this.#clock !== polarity) {
      this.#setClock(polarity);
      this.#time += half;
    }
    if (this.#selected === chipSelect) return;
    const active = csHigh ? 1 : 0;
    if (this.#selectLevels[chipSelect] === active) {
      this.#setSelect(chipSelect, csHigh ? 0 : 1);
      this.#time += half;
    }
    this.#setSelect(chipSelect, active);
    this.#selected = chipSelect;
    this.#csHigh = csHigh;
    this.#time += half;
  }

  #word(transfer: SpiTransfer, at: number, bytes: number, half: number): void {
    const { polarity, phase, bitsPerWord, sent, received, txLines, rxLines } = transfer;
    const active = polarity === 0 ? 1 : 0;
    const lines = linesOf(transfer);
    for (let bit = 0; bit < bitsPerWord; bit += lines) {
      if (phase === 1) this.#setClock(active);
      if (sent.length > 0) this.#put(transfer, sent, at, bytes, bit, txLines, MOSI);
      if (received.length > 0) {
        this.#put(transfer, received, at, bytes, bit, rxLines, rxLines === 1 ? MISO : MOSI);
      }
      this.#time += half;
      this.#setClock(phase === 1 ? polarity : active);
      this.#time += half;
      if (phase === 0) this.#setClock(polarity);
    }
  }

  /** Puts the next bits of a word on the data lines from `first` on. */
  #put(
    { bitsPerWord, lsbFirst }: SpiTransfer,
    data: Uint8Array,
    at: number,
    bytes: number,
    bit: number,
    lines: number,
    first: number,
  ): void {
    for (let line = 0; line < lines; line++) {
      const number = bit + lines - 1 - line;
      const place = lsbFirst ? number : bitsPerWord - 1 - number;
      const byte = place >> 3;
      const level = place >= 0 && byte < bytes ? (data[at + byte] >> (place & 7)) & 1 : 0;
      this.#drive(first + line, level as 0 | 1);
    }
  }

  #drive(line: number, level: Level): void {
    if (this.#levels[line] === level) return;
    this.#levels[line] = level;
    this.#sink.change(this.#time, this.#wires.data[line], level);
  }

  #setSelect(chipSelect: number, level: 0 | 1): void {
    this.#selectLevels[chipSelect] = level;
    this.#sink.change(this.#time, this.#wires.selects[chipSelect], level);
  }

  #setClock(level: 0 | 1): void {
    this.#clock = level;
    this.#sink.change(this.#time, this.#wires.sclk, level);
  }
}
