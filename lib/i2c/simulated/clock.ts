/**
 * Clock chips: registers of a byte behind a pointer that moves on by itself, and the time: that of
 * the host's clock, or as far before or after it as somebody has set it, until it is stopped.
 *
 * In UTC, with registers in binary-coded decimals and years of two digits, 2000 to 2099.
 *
 * @module
 */

import { timeText } from "../../simulation/moment.ts";
import type { PartContext } from "../../simulation/part.ts";
import type { Properties, TimeProperty } from "../../simulation/property.ts";
import type { I2cPart } from "./part.ts";

/**
 * The bytes of state that a clock takes, its first ones: f64 how far ahead it is, f64 the time if it
 * is stopped, u8 weekday, u8 number of the register.
 */
export const CLOCK_SIZE = 24;

const AHEAD = 0;
/** 0 while it runs. */
const STOPPED_AT = 8;
/** How many days further the weekday is than the date says. */
const WEEKDAY = 16;
const NUMBER = 17;

const DAY = 86_400_000;
const FIRST = Date.UTC(2000, 0, 1);
const CENTURY = Date.UTC(2100, 0, 1) - FIRST;

/** The time as a property. */
export const clockTime = {
  type: "time",
  set: "both",
  years: [2000, 2099],
  help: "the time that it has; that of the host's clock if left out",
} as const satisfies TimeProperty;

/** What a clock's registers say, each a number of its own; months and days of it count from 1. */
export interface ClockFields {
  seconds: number;
  minutes: number;
  hours: number;
  /** 0 is Sunday, as far as whoever has set it sees it so. */
  weekday: number;
  day: number;
  month: number;
  /** 0 to 99. */
  year: number;
}

/** The time of a clock, in milliseconds since 1970; for parts that look at it often. */
export function timeOf(state: DataView): number {
  const stopped = state.getFloat64(STOPPED_AT);
  const time = stopped || Date.now() + state.getFloat64(AHEAD);
  // After the last year comes the first.
  return FIRST + ((time - FIRST) % CENTURY + CENTURY) % CENTURY;
}

/** The weekday that a clock has on the day of a time. */
export function weekdayOf(state: DataView, time: number): number {
  return (Math.floor(time / DAY + 4) + state.getUint8(WEEKDAY)) % 7;
}

/** The time of one clock chip; all calls come from whoever has its bus. */
export class Clock {
  readonly #state: DataView;

  /** @param state of the part, which begins with the clock's */
  constructor(state: DataView) {
    this.#state = state;
  }

  /** In milliseconds since 1970. */
  get time(): number {
    return timeOf(this.#state);
  }

  set time(time: number) {
    const stopped = this.#state.getFloat64(STOPPED_AT);
    if (stopped !== 0) this.#state.setFloat64(STOPPED_AT, time);
    else this.#state.setFloat64(AHEAD, time - Date.now());
  }

  get isStopped(): boolean {
    return this.#state.getFloat64(STOPPED_AT) !== 0;
  }

  /** Stops it, or lets it run on from where it stands. */
  stop(stops: boolean): void {
    if (stops === this.isStopped) return;
    const { time } = this;
    this.#state.setFloat64(STOPPED_AT, stops ? time : 0);
    if (!stops) this.#state.setFloat64(AHEAD, time - Date.now());
  }

  /** Reads all fields at one moment. */
  read(fields: ClockFields): void {
    const { time } = this;
    const date = new Date(time);
    fields.seconds = date.getUTCSeconds();
    fields.minutes = date.getUTCMinutes();
    fields.hours = date.getUTCHours();
    fields.weekday = weekdayOf(this.#state, time);
    fields.day = date.getUTCDate();
    fields.month = date.getUTCMonth() + 1;
    fields.year = date.getUTCFullYear() % 100;
  }

  /**
   * Sets all fields. What is no date is the one that so many days after the month's beginning is.
   *
   * @param restarts the second begins anew
   */
  write(fields: ClockFields, restarts: boolean): void {
    const { seconds, minutes, hours, weekday, day, month, year } = fields;
    const fraction = restarts ? 0 : this.time % 1000;
    this.time = Date.UTC(2000 + year % 100, month - 1, day, hours, minutes, seconds) + fraction;
    this.#state.setUint8(WEEKDAY, 0);
    this.#state.setUint8(WEEKDAY, (weekday % 7 + 7 - weekdayOf(this.#state, this.time)) % 7);
  }
}

/** A number from 0 to 99 in a register. */
export function toBcd(value: number): number {
  return Math.floor(value / 10) << 4 | value % 10;
}

/** And back; digits beyond 9 count on. */
export function fromBcd(byte: number): number {
  return (byte >> 4) * 10 + (byte & 0xf);
}

/** Such a chip at work. What is read are the registers as they were at the start. */
export abstract class ClockPart implements I2cPart {
  protected readonly state: DataView;
  protected readonly clock: Clock;
  readonly #context: Pick<PartContext<Properties>, "changes" | "watch">;
  readonly #count: number;
  readonly #fields: ClockFields = {
    seconds: 0,
    minutes: 0,
    hours: 0,
    weekday: 0,
    day: 1,
    month: 1,
    year: 0,
  };
  #numbered = false;
  #isSet = false;
  #restarts = false;

  /** @param count of its registers, after the last of which comes the first */
  constructor(
    context: Pick<PartContext<Properties>, "changes" | "state" | "watch">,
    count: number,
  ) {
    this.#context = context;
    this.state = context.state;
    this.clock = new Clock(context.state);
    this.#count = count;
  }

  protected abstract readRegister(register: number): number;
  protected abstract writeRegister(register: number, byte: number): void;

  protected get fields(): Readonly<ClockFields> {
    return this.#fields;
  }

  /** Sets a field; the clock runs on from there at the end of the message. */
  protected setField(name: keyof ClockFields, value: number): void {
    this.#fields[name] = value;
    this.#isSet = true;
    if (name === "seconds") this.#restarts = true;
  }

  /** The guest has set the time. */
  protected timeSet(): void {}

  start(_read: boolean): boolean {
    this.#context.watch.begin();
    this.#numbered = false;
    this.#runOn();
    this.clock.read(this.#fields);
    return true;
  }

  write(byte: number): boolean {
    if (this.#numbered) {
      this.writeRegister(this.#next(), byte);
    } else {
      this.#numbered = true;
      this.state.setUint8(NUMBER, byte % this.#count);
    }
    return true;
  }

  read(): number {
    return this.readRegister(this.#next());
  }

  stop(): void {
    this.#runOn();
    this.#context.watch.end();
  }

  #next(): number {
    const register = this.state.getUint8(NUMBER);
    this.state.setUint8(NUMBER, (register + 1) % this.#count);
    return register;
  }

  #runOn(): void {
    if (!this.#isSet) return;
    this.clock.write(this.#fields, this.#restarts);
    this.#isSet = this.#restarts = false;
    this.timeSet();
    this.#context.changes.tell("time", this.clock.time);
  }
}

/** How the time is read and set while guests run. */
export const liveTime = {
  get: (state: DataView): string => timeText(new Clock(state).time),
  set(state: DataView, value: string): void {
    new Clock(state).time = Date.parse(value);
  },
};
