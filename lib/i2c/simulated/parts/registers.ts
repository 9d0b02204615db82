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

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties, Settings } from "../../../simulation/property.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";

/** The most registers: their number is a byte. */
const MAX_REGISTERS = 256;

function count(settings: { readonly registers?: unknown }): number {
  return settings.registers as number;
}

/** The properties of a register file whose state begins at a place in a part's. */
export function registersProperties(at: number) {
  return {
    registers: {
      type: "integer",
      set: "start",
      what: "a number of registers",
      from: 1,
      to: MAX_REGISTERS,
      default: MAX_REGISTERS,
      help: "how many there are",
    },
    values: {
      type: "bytes",
      set: "both",
      count,
      what: "a register",
      at: at + 1,
      help: "what they hold",
    },
    "read-only": {
      type: "numbers",
      set: "start",
      count,
      what: "a register",
      help: "those that the guest's writes do not change",
    },
  } as const satisfies Properties;
}

type RegistersProperties = ReturnType<typeof registersProperties>;

/** What a register file has to do with, whatever else its part has. */
export type RegistersContext =
  & Pick<PartContext<RegistersProperties>, "changes" | "state">
  & { readonly settings: Settings<RegistersProperties> };

/** The register file at work. */
export class Registers implements I2cPart {
  readonly #context: RegistersContext;
  readonly #state: DataView;
  readonly #at: number;
  readonly #count: number;
  /** By register, 1 if writing has no effect. */
  readonly #readOnly: Uint8Array;
  #numbered = false;
  /** What has been written, from and to. */
  #low = MAX_REGISTERS;
  #high = 0;

  /** @param at where its state begins */
  constructor(context: RegistersContext, at = 0) {
    const { settings, state } = context;
    this.#context = context;
    this.#state = state;
    this.#at = at;
    this.#count = settings.registers;
    this.#readOnly = new Uint8Array(settings.registers);
    for (const register of settings["read-only"]) this.#readOnly[register] = 1;
  }

  start(_read: boolean): boolean {
    this.#numbered = false;
    return true;
  }

  write(byte: number): boolean {
    if (!this.#numbered) {
      if (byte >= this.#count) return false;
      this.#numbered = true;
      this.#state.setUint8(this.#at, byte);
      return true;
    }
    const register = this.#state.getUint8(this.#at);
    if (this.#readOnly[register] === 0) this.#state.setUint8(this.#at + 1 + register, byte);
    this.#state.setUint8(this.#at, (register + 1) % this.#count);
    if (register < this.#low) this.#low = register;
    if (register >= this.#high) this.#high = register + 1;
    return true;
  }

  read(): number {
    const register = this.#state.getUint8(this.#at);
    this.#state.setUint8(this.#at, (register + 1) % this.#count);
    return this.#state.getUint8(this.#at + 1 + register);
  }

  stop(): void {
    if (this.#high === 0) return;
    this.#context.changes.tellBytes("values", this.#low, this.#high - this.#low);
    this.#low = MAX_REGISTERS;
    this.#high = 0;
  }
}

/** The bytes of state that a register file takes. */
export function registersStateSize(settings: Settings<RegistersProperties>): number {
  return 1 + settings.registers;
}

/** `registers` */
export const registers: I2cPartModel<RegistersProperties> = {
  name: "registers",
  help: "8-bit registers with a pointer that moves on by itself",
  properties: registersProperties(0),
  stateSize: registersStateSize,
  create: (context) => new Registers(context),
};
