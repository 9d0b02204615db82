/**
 * Analogue-to-digital converters ADS1015 and ADS1115, of four inputs.
 *
 * Registers of two bytes:
 *
 * ```
 * 0  conversion, read only: two's complement, of the range that the PGA gives; that of the
 *    ADS1015 has 12 bits, from bit 15 on
 * 1  configuration, 0x8583 when the power comes on
 * 2  low threshold, 0x8000 when the power comes on
 * 3  high threshold, 0x7fff (0x7ff0)
 * ```
 *
 * ALERT/RDY calls when a conversion is over the high threshold, until one is below the low one, or
 * in window mode while it is outside of both; if it latches, until the conversion is read. Then it
 * calls again when something changes that leads to it.
 *
 * Not modelled: the time that a conversion takes, the queue of the comparator (the first conversion
 * counts), ALERT/RDY at the end of a conversion, and the address of SMBus alert responses.
 *
 * State: u8 pointer, u8 alert, u16 configuration, i16 low and high threshold, i16 conversion, then
 * from byte 16 on f64 volts by input.
 *
 * Source: data sheets of ADS1015 and ADS1115.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import type { I2cPartModel } from "../part.ts";
import { clamp, WordRegisterPart } from "../word_registers.ts";

const ALERT = 1;
const CONFIGURATION = 2;
const LOW = 4;
const HIGH = 6;
const CONVERSION = 8;
const VOLTS = 16;
const INPUTS = 4;
const STATE_SIZE = VOLTS + 8 * INPUTS;

const START = 0x8000;
const SINGLE_SHOT = 0x0100;

const WINDOW = 0x0010;
const ACTIVE_HIGH = 0x0008;
const LATCHES = 0x0004;
const QUEUE = 0x0003;
const AT_FIRST = 0x8583;

const REGISTER_CONVERSION = 0;
const REGISTER_CONFIGURATION = 1;
const REGISTER_LOW = 2;
const REGISTER_HIGH = 3;

const GROUND = -1;
/** By multiplexer setting, the inputs whose difference is converted. */
const PAIRS: readonly (readonly [positive: number, negative: number])[] = [
  [0, 1],
  [0, 3],
  [1, 3],
  [2, 3],
  [0, GROUND],
  [1, GROUND],
  [2, GROUND],
  [3, GROUND],
];
/** By PGA setting, the full scale in volts. */
const RANGES = [6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256];

interface Kind {
  readonly name: string;
  readonly bits: number;
}

function input(number: number) {
  return {
    type: "number",
    set: "both",
    what: "a voltage",
    from: -0.3,
    to: 5.8,
    unit: "V",
    default: 0,
    help: `the voltage at input AIN${number}`,
  } as const;
}

const properties = {
  ain0: input(0),
  ain1: input(1),
  ain2: input(2),
  ain3: input(3),
  interrupt: {
    type: "boolean",
    set: "never",
    interrupt: "active-low",
    help: "whether ALERT/RDY calls: a conversion is beyond a threshold",
  },
} as const satisfies Properties;

function volts(state: DataView, input: number): number {
  return input === GROUND ? 0 : state.getFloat64(VOLTS + 8 * input);
}

function convert({ bits }: Kind, state: DataView): void {
  const configuration = state.getUint16(CONFIGURATION);
  const [positive, negative] = PAIRS[configuration >> 12 & 7];
  const range = 2 ** (bits - 1);
  const scale = range / RANGES[configuration >> 9 & 7];
  const value = Math.round((volts(state, positive) - volts(state, negative)) * scale);
  state.setInt16(CONVERSION, clamp(value, -range, range - 1) << 16 - bits);
  compare(state);
}

function compare(state: DataView): void {
  const configuration = state.getUint16(CONFIGURATION);
  if ((configuration & QUEUE) === QUEUE) return state.setUint8(ALERT, 0);
  const value = state.getInt16(CONVERSION);
  const isAbove = value > state.getInt16(HIGH);
  const isBelow = value < state.getInt16(LOW);
  const before = state.getUint8(ALERT) === 1;
  let alert = isAbove || (before && !isBelow);
  if ((configuration & WINDOW) !== 0) alert = isAbove || isBelow;
  if ((configuration & LATCHES) !== 0 && before) alert = true;
  state.setUint8(ALERT, Number(alert));
}

function goOn(kind: Kind, state: DataView): void {
  if ((state.getUint16(CONFIGURATION) & SINGLE_SHOT) === 0) convert(kind, state);
}

class Ads1015 extends WordRegisterPart {
  readonly #kind: Kind;

  constructor(kind: Kind, context: PartContext<typeof properties>) {
    super(context);
    this.#kind = kind;
  }

  override readRegister(register: number): number {
    const { state } = this;
    switch (register & 3) {
      case REGISTER_CONVERSION:
        if ((state.getUint16(CONFIGURATION) & LATCHES) !== 0) state.setUint8(ALERT, 0);
        return state.getUint16(CONVERSION);
      case REGISTER_CONFIGURATION: {
        // Conversions take no time: where they do not go on and on, none is at work.
        const configuration = state.getUint16(CONFIGURATION);
        return (configuration & SINGLE_SHOT) === 0 ? configuration : configuration | START;
      }
      case REGISTER_LOW:
        return state.getUint16(LOW);
      default:
        return state.getUint16(HIGH);
    }
  }

  override writeRegister(register: number, value: number): void {
    const { state } = this;
    // What is beyond the converter's bits cannot be set.
    const threshold = value & 0xffff << 16 - this.#kind.bits;
    switch (register & 3) {
      case REGISTER_CONFIGURATION:
        state.setUint16(CONFIGURATION, value & ~START);
        if ((value & SINGLE_SHOT) === 0 || (value & START) !== 0) convert(this.#kind, state);
        return;
      case REGISTER_LOW:
        state.setUint16(LOW, threshold);
        return compare(state);
      case REGISTER_HIGH:
        state.setUint16(HIGH, threshold);
        return compare(state);
    }
  }
}

function model(kind: Kind): I2cPartModel<typeof properties> {
  const input = (number: number) => ({
    get: (state: DataView) => volts(state, number),
    set(state: DataView, value: number) {
      state.setFloat64(VOLTS + 8 * number, value);
      goOn(kind, state);
    },
  });
  return {
    name: kind.name,
    help: `analogue-to-digital converter of ${kind.bits} bits and 4 inputs`,
    properties,
    stateSize: () => STATE_SIZE,

    initialize({ ain0, ain1, ain2, ain3 }, state) {
      [ain0, ain1, ain2, ain3].forEach((volts, input) =>
        state.setFloat64(VOLTS + 8 * input, volts)
      );
      state.setUint16(CONFIGURATION, AT_FIRST & ~START);
      state.setInt16(LOW, -0x8000);
      state.setUint16(HIGH, 0x7fff & 0xffff << 16 - kind.bits);
    },

    live: {
      ain0: input(0),
      ain1: input(1),
      ain2: input(2),
      ain3: input(3),
      interrupt: {
        get: (state) => state.getUint8(ALERT) === 1,
        active: (state) =>
          (state.getUint16(CONFIGURATION) & ACTIVE_HIGH) !== 0 ? "active-high" : "active-low",
      },
    },

    create: (context) => new Ads1015(kind, context),
  };
}

/** `ads1015`, `ads1115` */
export const converters: readonly I2cPartModel<typeof properties>[] = [
  { name: "ads1015", bits: 12 },
  { name: "ads1115", bits: 16 },
].map(model);
