/**
 * A register file that takes its time: it stretches the clock whenever it is addressed.
 *
 * As on a real bus, nobody else gets through meanwhile.
 *
 * State: u32 microseconds, then that of the register file.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";
import { Registers, registersProperties, registersStateSize } from "./registers.ts";

const REGISTERS = 4;
/** The time after which most bus drivers give up, in microseconds. */
const MAX_STRETCH = 1_000_000;
/** What SMBus allows, in microseconds. */
const USUAL_STRETCH = 25_000;

const properties = {
  microseconds: {
    type: "integer",
    set: "both",
    what: "a time",
    from: 1,
    to: MAX_STRETCH,
    unit: "µs",
    default: USUAL_STRETCH,
    help: "how long it stretches the clock at each message",
  },
  ...registersProperties(REGISTERS),
} as const satisfies Properties;

class Stretch implements I2cPart {
  readonly #registers: Registers;
  readonly #state: DataView;

  constructor(context: PartContext<typeof properties>) {
    this.#registers = new Registers(context, REGISTERS);
    this.#state = context.state;
  }

  stretch(): number {
    return this.#state.getUint32(0) / 1000;
  }

  start(read: boolean): boolean {
    return this.#registers.start(read);
  }

  write(byte: number): boolean {
    return this.#registers.write(byte);
  }

  read(): number {
    return this.#registers.read();
  }

  stop(): void {
    this.#registers.stop();
  }
}

/** `stretch` */
export const stretch: I2cPartModel<typeof properties> = {
  name: "stretch",
  help: "registers that stretch the clock at each message",
  properties,
  stateSize: (settings) => REGISTERS + registersStateSize(settings),
  initialize: ({ microseconds }, state) => state.setUint32(0, microseconds),
  live: {
    microseconds: {
      get: (state) => state.getUint32(0),
      set: (state, value: number) => state.setUint32(0, value),
    },
  },
  create: (context) => new Stretch(context),
};
