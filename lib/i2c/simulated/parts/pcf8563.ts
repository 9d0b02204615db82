/**
 * The clock PCF8563.
 *
 * Registers of a byte, in binary-coded decimals; after the last comes the first:
 *
 * ```
 * 00        control 1; bit 5 stops the clock
 * 01        control 2; bit 3 is the flag of the alarm, bit 1 enables its interrupt
 * 02        seconds; bit 7 says that the supply was too low for the time to be right
 * 03 - 05   minutes, hours, day
 * 06        weekday, from 0 to 6
 * 07        month; bit 7 is kept for whoever counts centuries by it
 * 08        year
 * 09 - 0c   alarm: minute, hour, day, weekday; bit 7 leaves one out
 * 0d - 0f   clock output, timer
 * ```
 *
 * It begins with the time of the host's clock in UTC, or the one that it is given. The flag of the
 * alarm is set when a minute begins that fits all of it that is not left out; INT calls while it is
 * set and its interrupt enabled.
 *
 * Not modelled: timer and clock output, whose registers keep what is written but do nothing; the test
 * modes; that the century's bit changes by itself; and the battery: the time does not outlive the
 * daemon.
 *
 * State: the clock, u8 supply too low, u8 century, from byte 32 on those registers that are no time,
 * and f64 the last minute that the alarm was compared with.
 *
 * Source: data sheet of PCF8563.
 *
 * @module
 */

import { monotonicTime } from "../../../../ffi/clock.ts";
import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import {
  Clock,
  CLOCK_SIZE,
  ClockPart,
  clockTime,
  fromBcd,
  liveTime,
  timeOf,
  toBcd,
  weekdayOf,
} from "../clock.ts";
import type { I2cPartModel } from "../part.ts";

const VOLTAGE_LOW = CLOCK_SIZE;
const CENTURY = CLOCK_SIZE + 1;
const KEPT = 32;
const REGISTERS = 16;
const COMPARED = KEPT + REGISTERS;
const STATE_SIZE = COMPARED + 8;

const CONTROL_2 = KEPT + 1;
const ALARM = KEPT + 9;
const ALARM_FLAG = 0x08;
const TIMER_FLAG = 0x04;
const ALARM_ENABLED = 0x02;
const LEFT_OUT = 0x80;
/** Of an alarm's registers, the bits that are compared. */
const ALARM_BITS = [0x7f, 0x3f, 0x3f, 0x07];

const MINUTE = 60_000;
const HOUR = 60;
const DAY = 24 * HOUR;
/** An alarm may be a month away; one that is longer ago than that is forgotten. */
const LONGEST = 31 * DAY;
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
  interrupt: {
    type: "boolean",
    set: "never",
    interrupt: "active-low",
    help: "whether INT calls: it is the time of the alarm",
  },
} as const satisfies Properties;

/** The minute that it is, since 1970. */
function minuteOf(state: DataView): number {
  return Math.floor(timeOf(state) / MINUTE);
}

/** Whether an alarm's register fits, or is left out. */
function fits(state: DataView, index: number, value: number): boolean {
  const alarm = state.getUint8(ALARM + index);
  return (alarm & LEFT_OUT) !== 0 || (alarm & ALARM_BITS[index]) === value;
}

/** Whether a minute is that of the alarm, of which something is not left out. */
function isAlarm(state: DataView, minute: number): boolean {
  // What is seldom so comes first, for it is asked of many minutes.
  if (!fits(state, 0, toBcd(minute % HOUR))) return false;
  if (!fits(state, 1, toBcd(Math.floor(minute / HOUR) % 24))) return false;
  if (!fits(state, 3, weekdayOf(state, minute * MINUTE))) return false;
  return fits(state, 2, toBcd(new Date(minute * MINUTE).getUTCDate()));
}

function hasAlarm(state: DataView): boolean {
  for (let index = 0; index < ALARM_BITS.length; index++) {
    if ((state.getUint8(ALARM + index) & LEFT_OUT) === 0) return true;
  }
  return false;
}

/** Compares the alarm with the minutes that have begun since that was last done. */
function compare(state: DataView): void {
  const now = minuteOf(state);
  const first = Math.max(state.getFloat64(COMPARED) + 1, now - LONGEST);
  state.setFloat64(COMPARED, now);
  if (!hasAlarm(state)) return;
  for (let minute = first; minute <= now; minute++) {
    if (!isAlarm(state, minute)) continue;
    state.setUint8(CONTROL_2, state.getUint8(CONTROL_2) | ALARM_FLAG);
    return;
  }
}

/** When the alarm is next to be compared, on the clock of `monotonicTime()`. */
function due(state: DataView): number {
  const control = state.getUint8(CONTROL_2);
  const isWaited = (control & ALARM_ENABLED) !== 0 && (control & ALARM_FLAG) === 0;
  if (!isWaited || !hasAlarm(state) || new Clock(state).isStopped) return Infinity;
  let minute = minuteOf(state) + 1;
  // One that is further away is looked for again in a day.
  for (const last = minute + DAY; minute < last && !isAlarm(state, minute);) minute++;
  return monotonicTime() + minute * MINUTE - timeOf(state);
}

class Pcf8563 extends ClockPart {
  constructor(context: PartContext<typeof properties>) {
    super(context, REGISTERS);
  }

  override start(read: boolean): boolean {
    compare(this.state);
    return super.start(read);
  }

  protected override timeSet(): void {
    this.state.setFloat64(COMPARED, minuteOf(this.state));
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
    const before = this.state.getUint8(KEPT + register);
    this.state.setUint8(KEPT + register, byte & KEPT_BITS[register]);
    // Flags can be cleared, not set.
    const flags = ALARM_FLAG | TIMER_FLAG;
    if (register === 1) this.state.setUint8(CONTROL_2, byte & 0x1f & (before | ~flags));
    if (register === 0) this.clock.stop((byte & STOPS) !== 0);
  }
}

/** `pcf8563` */
export const pcf8563: I2cPartModel<typeof properties> = {
  name: "pcf8563",
  help: "clock with an alarm, which says if its supply was too low",
  properties,
  stateSize: () => STATE_SIZE,

  initialize({ time, "voltage-low": isLow }, state) {
    if (time !== undefined) new Clock(state).time = Date.parse(time);
    state.setUint8(VOLTAGE_LOW, Number(isLow));
    for (const [register, value] of AT_FIRST) state.setUint8(KEPT + register, value);
    state.setFloat64(COMPARED, minuteOf(state));
  },

  live: {
    time: {
      get: liveTime.get,
      set(state, value: string) {
        compare(state);
        liveTime.set(state, value);
        state.setFloat64(COMPARED, minuteOf(state));
      },
    },
    "voltage-low": {
      get: (state) => state.getUint8(VOLTAGE_LOW) === 1,
      set: (state, value: boolean) => state.setUint8(VOLTAGE_LOW, Number(value)),
    },
    stopped: { get: (state) => new Clock(state).isStopped },
    interrupt: {
      get(state) {
        compare(state);
        const control = state.getUint8(CONTROL_2);
        return (control & ALARM_FLAG) !== 0 && (control & ALARM_ENABLED) !== 0;
      },
      due,
    },
  },

  create: (context) => new Pcf8563(context),
};
