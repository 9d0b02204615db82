/**
 * A register file that does not acknowledge: always or every so often, its address or data.
 *
 * State: u32 transactions so far, then that of the register file.
 *
 * @module
 */

import type { Chip, ChipModel } from "../part.ts";
import {
  configureRegisters,
  initializeRegisters,
  REGISTER_KEYS,
  Registers,
  type RegistersConfig,
  registersStateSize,
} from "./registers.ts";

interface NakConfig {
  readonly registers: RegistersConfig;
  /** How many bytes of a write are acknowledged before one is not; -1: not even the address. */
  readonly after: number;
  /** One transaction of so many fails. */
  readonly every: number;
}

const COUNTER_SIZE = 4;

/** The part of a state that is the register file's. */
function rest(state: DataView): DataView {
  return new DataView(state.buffer, state.byteOffset + COUNTER_SIZE);
}

class Nak implements Chip {
  readonly #config: NakConfig;
  readonly #state: DataView;
  readonly #registers: Registers;
  #begun = false;
  #fails = false;
  #acknowledged = 0;

  constructor(config: NakConfig, state: DataView) {
    this.#config = config;
    this.#state = state;
    this.#registers = new Registers(config.registers, rest(state));
  }

  start(read: boolean): boolean {
    const { after, every } = this.#config;
    if (!this.#begun) {
      const count = (this.#state.getUint32(0) + 1) % every;
      this.#state.setUint32(0, count);
      this.#fails = count === 0;
      this.#begun = true;
    }
    this.#acknowledged = 0;
    return !(this.#fails && after < 0) && this.#registers.start(read);
  }

  write(byte: number): boolean {
    if (this.#fails && this.#acknowledged++ === this.#config.after) return false;
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
export const nak: ChipModel<NakConfig> = {
  names: ["nak"],
  keys: ["after", "every", ...REGISTER_KEYS],
  configure: (_name, values) => ({
    registers: configureRegisters(values),
    after: values.after?.integer(0, 65534, "a number of bytes") ?? -1,
    every: values.every?.integer(1, 2 ** 31, "a number of transactions") ?? 1,
  }),
  stateSize: (config) => COUNTER_SIZE + registersStateSize(config.registers),
  initialize: (config, state) => initializeRegisters(config.registers, rest(state)),
  create: (config, state) => new Nak(config, state),
};
