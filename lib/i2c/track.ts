/**
 * Transactions of one guest as the levels of SCL and SDA.
 *
 * @module
 */

import type { RingEvent } from "../events/event_ring.ts";
import {
  I2C_FAILED,
  I2C_FIRST,
  I2C_LAST,
  I2C_MESSAGE,
  I2C_READ,
  I2C_TEN_BIT,
} from "../events/kinds.ts";
import { I2cWave } from "../trace/i2c_wave.ts";
import type { Track } from "../trace/track.ts";
import type { VcdWriter } from "../trace/vcd.ts";
import { TEN_BIT } from "./protocol.ts";

/** Draws the transactions of one guest. */
export class I2cTrack implements Track {
  readonly kinds = 1 << I2C_MESSAGE;
  readonly #frequencyOf: (address: number) => number;
  #vcd: VcdWriter | undefined;
  #wave: I2cWave | undefined;

  /** @param frequencyOf the clock of the bus that an address is on, in Hz */
  constructor(frequencyOf: (address: number) => number) {
    this.#frequencyOf = frequencyOf;
  }

  declare(vcd: VcdWriter, name: (wire: string) => string): void {
    this.#vcd = vcd;
    this.#wave = new I2cWave(vcd, vcd.wire(name("SCL"), 1), vcd.wire(name("SDA"), 1));
  }

  event(time: number, { first, second: flags, fourth: duration, data }: RingEvent): boolean {
    const wave = this.#wave!;
    const tenBit = (flags & I2C_TEN_BIT) !== 0;
    if (flags & I2C_FIRST) {
      const begin = Math.max(this.#vcd!.time, time - duration * 1000);
      wave.start(begin, this.#frequencyOf(tenBit ? TEN_BIT + first : first));
    } else if (wave.isActive) wave.restart();
    else return false;
    const read = (flags & I2C_READ) !== 0;
    const done = (flags & I2C_FAILED) === 0;
    wave.address(first, tenBit, read, done);
    // How far a message got that has failed, nobody knows.
    if (done) {
      const last = data.length - 1;
      for (let index = 0; index <= last; index++) wave.byte(data[index], !read || index < last);
    }
    if (flags & I2C_LAST) wave.stop();
    return true;
  }

  gap(_time: number): void {
    this.#wave!.stop();
  }
}
