/**
 * The clock PCF8563.
 *
 * Registers of a byte, in binary-coded decimals; after the last comes the first:
 *
 * ```
 * 00        control 1; bit 5 stops the clock
 * 01        control 2
 * 02        seconds; bit 7 says that the supply was too low for the time to be right
 * 03 - 05   minutes, hours, day
 * 06        weekday, from 0 to 6
 * 07        month; bit 7 is kept for whoever counts centuries by it
 * 08        year
 * 09 - 0c   alarm: minute, hour, day, weekday
 * 0d - 0f   clock output, timer
 * ```
 *
 * It begins with the time of the host's clock in UTC, or the one that it is given.
 *
 * Not modelled: alarm, timer and clock output, whose registers keep what is written but do nothing,
 * and with them the output INT; the test modes; that the century's bit changes by itself; and the
 * battery: the time does not outlive the daemon.
 *
 * State: the clock, u8 supply too low, u8 century, and from byte 32 on those registers that only
 * keep what is written.
 *
 * Source: data sheet of PCF8563.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import { Clock, CLOCK_SIZE, ClockPart, clockTime, fromBcd, liveTime, toBcd } from "../clock.ts";
import type { I2cPartModel } from "../part.ts";

const VOLTAGE_LOW = CLOCK_SIZE;
const CENTURY = CLOCK_SIZE + 1;
const KEPT = 32;
const REGISTERS = 16;

const STOPS = 0x20;
const LOW = 0x80;
const CENTURY_BIT = 0x80;
/** By register, the bits that are kept; of those that are no time. */
const KEPT_BITS = [0xa8, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xbf, 0xbf, 0x87, 0x83, 0x83, 0xff];
/** A register's value when the power comes on. */
const AT_FIRST: readonly (readonly [register: number, value: number])[] = [
  [0x09, 0x80],
  [0x0a, 0x80],
  [0x0b, 0x80],
  [0x0c, 0x80],
  [0x0d, 0x80],
  [0x0e, 0x03],
];

const properties = {
  time: clockTime,
  "voltage-low": {
    type: "boolean",
    set: "both",
    default: false,
    help: "whether the supply was too low for the time to be right, until the guest sets it",
  },
  stopped: { type: "boolean", set: "never", help: "whether the guest has stopped the clock" },
} as const satisfies Properties;

class Pcf8563 extends ClockPart {
  constructor(context: PartContext<typeof properties>) {
    super(context, REGISTERS);
  }

  override readRegister(register: number): number {
    const { seconds, minutes, hours, weekday, day, month, year } = this.fields;
    switch (register) {
      case 2:
        return toBcd(seconds) | (this.state.getUint8(VOLTAGE_LOW) === 1 ? LOW : 0);
      case 3:
        return toBcd(minutes);
      case 4:
        return toBcd(hours);
      case 5:
        return toBcd(day);
      case 6:
        return weekday;
      case 7:
        return toBcd(month) | this.state.getUint8(CENTURY);
      case 8:
        return toBcd(year);
      default:
        return this.state.getUint8(KEPT + register);
    }
  }

  override writeRegister(register: number, byte: number): void {
    switch (register) {
      case 2:
        this.state.setUint8(VOLTAGE_LOW, Number((byte & LOW) !== 0));
        return this.setField("seconds", fromBcd(byte & 0x7f));
      case 3:
        return this.setField("minutes", fromBcd(byte & 0x7f));
      case 4:
        return this.setField("hours", fromBcd(byte & 0x3f));
      case 5:
        return this.setField("day", fromBcd(byte & 0x3f));
      case 6:
        return this.setField("weekday", byte & 7);
      case 7:
        this.state.setUint8(CENTURY, byte & CENTURY_BIT);
        return this.setField("month", fromBcd(byte & 0x1f));
      case 8:
        return this.setField("year", fromBcd(byte));
    }
    this.state.setUint8(KEPT + register, byte & KEPT_BITS[register]);
    if (register === 0) this.clock.stop((byte & STOPS) !== 0);
  }
}

/** `pcf8563` */
export const pcf8563: I2cPartModel<typeof properties> = {
  name: "pcf8563",
  help: "clock that says if its supply was too low",
  properties,
  stateSize: () => KEPT + REGISTERS,

  initialize({ time, "voltage-low": isLow }, state) {
    if (time !== undefined) new Clock(state).time = Date.parse(time);
    state.setUint8(VOLTAGE_LOW, Number(isLow));
    for (const [register, value] of AT_FIRST) state.setUint8(KEPT + register, value);
  },

  live: {
    time: liveTime,
    "voltage-low": {
      get: (state) => state.getUint8(VOLTAGE_LOW) === 1,
      set: (state, value: boolean) => state.setUint8(VOLTAGE_LOW, Number(value)),
    },
    stopped: { get: (state) => new Clock(state).isStopped },
  },

  create: (context) => new Pcf8563(context),
};
