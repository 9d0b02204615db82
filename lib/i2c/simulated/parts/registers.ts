/**
 * A plain register file: 8-bit registers behind a pointer that moves on by itself.
 *
 * The first byte written is the register's number, those that follow go to it and to the registers
 * after it. Reading begins where the pointer stands. After the last register comes the first.
 *
 * State: u8 pointer, then the registers.
 *
 * @module
 */

import type { ConfigNode } from "../../../input/config_node.ts";
import type { Chip, ChipModel } from "../part.ts";

/** The most registers: their number is a byte. */
export const MAX_REGISTERS = 256;

/** A register file as it is configured. */
export interface RegistersConfig {
  /** By register, what it is when the power comes on. */
  readonly values: readonly number[];
  /** True if writing has no effect. */
  readonly readOnly: boolean;
}

/** The register file at work. */
export class Registers implements Chip {
  readonly #state: DataView;
  readonly #readOnly: boolean;
  readonly #count: number;
  #numbered = false;

  constructor(config: RegistersConfig, state: DataView) {
    this.#state = state;
    this.#readOnly = config.readOnly;
    this.#count = config.values.length;
  }

  start(_read: boolean): boolean {
    this.#numbered = false;
    return true;
  }

  write(byte: number): boolean {
    if (!this.#numbered) {
      if (byte >= this.#count) return false;
      this.#numbered = true;
      this.#state.setUint8(0, byte);
      return true;
    }
    const register = this.#state.getUint8(0);
    if (!this.#readOnly) this.#state.setUint8(1 + register, byte);
    this.#state.setUint8(0, (register + 1) % this.#count);
    return true;
  }

  read(): number {
    const register = this.#state.getUint8(0);
    this.#state.setUint8(0, (register + 1) % this.#count);
    return this.#state.getUint8(1 + register);
  }

  stop(): void {}
}

/** The bytes of state that a register file takes. */
export function registersStateSize(config: RegistersConfig): number {
  return 1 + config.values.length;
}

/** Sets the registers to what they are when the power comes on. */
export function initializeRegisters(config: RegistersConfig, state: DataView): void {
  config.values.forEach((value, register) => state.setUint8(1 + register, value));
}

/** The configuration keys of a register file. */
export const REGISTER_KEYS = ["registers", "values", "read-only"] as const;

/** Reads those. */
export function configureRegisters(
  values: Partial<Record<string, ConfigNode>>,
): RegistersConfig {
  const count = values.registers?.integer(1, MAX_REGISTERS, "a number of registers") ??
    MAX_REGISTERS;
  const bytes = new Array<number>(count).fill(0);
  for (const run of values.values?.list("mappings with 'at' and 'bytes'") ?? []) {
    const { at, bytes: list } = run.mapping(["at", "bytes"]);
    if (at === undefined || list === undefined) return run.fail("expected both 'at' and 'bytes'");
    const first = at.integer(0, count - 1, "a register");
    list.list("bytes").forEach((byte, index) => {
      if (first + index >= count) byte.fail(`register ${first + index} is beyond the last one`);
      bytes[first + index] = byte.integer(0, 255, "a byte");
    });
  }
  return { values: bytes, readOnly: values["read-only"]?.boolean() ?? false };
}

/** `registers` */
export const registers: ChipModel<RegistersConfig> = {
  names: ["registers"],
  keys: REGISTER_KEYS,
  configure: (_name, values) => configureRegisters(values),
  stateSize: registersStateSize,
  initialize: initializeRegisters,
  create: (config, state) => new Registers(config, state),
};
