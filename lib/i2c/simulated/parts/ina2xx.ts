/**
 * Current and power monitors INA219 and INA226.
 *
 * Registers of two bytes:
 *
 * ```
 *                    INA219                        INA226
 * 0  configuration   0x399f                        0x4127
 * 1  shunt voltage   in 10 µV, up to the PGA's     in 2.5 µV
 * 2  bus voltage     in 4 mV, shifted by 3         in 1.25 mV
 * 3  power           current x bus / 5000          current x bus / 20000
 * 4  current         shunt x calibration / 4096    shunt x calibration / 2048
 * 5  calibration     0 when the power comes on     likewise
 * 6  -               -                             mask and enable: which limit, and how ALERT calls
 * 7  -               -                             alert limit
 * fe, ff             -                             manufacturer and die
 * ```
 *
 * Not modelled: the time that conversions take and the averaging of several, ALERT at the end of a
 * conversion, and in the INA219 the resolution of the converter.
 *
 * State: u8 pointer, u8 flags, u16 configuration, u16 calibration, i16 shunt voltage, u16 bus voltage
 * (unshifted), u16 mask and enable, u16 alert limit, then from byte 16 on f64 volts, f64 amperes.
 *
 * Source: data sheets of INA219 and INA226.
 *
 * @module
 */

import { PropertyError } from "../../../simulation/check_value.ts";
import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import type { I2cPartModel } from "../part.ts";
import { clamp, WordRegisterPart } from "../word_registers.ts";

const FLAGS = 1;
const CONFIGURATION = 2;
const CALIBRATION = 4;
const SHUNT = 6;
const BUS = 8;
const MASK = 10;
const LIMIT = 12;
const VOLTS = 16;
const AMPERES = 24;
const STATE_SIZE = 32;

/** Flags: a conversion was made since the configuration was written. */
const CONVERTED = 1;
/** The alert function has struck, and is not over. */
const STRUCK = 2;

const REGISTER_CONFIGURATION = 0;
const REGISTER_SHUNT = 1;
const REGISTER_BUS = 2;
const REGISTER_POWER = 3;
const REGISTER_CURRENT = 4;
const REGISTER_CALIBRATION = 5;
const REGISTER_MASK = 6;
const REGISTER_LIMIT = 7;
const REGISTER_MANUFACTURER = 0xfe;
const REGISTER_DIE = 0xff;

const RESET = 0x8000;
/** Of the mode in the configuration: what is measured, and whether again and again. */
const MEASURES_SHUNT = 1;
const MEASURES_BUS = 2;
const CONTINUOUS = 4;
const RANGE_32_V = 0x2000;

// Of mask and enable.
const SHUNT_OVER = 0x8000;
const SHUNT_UNDER = 0x4000;
const BUS_OVER = 0x2000;
const BUS_UNDER = 0x1000;
const POWER_OVER = 0x0800;
const ALERT_FLAG = 0x0010;
const CONVERSION_READY = 0x0008;
const OVERFLOW = 0x0004;
const ACTIVE_HIGH = 0x0002;
const LATCHES = 0x0001;
const MASK_WRITABLE = 0xfc03;

interface Kind {
  readonly name: string;
  readonly help: string;
  readonly atFirst: number;
  /** In volts. */
  readonly maxVoltage: number;
  /** In volts for 1. */
  readonly shuntStep: number;
  readonly busStep: number;
  /** The most that the shunt's register can show with such a configuration. */
  readonly shuntRange: (configuration: number) => number;
  readonly busRange: (configuration: number) => number;
  readonly currentDivisor: number;
  readonly powerDivisor: number;
  readonly calibrationMask: number;
  readonly hasAlert: boolean;
}

const INA219: Kind = {
  name: "ina219",
  help: "current, voltage and power monitor of 12 bits",
  atFirst: 0x399f,
  maxVoltage: 26,
  shuntStep: 10e-6,
  busStep: 4e-3,
  shuntRange: (configuration) => 4000 << (configuration >> 11 & 3),
  busRange: (configuration) => (configuration & RANGE_32_V) !== 0 ? 8000 : 4000,
  currentDivisor: 4096,
  powerDivisor: 5000,
  calibrationMask: 0xfffe,
  hasAlert: false,
};

const INA226: Kind = {
  name: "ina226",
  help: "current, voltage and power monitor of 16 bits with an alert",
  atFirst: 0x4127,
  maxVoltage: 36,
  shuntStep: 2.5e-6,
  busStep: 1.25e-3,
  shuntRange: () => 32767,
  busRange: () => 32767,
  currentDivisor: 2048,
  powerDivisor: 20000,
  calibrationMask: 0x7fff,
  hasAlert: true,
};

function propertiesOf({ maxVoltage, busStep }: Kind) {
  return {
    voltage: {
      type: "number",
      set: "both",
      what: "a voltage",
      from: 0,
      to: maxVoltage,
      step: busStep,
      unit: "V",
      default: 5,
      help: "the voltage of the bus that it measures",
    },
    current: {
      type: "number",
      set: "both",
      what: "a current",
      from: -100,
      to: 100,
      unit: "A",
      default: 0,
      help: "the current through the shunt",
    },
    power: {
      type: "number",
      set: "running",
      from: -3600,
      to: 3600,
      unit: "W",
      help: "voltage times current; the current follows if it is set",
    },
    shunt: {
      type: "number",
      set: "start",
      what: "a resistance",
      from: 0.0001,
      to: 100,
      unit: "Ω",
      default: 0.01,
      help: "the shunt, which the guest's driver has to know",
    },
  } as const satisfies Properties;
}

const pin = {
  interrupt: {
    type: "boolean",
    set: "never",
    interrupt: "active-low",
    help: "whether ALERT calls: something is beyond its limit",
  },
} as const satisfies Properties;

type InaProperties = ReturnType<typeof propertiesOf>;

/** The registers that follow from the others, in units of their own. */
function currentOf(kind: Kind, state: DataView): number {
  return Math.trunc(state.getInt16(SHUNT) * state.getUint16(CALIBRATION) / kind.currentDivisor);
}

function powerOf(kind: Kind, state: DataView): number {
  return Math.trunc(
    Math.abs(currentOf(kind, state)) * state.getUint16(BUS) / kind.powerDivisor,
  );
}

function overflows(kind: Kind, state: DataView): boolean {
  const current = currentOf(kind, state);
  return current !== clamp(current, -32768, 32767) || powerOf(kind, state) > 0xffff;
}

/** Whether what the limit is for is beyond it. */
function isBeyond(kind: Kind, state: DataView): boolean {
  const mask = state.getUint16(MASK);
  const limit = state.getUint16(LIMIT);
  // Of several, the one with the highest bit counts.
  if ((mask & SHUNT_OVER) !== 0) return state.getInt16(SHUNT) > state.getInt16(LIMIT);
  if ((mask & SHUNT_UNDER) !== 0) return state.getInt16(SHUNT) < state.getInt16(LIMIT);
  if ((mask & BUS_OVER) !== 0) return state.getUint16(BUS) > limit;
  if ((mask & BUS_UNDER) !== 0) return state.getUint16(BUS) < limit;
  return (mask & POWER_OVER) !== 0 && powerOf(kind, state) > limit;
}

function compare(kind: Kind, state: DataView): void {
  if (!kind.hasAlert) return;
  const flags = state.getUint8(FLAGS);
  const latches = (state.getUint16(MASK) & LATCHES) !== 0;
  const strikes = isBeyond(kind, state) || (latches && (flags & STRUCK) !== 0);
  state.setUint8(FLAGS, strikes ? flags | STRUCK : flags & ~STRUCK);
}

function convert(kind: Kind, state: DataView, shunt: number): void {
  const configuration = state.getUint16(CONFIGURATION);
  if ((configuration & MEASURES_SHUNT) !== 0) {
    const range = kind.shuntRange(configuration);
    const value = Math.round(state.getFloat64(AMPERES) * shunt / kind.shuntStep);
    state.setInt16(SHUNT, clamp(value, -range, range));
  }
  if ((configuration & MEASURES_BUS) !== 0) {
    const value = Math.round(state.getFloat64(VOLTS) / kind.busStep);
    state.setUint16(BUS, clamp(value, 0, kind.busRange(configuration)));
  }
  state.setUint8(FLAGS, state.getUint8(FLAGS) | CONVERTED);
  compare(kind, state);
}

/** Converts if it does so all the time. */
function goOn(kind: Kind, state: DataView, shunt: number): void {
  if ((state.getUint16(CONFIGURATION) & CONTINUOUS) !== 0) convert(kind, state, shunt);
}

function powerUp(kind: Kind, state: DataView, shunt: number): void {
  for (const at of [CALIBRATION, SHUNT, BUS, MASK, LIMIT]) state.setUint16(at, 0);
  state.setUint8(FLAGS, 0);
  state.setUint16(CONFIGURATION, kind.atFirst);
  convert(kind, state, shunt);
}

class Ina extends WordRegisterPart {
  readonly #kind: Kind;
  /** In ohms. */
  readonly #shunt: number;

  constructor(kind: Kind, context: PartContext<InaProperties>) {
    super(context);
    this.#kind = kind;
    this.#shunt = context.settings.shunt;
  }

  override readRegister(register: number): number {
    const { state } = this;
    const kind = this.#kind;
    switch (register) {
      case REGISTER_CONFIGURATION:
        return state.getUint16(CONFIGURATION);
      case REGISTER_SHUNT:
        return state.getUint16(SHUNT);
      case REGISTER_BUS:
        return kind.hasAlert ? state.getUint16(BUS) : state.getUint16(BUS) << 3 |
          Number((state.getUint8(FLAGS) & CONVERTED) !== 0) << 1 | Number(overflows(kind, state));
      case REGISTER_POWER:
        return powerOf(kind, state) & 0xffff;
      case REGISTER_CURRENT:
        return currentOf(kind, state) & 0xffff;
      case REGISTER_CALIBRATION:
        return state.getUint16(CALIBRATION);
    }
    if (!kind.hasAlert) return 0;
    switch (register) {
      case REGISTER_MASK:
        return this.#readMask();
      case REGISTER_LIMIT:
        return state.getUint16(LIMIT);
      case REGISTER_MANUFACTURER:
        return 0x5449;
      case REGISTER_DIE:
        return 0x2260;
      default:
        return 0;
    }
  }

  override writeRegister(register: number, value: number): void {
    const { state } = this;
    const kind = this.#kind;
    switch (register) {
      case REGISTER_CONFIGURATION:
        if ((value & RESET) !== 0) return powerUp(kind, state, this.#shunt);
        state.setUint16(CONFIGURATION, value);
        state.setUint8(FLAGS, state.getUint8(FLAGS) & ~CONVERTED);
        if ((value & (MEASURES_SHUNT | MEASURES_BUS)) !== 0) convert(kind, state, this.#shunt);
        return;
      case REGISTER_CALIBRATION:
        state.setUint16(CALIBRATION, value & kind.calibrationMask);
        return compare(kind, state);
    }
    if (!kind.hasAlert) return;
    if (register === REGISTER_MASK) {
      state.setUint16(MASK, value & MASK_WRITABLE);
      compare(kind, state);
    } else if (register === REGISTER_LIMIT) {
      state.setUint16(LIMIT, value);
      compare(kind, state);
    }
  }

  /** Reading it ends an alert that was latched; where what it was for is not over, the next begins. */
  #readMask(): number {
    const { state } = this;
    const kind = this.#kind;
    const flags = state.getUint8(FLAGS);
    const value = state.getUint16(MASK) |
      ((flags & STRUCK) !== 0 ? ALERT_FLAG : 0) |
      ((flags & CONVERTED) !== 0 ? CONVERSION_READY : 0) |
      (overflows(kind, state) ? OVERFLOW : 0);
    state.setUint8(FLAGS, flags & ~STRUCK);
    compare(kind, state);
    return value;
  }
}

function model(kind: Kind): I2cPartModel<InaProperties> {
  return {
    name: kind.name,
    help: kind.help,
    properties: { ...propertiesOf(kind), ...(kind.hasAlert && pin) },
    stateSize: () => STATE_SIZE,

    initialize({ voltage, current, shunt }, state) {
      state.setFloat64(VOLTS, voltage);
      state.setFloat64(AMPERES, current);
      powerUp(kind, state, shunt);
    },

    live: {
      voltage: {
        get: (state) => state.getFloat64(VOLTS),
        set(state, value: number, { shunt }) {
          state.setFloat64(VOLTS, value);
          goOn(kind, state, shunt);
        },
      },
      current: {
        get: (state) => state.getFloat64(AMPERES),
        set(state, value: number, { shunt }) {
          state.setFloat64(AMPERES, value);
          goOn(kind, state, shunt);
        },
      },
      power: {
        get: (state) => state.getFloat64(VOLTS) * state.getFloat64(AMPERES),
        set(state, value: number, { shunt }) {
          const volts = state.getFloat64(VOLTS);
          const current = volts === 0 && value === 0 ? 0 : value / volts;
          if (Math.abs(current) > 100) {
            throw new PropertyError(`${value} W at ${volts} V are more than 100 A`);
          }
          state.setFloat64(AMPERES, current);
          goOn(kind, state, shunt);
        },
      },
      ...(kind.hasAlert && {
        interrupt: {
          get: (state: DataView) => (state.getUint8(FLAGS) & STRUCK) !== 0,
          active: (state: DataView) =>
            (state.getUint16(MASK) & ACTIVE_HIGH) !== 0 ? "active-high" : "active-low",
        },
      }),
    },

    create: (context) => new Ina(kind, context),
  };
}

/** `ina219`, `ina226` */
export const powerMonitors: readonly I2cPartModel<InaProperties>[] = [INA219, INA226].map(model);
