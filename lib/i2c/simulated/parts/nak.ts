/**
 * A register file that does not acknowledge: always or every so often, its address or data.
 *
 * State: u32 transactions so far, then that of the register file.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";
import { Registers, registersProperties, registersStateSize } from "./registers.ts";

const REGISTERS = 4;
/** The most bytes of a write that can be acknowledged before the last one. */
const MAX_AFTER = 65534;

const properties = {
  after: {
    type: "integer",
    set: "start",
    what: "a number of bytes",
    from: 0,
    to: MAX_AFTER,
    help: "how many bytes of a write it acknowledges; not even its address if left out",
  },
  every: {
    type: "integer",
    set: "start",
    what: "a number of transactions",
    from: 1,
    to: 2 ** 31,
    default: 1,
    help: "one transaction of so many fails",
  },
  ...registersProperties(REGISTERS),
} as const satisfies Properties;

class Nak implements I2cPart {
  readonly #state: DataView;
  readonly #registers: Registers;
  /** How many bytes are acknowledged; -1: not even the address. */
  readonly #after: number;
  readonly #every: number;
  #begun = false;
  #fails = false;
  #acknowledged = 0;

  constructor(context: PartContext<typeof properties>) {
    const { state, settings } = context;
    this.#state = state;
    this.#registers = new Registers(context, REGISTERS);
    this.#after = settings.after ?? -1;
    this.#every = settings.every;
  }

  start(read: boolean): boolean {
    if (!this.#begun) {
      const count = (this.#state.getUint32(0) + 1) % this.#every;
      this.#state.setUint32(0, count);
      this.#fails = count === 0;
      this.#begun = true;
    }
    this.#acknowledged = 0;
    return !(this.#fails && this.#after < 0) && this.#registers.start(read);
  }

  write(byte: number): boolean {
    if (this.#fails && this.#acknowledged++ === this.#after) return false;
    return this.#registers.write(byte);
  }

  read(): number {
    return this.#registers.read();
  }

  stop(): void {
    this.#begun = false;
    this.#registers.stop();
  }
}

/** `nak` */
export const nak: I2cPartModel<typeof properties> = {
  name: "nak",
  help: "registers that do not acknowledge",
  properties,
  stateSize: (settings) => REGISTERS + registersStateSize(settings),
  create: (context) => new Nak(context),
};
