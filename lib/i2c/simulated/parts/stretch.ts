/**
 * A register file that takes its time: it stretches the clock whenever it is addressed.
 *
 * As on a real bus, nobody else gets through meanwhile.
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

/** The time after which most bus drivers give up, in microseconds. */
const MAX_STRETCH = 1_000_000;
/** What SMBus allows, in microseconds. */
const USUAL_STRETCH = 25_000;

interface StretchConfig {
  readonly registers: RegistersConfig;
  readonly microseconds: number;
}

class Stretch implements Chip {
  readonly #registers: Registers;
  readonly #milliseconds: number;
  readonly #never = new Int32Array(new SharedArrayBuffer(4));

  constructor(config: StretchConfig, state: DataView) {
    this.#registers = new Registers(config.registers, state);
    this.#milliseconds = config.microseconds / 1000;
  }

  start(read: boolean): boolean {
    Atomics.wait(this.#never, 0, 0, this.#milliseconds);
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
export const stretch: ChipModel<StretchConfig> = {
  names: ["stretch"],
  keys: ["microseconds", ...REGISTER_KEYS],
  configure: (_name, values) => ({
    registers: configureRegisters(values),
    microseconds: values.microseconds?.integer(1, MAX_STRETCH, "a time in microseconds") ??
      USUAL_STRETCH,
  }),
  stateSize: (config) => registersStateSize(config.registers),
  initialize: (config, state) => initializeRegisters(config.registers, state),
  create: (config, state) => new Stretch(config, state),
};
