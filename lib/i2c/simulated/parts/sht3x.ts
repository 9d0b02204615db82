/**
 * The humidity and temperature sensors SHT30, SHT31 and SHT35.
 *
 * A command has two bytes. What is read after it are words of two bytes, high byte first, each with
 * a CRC-8 of the polynomial 0x31 that begins with 0xff; words that are written have one as well.
 *
 * ```
 * 2400 240b 2416   measure once; in 15, 6 or 4 ms at most
 * 2c06 2c0d 2c10   the same, with the clock stretched when the result is read too early
 * 20xx - 27xx      measure periodically, every 2 s to 100 ms; e000 reads the last result
 * 3093             end of that
 * f32d 3041        status, and clear it
 * 306d 3066        heater on and off
 * 30a2             reset
 * 3780             serial number
 * e1xx 61xx        alert limits: 7 bits of the humidity and 9 of the temperature
 * ```
 *
 * A result is read once: after that, and before there is one, the address is not acknowledged. A
 * result is looked at for alerts when it is measured.
 *
 * Not modelled: that the heater heats, noise, the accelerated response time, the general call's
 * reset; and ALERT calls after a single measurement, too.
 *
 * State: f64 temperature, f64 humidity, f64 time at which the result is ready or the periodic
 * measurement has begun, as `monotonicTime()`, u16 status, u16 command, u16 period in milliseconds (0 for
 * none), u16 unused, f64 number of the period whose result was read, four be16 limits, two be16
 * results, u8 whether there is a result.
 *
 * Source: data sheet of SHT3x-DIS, and "SHT3x-DIS Alert Mode".
 *
 * @module
 */

import { monotonicTime } from "../../../../ffi/clock.ts";
import type { PartContext } from "../../../simulation/part.ts";
import type { Properties, Settings } from "../../../simulation/property.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";
import { clamp } from "../word_registers.ts";

const CELSIUS = 0;
const HUMIDITY = 8;
const SINCE = 16;
const STATUS = 24;
const COMMAND = 26;
const PERIOD = 28;
const READ_PERIOD = 32;
const LIMITS = 40;
const RESULT = 48;
const HAS_RESULT = 52;
const STATE_SIZE = 56;

const ALERT = 0x8000;
const HEATER = 0x2000;
const HUMIDITY_ALERT = 0x0800;
const TEMPERATURE_ALERT = 0x0400;
const RESET = 0x0010;
const COMMAND_FAILED = 0x0002;
const CHECKSUM_FAILED = 0x0001;
const ALERTS = ALERT | HUMIDITY_ALERT | TEMPERATURE_ALERT;

const COMMAND_FETCH = 0xe000;
const COMMAND_BREAK = 0x3093;
const COMMAND_RESET = 0x30a2;
const COMMAND_HEATER_ON = 0x306d;
const COMMAND_HEATER_OFF = 0x3066;
const COMMAND_STATUS = 0xf32d;
const COMMAND_CLEAR = 0x3041;
const COMMAND_SERIAL = 0x3780;
/** Commands that measure once, and how long that takes in milliseconds. */
const SINGLE = new Map([
  [0x2400, 12.5],
  [0x240b, 4.5],
  [0x2416, 2.5],
  [0x2c06, 12.5],
  [0x2c0d, 4.5],
  [0x2c10, 2.5],
]);
/** The first byte of those that measure periodically, and the period in milliseconds. */
const PERIODIC = new Map([[0x20, 2000], [0x21, 1000], [0x22, 500], [0x23, 250], [0x27, 100]]);
/** The first byte of those that stretch the clock. */
const STRETCHES = 0x2c;

// Places of the limits.
const HIGH_SET = 0;
const HIGH_CLEAR = 1;
const LOW_CLEAR = 2;
const LOW_SET = 3;
/** Commands that read a limit, and those that write one. */
const READ_LIMIT = [0xe11f, 0xe114, 0xe109, 0xe102];
const WRITE_LIMIT = [0x611d, 0x6116, 0x610b, 0x6100];
/** Limits when the power comes on: °C and %. */
const LIMITS_AT_FIRST: readonly (readonly [celsius: number, humidity: number])[] = [
  [60, 80],
  [58, 79],
  [-9, 22],
  [-10, 20],
];

/** What is read where there is nothing. */
const NOTHING = 0xff;
const POLYNOMIAL = 0x31;

const properties = {
  temperature: {
    type: "number",
    set: "both",
    what: "a temperature",
    from: -45,
    to: 130,
    unit: "°C",
    default: 25,
    help: "the temperature that it measures",
  },
  humidity: {
    type: "number",
    set: "both",
    what: "a humidity",
    from: 0,
    to: 100,
    unit: "%",
    default: 50,
    help: "the relative humidity that it measures",
  },
  "serial-number": {
    type: "integer",
    set: "start",
    from: 0,
    to: 0xffffffff,
    base: 16,
    default: 1,
    help: "the number that tells it from others",
  },
  heater: { type: "boolean", set: "never", help: "whether the guest has switched the heater on" },
  interrupt: {
    type: "boolean",
    set: "never",
    interrupt: "active-high",
    help: "whether ALERT calls: a result was beyond a limit",
  },
} as const satisfies Properties;

/** CRC-8 of a word. */
function checksum(word: number): number {
  let crc = 0xff;
  for (const byte of [word >> 8, word & 0xff]) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc << 1 ^ ((crc & 0x80) !== 0 ? POLYNOMIAL : 0)) & 0xff;
    }
  }
  return crc;
}

function temperatureWord(celsius: number): number {
  return clamp(Math.round((celsius + 45) / 175 * 0xffff), 0, 0xffff);
}

function humidityWord(percent: number): number {
  return clamp(Math.round(percent / 100 * 0xffff), 0, 0xffff);
}

function limitWord(celsius: number, percent: number): number {
  return humidityWord(percent) & 0xfe00 | temperatureWord(celsius) >> 7;
}

function setStatus(state: DataView, bits: number, set: boolean): void {
  const others = state.getUint16(STATUS) & ~bits;
  state.setUint16(STATUS, set ? others | bits : others);
}

/** An alert begins beyond a limit and ends within the one before it. */
function isAlert(state: DataView, before: number, value: number, part: (limit: number) => number) {
  const limit = (name: number) => part(state.getUint16(LIMITS + 2 * name));
  if (value > limit(HIGH_SET) || value < limit(LOW_SET)) return true;
  const isOver = value < limit(HIGH_CLEAR) && value > limit(LOW_CLEAR);
  return !isOver && (state.getUint16(STATUS) & before) !== 0;
}

function measure(state: DataView): void {
  const temperature = temperatureWord(state.getFloat64(CELSIUS));
  const humidity = humidityWord(state.getFloat64(HUMIDITY));
  state.setUint16(RESULT, temperature);
  state.setUint16(RESULT + 2, humidity);
  state.setUint8(HAS_RESULT, 1);
  const warm = isAlert(state, TEMPERATURE_ALERT, temperature >> 7, (limit) => limit & 0x1ff);
  const humid = isAlert(state, HUMIDITY_ALERT, humidity >> 9, (limit) => limit >> 9);
  setStatus(state, TEMPERATURE_ALERT, warm);
  setStatus(state, HUMIDITY_ALERT, humid);
  // Cleared with the status only, or when both are over.
  setStatus(state, ALERT, warm || humid);
}

function powerUp(state: DataView): void {
  state.setUint16(STATUS, RESET);
  state.setUint16(COMMAND, 0);
  state.setUint16(PERIOD, 0);
  state.setUint8(HAS_RESULT, 0);
  LIMITS_AT_FIRST.forEach(([celsius, humidity], limit) =>
    state.setUint16(LIMITS + 2 * limit, limitWord(celsius, humidity))
  );
}

class Sht3x implements I2cPart {
  readonly #state: DataView;
  readonly #settings: Settings<typeof properties>;
  readonly #watch: PartContext<typeof properties>["watch"];
  /** How many bytes of the message there have been. */
  #count = 0;
  /** The word that is being written. */
  #word = 0;
  readonly #answer = new Uint16Array(2);
  #answerLength = 0;

  constructor({ state, settings, watch }: PartContext<typeof properties>) {
    this.#state = state;
    this.#settings = settings;
    this.#watch = watch;
  }

  stretch(): number {
    const command = this.#state.getUint16(COMMAND);
    return command >> 8 === STRETCHES ? this.#remaining(command) : 0;
  }

  start(read: boolean): boolean {
    this.#watch.begin();
    this.#count = 0;
    const command = this.#state.getUint16(COMMAND);
    // While it measures, it is not there, unless the clock was stretched for it.
    if (command >> 8 !== STRETCHES && this.#remaining(command) > 0) return false;
    return !read || this.#prepare(command);
  }

  write(byte: number): boolean {
    const count = this.#count++;
    if (count < 4) this.#word = count % 2 === 0 ? byte << 8 : this.#word | byte;
    if (count === 1) return this.#command(this.#word);
    return count < 4 || (count === 4 && this.#writeLimit(byte));
  }

  read(): number {
    const count = this.#count++;
    const word = Math.floor(count / 3);
    if (word >= this.#answerLength) return NOTHING;
    const value = this.#answer[word];
    return count % 3 === 0 ? value >> 8 : count % 3 === 1 ? value & 0xff : checksum(value);
  }

  stop(): void {
    this.#watch.end();
  }

  /** How long a single measurement still takes, in milliseconds. */
  #remaining(command: number): number {
    const duration = SINGLE.get(command);
    if (duration === undefined || this.#state.getUint8(HAS_RESULT) === 0) return 0;
    return Math.max(0, this.#state.getFloat64(SINCE) + duration - monotonicTime());
  }

  #command(command: number): boolean {
    const state = this.#state;
    const period = PERIODIC.get(command >> 8);
    const isPeriodic = state.getUint16(PERIOD) > 0;
    setStatus(state, COMMAND_FAILED, false);
    state.setUint16(COMMAND, command);
    if (SINGLE.has(command) && !isPeriodic) {
      state.setFloat64(SINCE, monotonicTime());
      measure(state);
      return true;
    }
    if (period !== undefined) {
      state.setUint16(PERIOD, period);
      state.setFloat64(SINCE, monotonicTime());
      state.setFloat64(READ_PERIOD, -1);
      return true;
    }
    switch (command) {
      case COMMAND_BREAK:
        state.setUint16(PERIOD, 0);
        state.setUint8(HAS_RESULT, 0);
        return true;
      case COMMAND_RESET:
        powerUp(state);
        return true;
      case COMMAND_HEATER_ON:
      case COMMAND_HEATER_OFF:
        setStatus(state, HEATER, command === COMMAND_HEATER_ON);
        return true;
      case COMMAND_CLEAR:
        setStatus(state, ALERTS | RESET | CHECKSUM_FAILED, false);
        return true;
      case COMMAND_STATUS:
      case COMMAND_FETCH:
      case COMMAND_SERIAL:
        return true;
    }
    if (READ_LIMIT.includes(command) || WRITE_LIMIT.includes(command)) return true;
    setStatus(state, COMMAND_FAILED, true);
    return false;
  }

  /** The checksum of a limit has come, as the fifth byte of the message. */
  #writeLimit(byte: number): boolean {
    const state = this.#state;
    const limit = WRITE_LIMIT.indexOf(state.getUint16(COMMAND));
    if (limit < 0) return false;
    const fails = byte !== checksum(this.#word);
    setStatus(state, CHECKSUM_FAILED, fails);
    if (!fails) state.setUint16(LIMITS + 2 * limit, this.#word);
    return true;
  }

  /** @returns false if there is nothing to read */
  #prepare(command: number): boolean {
    const state = this.#state;
    if (SINGLE.has(command) || command === COMMAND_FETCH) return this.#prepareResult(command);
    const limit = READ_LIMIT.indexOf(command);
    if (limit >= 0) return this.#answerWith(state.getUint16(LIMITS + 2 * limit));
    if (command === COMMAND_STATUS) return this.#answerWith(state.getUint16(STATUS));
    if (command !== COMMAND_SERIAL) return false;
    const serial = this.#settings["serial-number"];
    return this.#answerWith(Math.floor(serial / 0x10000), serial % 0x10000);
  }

  #prepareResult(command: number): boolean {
    const state = this.#state;
    if (command === COMMAND_FETCH && !this.#measurePeriodically()) return false;
    if (state.getUint8(HAS_RESULT) === 0) return false;
    state.setUint8(HAS_RESULT, 0);
    return this.#answerWith(state.getUint16(RESULT), state.getUint16(RESULT + 2));
  }

  /** @returns false if there is no result that was not read */
  #measurePeriodically(): boolean {
    const state = this.#state;
    const period = state.getUint16(PERIOD);
    if (period === 0) return false;
    const number = Math.floor((monotonicTime() - state.getFloat64(SINCE)) / period);
    if (number === state.getFloat64(READ_PERIOD)) return false;
    state.setFloat64(READ_PERIOD, number);
    measure(state);
    return true;
  }

  #answerWith(first: number, second?: number): boolean {
    this.#answer[0] = first;
    this.#answer[1] = second ?? 0;
    this.#answerLength = second === undefined ? 1 : 2;
    return true;
  }
}

/** `sht3x` */
export const sht3x: I2cPartModel<typeof properties> = {
  name: "sht3x",
  help: "humidity and temperature sensor with checksums",
  properties,
  stateSize: () => STATE_SIZE,

  initialize({ temperature, humidity }, state) {
    state.setFloat64(CELSIUS, temperature);
    state.setFloat64(HUMIDITY, humidity);
    powerUp(state);
  },

  live: {
    temperature: {
      get: (state) => state.getFloat64(CELSIUS),
      set: (state, value: number) => state.setFloat64(CELSIUS, value),
    },
    humidity: {
      get: (state) => state.getFloat64(HUMIDITY),
      set: (state, value: number) => state.setFloat64(HUMIDITY, value),
    },
    heater: { get: (state) => (state.getUint16(STATUS) & HEATER) !== 0 },
    interrupt: { get: (state) => (state.getUint16(STATUS) & ALERT) !== 0 },
  },

  create: (context) => new Sht3x(context),
};
