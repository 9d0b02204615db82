/**
 * The temperature sensor TMP102.
 *
 * Registers of two bytes:
 *
 * ```
 * 0  temperature, read only: two's complement in 1/16 °C, 12 bits from bit 15 on; 13 in the
 *    extended mode, where bit 0 is 1
 * 1  configuration, 0x60a0 when the power comes on
 * 2  low limit, 75 °C when the power comes on, in the form of the temperature
 * 3  high limit, 80 °C
 * ```
 *
 * ALERT calls from the high limit on until the temperature is below the low one; in interrupt mode,
 * whenever one of both happens, until any register is read.
 *
 * Not modelled: the time that a conversion takes (one-shot included), the fault queue (the first
 * reading over a limit counts), the address of SMBus alert responses, and the general call's reset.
 *
 * State: u8 pointer, u8 flags, u16 configuration, i16 low limit, i16 high limit, i16 reading in
 * 1/16 °C, then from byte 16 on f64 the temperature.
 *
 * Source: data sheet of TMP102.
 *
 * @module
 */

import type { Properties } from "../../../simulation/property.ts";
import type { I2cPartModel } from "../part.ts";
import { clamp, WordRegisterPart } from "../word_registers.ts";

const FLAGS = 1;
const CONFIGURATION = 2;
const LOW = 4;
const HIGH = 6;
const READING = 8;
const CELSIUS = 16;
const STATE_SIZE = 24;

/** Flags: the high limit was reached, and the low one not since. */
const ABOVE = 1;
/** ALERT calls in interrupt mode. */
const CALLS = 2;

const SHUTDOWN = 0x0100;
const INTERRUPT_MODE = 0x0200;
const ACTIVE_HIGH = 0x0400;
const RESOLUTION = 0x6000;
const ONE_SHOT = 0x8000;
const EXTENDED = 0x0010;
const ALERT = 0x0020;
/** What writing does not change. */
const READ_ONLY = RESOLUTION | ALERT | ONE_SHOT;
const AT_FIRST = 0x6080;

const REGISTER_TEMPERATURE = 0;
const REGISTER_CONFIGURATION = 1;
const REGISTER_LOW = 2;
const REGISTER_HIGH = 3;

const inRegister = { type: "number", from: -256, to: 255.9375, unit: "°C" } as const;

const properties = {
  temperature: {
    type: "number",
    set: "both",
    what: "a temperature",
    from: -55,
    to: 150,
    step: 1 / 16,
    unit: "°C",
    default: 25,
    help: "what it measures; from 128 °C on only in the extended mode",
  },
  limit: { ...inRegister, set: "never", help: "the high limit that the guest has set" },
  hysteresis: { ...inRegister, set: "never", help: "the low limit that the guest has set" },
  shutdown: {
    type: "boolean",
    set: "never",
    help: "whether the guest has stopped the measuring",
  },
  interrupt: {
    type: "boolean",
    set: "never",
    interrupt: "active-low",
    help: "whether ALERT calls: a limit was passed",
  },
} as const satisfies Properties;

function has(state: DataView, bit: number): boolean {
  return (state.getUint16(CONFIGURATION) & bit) !== 0;
}

/** How far registers with temperatures are shifted. */
function shift(state: DataView): number {
  return has(state, EXTENDED) ? 3 : 4;
}

/** A limit in 1/16 °C. */
function limit(state: DataView, at: number): number {
  return state.getInt16(at) >> shift(state);
}

function calls(state: DataView): boolean {
  const flag = has(state, INTERRUPT_MODE) ? CALLS : ABOVE;
  return (state.getUint8(FLAGS) & flag) !== 0;
}

function measure(state: DataView): void {
  const range = has(state, EXTENDED) ? 4096 : 2048;
  state.setInt16(READING, clamp(Math.round(state.getFloat64(CELSIUS) * 16), -range, range - 1));
  compare(state);
}

function compare(state: DataView): void {
  const reading = state.getInt16(READING);
  const flags = state.getUint8(FLAGS);
  const isAbove = (flags & ABOVE) !== 0;
  const changes = isAbove ? reading < limit(state, LOW) : reading >= limit(state, HIGH);
  if (changes) state.setUint8(FLAGS, (isAbove ? 0 : ABOVE) | CALLS);
}

class Tmp102 extends WordRegisterPart {
  override readRegister(register: number): number {
    const { state } = this;
    state.setUint8(FLAGS, state.getUint8(FLAGS) & ~CALLS);
    switch (register) {
      case REGISTER_TEMPERATURE:
        return (state.getInt16(READING) << shift(state) | Number(has(state, EXTENDED))) & 0xffff;
      case REGISTER_CONFIGURATION: {
        // The bit shows the level that the pin has, or would have in comparator mode.
        const isAbove = (state.getUint8(FLAGS) & ABOVE) !== 0;
        const alert = isAbove === has(state, ACTIVE_HIGH) ? ALERT : 0;
        const ready = has(state, SHUTDOWN) ? ONE_SHOT : 0;
        return state.getUint16(CONFIGURATION) | alert | ready;
      }
      case REGISTER_LOW:
        return state.getUint16(LOW);
      case REGISTER_HIGH:
        return state.getUint16(HIGH);
      default:
        return 0xffff;
    }
  }

  override writeRegister(register: number, value: number): void {
    const { state } = this;
    switch (register) {
      case REGISTER_CONFIGURATION:
        state.setUint16(CONFIGURATION, value & ~READ_ONLY | RESOLUTION);
        if (!has(state, SHUTDOWN) || (value & ONE_SHOT) !== 0) measure(state);
        return;
      case REGISTER_LOW:
        state.setUint16(LOW, value);
        return compare(state);
      case REGISTER_HIGH:
        state.setUint16(HIGH, value);
        return compare(state);
    }
  }
}

/** `tmp102` */
export const tmp102: I2cPartModel<typeof properties> = {
  name: "tmp102",
  help: "temperature sensor of 12 or 13 bits with an alert",
  properties,
  stateSize: () => STATE_SIZE,

  initialize({ temperature }, state) {
    state.setUint16(CONFIGURATION, AT_FIRST);
    state.setInt16(LOW, 75 * 256);
    state.setInt16(HIGH, 80 * 256);
    state.setFloat64(CELSIUS, temperature);
    measure(state);
  },

  live: {
    temperature: {
      get: (state) => state.getFloat64(CELSIUS),
      set(state, value: number) {
        state.setFloat64(CELSIUS, Math.round(value * 16) / 16);
        if (!has(state, SHUTDOWN)) measure(state);
      },
    },
    limit: { get: (state) => limit(state, HIGH) / 16 },
    hysteresis: { get: (state) => limit(state, LOW) / 16 },
    shutdown: { get: (state) => has(state, SHUTDOWN) },
    interrupt: {
      get: calls,
      active: (state) => has(state, ACTIVE_HIGH) ? "active-high" : "active-low",
    },
  },

  create: (context) => new Tmp102(context),
};
