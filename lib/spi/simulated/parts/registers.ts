/**
 * A simulated chip with registers of one byte, as sensors have them.
 *
 * The first byte is the number of a register, with bit 7 set for reading; each byte after it reads
 * or writes a register, from that number on. Numbers wrap around at 128.
 *
 * State: the registers.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import { FAILED, type SpiPart, type SpiPartModel } from "../part.ts";

/** The number of registers. */
const REGISTER_COUNT = 128;
const READ = 0x80;

const register = { count: REGISTER_COUNT, what: "a register" } as const;

const properties = {
  values: { ...register, type: "bytes", set: "both", at: 0, help: "what they hold" },
  "read-only": {
    ...register,
    type: "numbers",
    set: "start",
    help: "those that the guest's writes do not change",
  },
  failing: {
    ...register,
    type: "numbers",
    set: "start",
    help: "those that make a transfer fail which touches them",
  },
} as const satisfies Properties;

class Registers implements SpiPart {
  readonly #context: PartContext<typeof properties>;
  readonly #registers: Uint8Array;
  readonly #readOnly = new Uint8Array(REGISTER_COUNT);
  readonly #failing = new Uint8Array(REGISTER_COUNT);
  #addressed = false;
  #touched = false;
  #reading = false;
  #register = 0;
  /** What has been written, from and to. */
  #low = REGISTER_COUNT;
  #high = 0;

  constructor(context: PartContext<typeof properties>) {
    const { state, settings } = context;
    this.#context = context;
    this.#registers = new Uint8Array(state.buffer, state.byteOffset, REGISTER_COUNT);
    for (const register of settings["read-only"]) this.#readOnly[register] = 1;
    for (const register of settings.failing) this.#failing[register] = 1;
  }

  get expectsMore(): boolean {
    return this.#addressed && !this.#touched;
  }

  exchange(sent: number): number {
    if (!this.#addressed) {
      this.#addressed = true;
      this.#reading = (sent & READ) !== 0;
      this.#register = sent & ~READ;
      return 0xff;
    }
    this.#touched = true;
    const register = this.#register;
    this.#register = (register + 1) % REGISTER_COUNT;
    if (this.#failing[register]) return FAILED;
    if (this.#reading) return this.#registers[register];
    if (!this.#readOnly[register]) this.#write(register, sent);
    return 0xff;
  }

  deselect(): void {
    this.#addressed = this.#touched = false;
    if (this.#high === 0) return;
    this.#context.changes.tellBytes("values", this.#low, this.#high - this.#low);
    this.#low = REGISTER_COUNT;
    this.#high = 0;
  }

  #write(register: number, value: number): void {
    this.#registers[register] = value;
    if (register < this.#low) this.#low = register;
    if (register >= this.#high) this.#high = register + 1;
  }
}

/** `registers` */
export const registers: SpiPartModel<typeof properties> = {
  name: "registers",
  help: "128 registers of a byte: the first byte is a register's number, with bit 7 set to read",
  properties,
  stateSize: () => REGISTER_COUNT,
  create: (context) => new Registers(context),
};
