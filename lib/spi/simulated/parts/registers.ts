/**
 * A simulated chip with registers of one byte, as sensors have them.
 *
 * The first byte is the number of a register, with bit 7 set for reading; each byte after it reads
 * or writes a register, from that number on. Numbers wrap around at 128.
 *
 * @module
 */

import { type Chip, FAILED } from "../part.ts";

/** The number of registers. */
export const REGISTER_COUNT = 128;
const READ = 0x80;

/** What the configuration says of the chip. */
export interface RegistersSettings {
  readonly type: "registers";
  /** The registers at the start. */
  readonly values: readonly (readonly [register: number, value: number])[];
  /** Those that writes do not change. */
  readonly readOnly: readonly number[];
  /** Those that make a transfer fail. */
  readonly failing: readonly number[];
}

/** The registers, as guests share them. */
export function makeRegisters(settings: RegistersSettings): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(REGISTER_COUNT);
  const bytes = new Uint8Array(memory);
  for (const [register, value] of settings.values) bytes[register] = value;
  return memory;
}

/** A chip with registers. */
export class Registers implements Chip {
  readonly #registers: Uint8Array;
  readonly #readOnly: Uint8Array;
  readonly #failing: Uint8Array;
  #addressed = false;
  #touched = false;
  #reading = false;
  #register = 0;

  constructor(settings: RegistersSettings, memory: SharedArrayBuffer) {
    this.#registers = new Uint8Array(memory);
    this.#readOnly = new Uint8Array(REGISTER_COUNT);
    this.#failing = new Uint8Array(REGISTER_COUNT);
    for (const register of settings.readOnly) this.#readOnly[register] = 1;
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
    if (!this.#readOnly[register]) this.#registers[register] = sent;
    return 0xff;
  }

  deselect(): void {
    this.#addressed = this.#touched = false;
  }

  close(): void {}
}
