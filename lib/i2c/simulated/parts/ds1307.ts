/**
 * The clock DS1307, with 56 bytes of RAM.
 *
 * Registers of a byte, in binary-coded decimals; after the last comes the first:
 *
 * ```
 * 00        seconds; bit 7 stops the clock
 * 01        minutes
 * 02        hours; bit 6: from 1 to 12, with bit 5 for those after noon
 * 03        weekday, from 1 to 7
 * 04 - 06   day, month, year
 * 07        control of the square wave
 * 08 - 3f   RAM
 * ```
 *
 * Unlike a new one, it runs when the power comes on, with the time of the host's clock in UTC or the
 * one that it is given.
 *
 * Not modelled: the square wave, and the battery: RAM and time do not outlive the daemon.
 *
 * State: the clock, u8 12-hour mode, u8 control, and from byte 32 on the RAM.
 *
 * Source: data sheet of DS1307.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import { Clock, CLOCK_SIZE, ClockPart, clockTime, fromBcd, liveTime, toBcd } from "../clock.ts";
import type { I2cPartModel } from "../part.ts";

const TWELVE_HOURS = CLOCK_SIZE;
const CONTROL = CLOCK_SIZE + 1;
const RAM = 32;
const RAM_SIZE = 56;

const REGISTER_RAM = 8;
const REGISTERS = REGISTER_RAM + RAM_SIZE;
const STOPS = 0x80;
const IS_TWELVE = 0x40;
const AFTER_NOON = 0x20;
const CONTROL_BITS = 0x93;
const CONTROL_AT_FIRST = 0x03;

const properties = {
  time: clockTime,
  stopped: { type: "boolean", set: "both", default: false, help: "whether the clock is stopped" },
  ram: { type: "bytes", set: "both", count: RAM_SIZE, what: "a byte", at: RAM, help: "its RAM" },
} as const satisfies Properties;

class Ds1307 extends ClockPart {
  readonly #changes: PartContext<typeof properties>["changes"];
  /** What has been written of the RAM, from and to. */
  #low = RAM_SIZE;
  #high = 0;

  constructor(context: PartContext<typeof properties>) {
    super(context, REGISTERS);
    this.#changes = context.changes;
  }

  override readRegister(register: number): number {
    const { seconds, minutes, weekday, day, month, year } = this.fields;
    switch (register) {
      case 0:
        return toBcd(seconds) | (this.clock.isStopped ? STOPS : 0);
      case 1:
        return toBcd(minutes);
      case 2:
        return this.#hours();
      case 3:
        return weekday + 1;
      case 4:
        return toBcd(day);
      case 5:
        return toBcd(month);
      case 6:
        return toBcd(year);
      case 7:
        return this.state.getUint8(CONTROL);
      default:
        return this.state.getUint8(RAM + register - REGISTER_RAM);
    }
  }

  override writeRegister(register: number, byte: number): void {
    switch (register) {
      case 0:
        this.clock.stop((byte & STOPS) !== 0);
        return this.setField("seconds", fromBcd(byte & 0x7f));
      case 1:
        return this.setField("minutes", fromBcd(byte & 0x7f));
      case 2:
        return this.#setHours(byte);
      case 3:
        return this.setField("weekday", (byte & 7) + 6);
      case 4:
        return this.setField("day", fromBcd(byte & 0x3f));
      case 5:
        return this.setField("month", fromBcd(byte & 0x1f));
      case 6:
        return this.setField("year", fromBcd(byte));
      case 7:
        return this.state.setUint8(CONTROL, byte & CONTROL_BITS);
    }
    const at = register - REGISTER_RAM;
    this.state.setUint8(RAM + at, byte);
    this.#low = Math.min(this.#low, at);
    this.#high = Math.max(this.#high, at + 1);
  }

  override stop(): void {
    if (this.#high > 0) this.#changes.tellBytes("ram", this.#low, this.#high - this.#low);
    this.#low = RAM_SIZE;
    this.#high = 0;
    super.stop();
  }

  #hours(): number {
    const { hours } = this.fields;
    if (this.state.getUint8(TWELVE_HOURS) === 0) return toBcd(hours);
    return IS_TWELVE | (hours >= 12 ? AFTER_NOON : 0) | toBcd((hours + 11) % 12 + 1);
  }

  #setHours(byte: number): void {
    const isTwelve = (byte & IS_TWELVE) !== 0;
    this.state.setUint8(TWELVE_HOURS, Number(isTwelve));
    if (!isTwelve) return this.setField("hours", fromBcd(byte & 0x3f));
    const half = (byte & AFTER_NOON) !== 0 ? 12 : 0;
    this.setField("hours", fromBcd(byte & 0x1f) % 12 + half);
  }
}

/** `ds1307` */
export const ds1307: I2cPartModel<typeof properties> = {
  name: "ds1307",
  help: "clock with 56 bytes of RAM",
  properties,
  stateSize: () => RAM + RAM_SIZE,

  initialize({ time, stopped }, state) {
    const clock = new Clock(state);
    if (time !== undefined) clock.time = Date.parse(time);
    clock.stop(stopped);
    state.setUint8(CONTROL, CONTROL_AT_FIRST);
  },

  live: {
    time: liveTime,
    stopped: {
      get: (state) => new Clock(state).isStopped,
      set: (state, value: boolean) => new Clock(state).stop(value),
    },
  },

  create: (context) => new Ds1307(context),
};
