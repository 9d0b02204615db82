/**
 * I2C transactions as the levels of SCL and SDA.
 *
 * Source: I2C-bus specification (UM10204), sections 3.1.3 to 3.1.11.
 *
 * @module
 */

import type { Wire, WireSink } from "./vcd.ts";

/** First bits of a 10-bit address. */
const TEN_BIT_PREFIX = 0xf0;

/** Draws what happens on one bus. Both wires are high at rest. */
export class I2cWave {
  readonly #sink: WireSink;
  readonly #scl: Wire;
  readonly #sda: Wire;
  /** A quarter of a bit in nanoseconds. */
  #quarter = 0;
  /** Where the drawing has come to. */
  #time = -Infinity;
  #active = false;
  #data: 0 | 1 = 1;

  constructor(sink: WireSink, scl: Wire, sda: Wire) {
    this.#sink = sink;
    this.#scl = scl;
    this.#sda = sda;
  }

  /** True between a start and its stop. */
  get isActive(): boolean {
    return this.#active;
  }

  /**
   * A start.
   *
   * @param time in nanoseconds; a bus that is still being drawn goes on where it is
   * @param frequency in Hz
   */
  start(time: number, frequency: number): void {
    if (this.#active) return this.restart();
    this.#quarter = 250_000_000 / frequency;
    // A bus is free for a while between a stop and the next start.
    this.#time = Math.max(time, this.#time + 4 * this.#quarter);
    this.#begin();
  }

  /** A repeated start. */
  restart(): void {
    this.#setData(1);
    this.#advance(1);
    this.#sink.change(this.#time, this.#scl, 1);
    this.#advance(1);
    this.#begin();
  }

  /** The byte or bytes that an address takes. */
  address(address: number, tenBit: boolean, read: boolean, acknowledged: boolean): void {
    if (!tenBit) return this.byte(address * 2 + (read ? 1 : 0), acknowledged);
    const high = TEN_BIT_PREFIX | ((address >> 8) & 3) << 1;
    this.byte(high, acknowledged);
    if (acknowledged) this.byte(address & 0xff, true);
    if (!acknowledged || !read) return;
    this.restart();
    this.byte(high | 1, true);
  }

  /** Eight bits and the acknowledge bit, whoever drives them. */
  byte(value: number, acknowledged: boolean): void {
    for (let bit = 7; bit >= 0; bit--) this.#bit(((value >> bit) & 1) as 0 | 1);
    this.#bit(acknowledged ? 0 : 1);
  }

  /** The stop that ends a transaction. */
  stop(): void {
    if (!this.#active) return;
    this.#setData(0);
    this.#advance(1);
    this.#sink.change(this.#time, this.#scl, 1);
    this.#advance(1);
    this.#setData(1);
    this.#active = false;
  }

  #begin(): void {
    this.#active = true;
    this.#setData(0);
    this.#advance(2);
    this.#sink.change(this.#time, this.#scl, 0);
    this.#advance(1);
  }

  #bit(level: 0 | 1): void {
    this.#setData(level);
    this.#advance(1);
    this.#sink.change(this.#time, this.#scl, 1);
    this.#advance(2);
    this.#sink.change(this.#time, this.#scl, 0);
    this.#advance(1);
  }

  #setData(level: 0 | 1): void {
    if (level === this.#data) return;
    this.#data = level;
    this.#sink.change(this.#time, this.#sda, level);
  }

  #advance(quarters: number): void {
    this.#time += quarters * this.#quarter;
  }
}
