/**
 * A thermocouple converter after Maxim's MAX31855: 32 bits that can only be read.
 *
 * ```
 * 31–18  temperature of the thermocouple, two's complement, in 1/4 °C
 * 16     there is a fault
 * 15–4   temperature of the chip itself, the cold junction, two's complement, in 1/16 °C
 * 2–0    short to supply, short to ground, open
 * ```
 *
 * Not modelled: the time from one conversion to the next (what is set is read at once), and what
 * tells thermocouples of one type from another: the temperature is set, not its voltage.
 *
 * State: i16 temperature, i16 cold junction, u8 fault.
 *
 * Source: data sheet of MAX31855.
 *
 * @module
 */

import type { Properties } from "../../../simulation/property.ts";
import type { SpiPart, SpiPartModel } from "../part.ts";

const TEMPERATURE = 0;
const COLD_JUNCTION = 2;
const FAULT = 4;
const STATE_SIZE = 5;

const FAULT_BIT = 1;
const FAULTS = ["none", "open", "short-to-ground", "short-to-supply"] as const;

const properties = {
  temperature: {
    type: "number",
    set: "both",
    what: "a temperature",
    from: -270,
    to: 1800,
    step: 1 / 4,
    unit: "°C",
    default: 25,
    help: "the temperature of the thermocouple",
  },
  "cold-junction": {
    type: "number",
    set: "both",
    what: "a temperature",
    from: -55,
    to: 125,
    step: 1 / 16,
    unit: "°C",
    default: 25,
    help: "the temperature of the chip itself",
  },
  fault: {
    type: "choice",
    set: "both",
    choices: FAULTS,
    default: "none",
    help: "what is wrong with the thermocouple; guests get no temperature then",
  },
} as const satisfies Properties;

function setFault(state: DataView, fault: string): void {
  state.setUint8(FAULT, FAULTS.findIndex((one) => one === fault));
}

class Thermocouple implements SpiPart {
  readonly #state: DataView;
  /** What is read in this message, from its highest byte on. */
  readonly #word = new DataView(new ArrayBuffer(4));
  #count = 0;

  constructor(state: DataView) {
    this.#state = state;
  }

  readonly expectsMore = false;

  exchange(_sent: number): number {
    if (this.#count === 0) this.#latch();
    const position = this.#count++;
    return position < 4 ? this.#word.getUint8(position) : 0;
  }

  deselect(): void {
    this.#count = 0;
  }

  #latch(): void {
    const state = this.#state;
    const fault = state.getUint8(FAULT);
    const isFaulty = fault > 0 ? FAULT_BIT : 0;
    this.#word.setInt16(0, state.getInt16(TEMPERATURE) << 2 | isFaulty);
    this.#word.setInt16(2, state.getInt16(COLD_JUNCTION) << 4 | (isFaulty << fault >>> 1));
  }
}

/** `max31855` */
export const max31855: SpiPartModel<typeof properties> = {
  name: "max31855",
  help: "thermocouple converter, for the guest's driver maxim_thermocouple",
  properties,
  modes: [0],
  stateSize: () => STATE_SIZE,
  initialize(settings, state) {
    state.setInt16(TEMPERATURE, Math.round(settings.temperature * 4));
    state.setInt16(COLD_JUNCTION, Math.round(settings["cold-junction"] * 16));
    setFault(state, settings.fault);
  },
  live: {
    temperature: {
      get: (state) => state.getInt16(TEMPERATURE) / 4,
      set: (state, value: number) => state.setInt16(TEMPERATURE, Math.round(value * 4)),
    },
    "cold-junction": {
      get: (state) => state.getInt16(COLD_JUNCTION) / 16,
      set: (state, value: number) => state.setInt16(COLD_JUNCTION, Math.round(value * 16)),
    },
    fault: { get: (state) => FAULTS[state.getUint8(FAULT)], set: setFault },
  },
  create: ({ state }) => new Thermocouple(state),
};
