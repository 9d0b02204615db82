/**
 * Chips with registers of two bytes, high byte first, behind a pointer that stays where it is.
 *
 * The first byte written is the register's number, the two that follow are its new value; those
 * after them are another one. Reading begins with the register that was chosen last, and gives it
 * again and again.
 *
 * @module
 */

import type { PartContext } from "../../simulation/part.ts";
import type { Properties } from "../../simulation/property.ts";
import type { PropertyWatch } from "../../simulation/property_watch.ts";
import type { I2cPart } from "./part.ts";

/** Where in the state the pointer is, a byte. */
const POINTER = 0;

/** Such a chip; its state begins with a byte that is not its own. */
export abstract class WordRegisterPart implements I2cPart {
  protected readonly state: DataView;
  readonly #watch: PropertyWatch;
  /** How many bytes of the message there have been. */
  #count = 0;
  #high = 0;
  /** The register's value, as it was when its first byte was read. */
  #value = 0;

  constructor({ state, watch }: Pick<PartContext<Properties>, "state" | "watch">) {
    this.state = state;
    this.#watch = watch;
  }

  /** @returns the value, from 0 to 0xffff */
  protected abstract readRegister(register: number): number;
  protected abstract writeRegister(register: number, value: number): void;

  start(_read: boolean): boolean {
    this.#watch.begin();
    this.#count = 0;
    return true;
  }

  write(byte: number): boolean {
    const count = this.#count++;
    if (count === 0) this.state.setUint8(POINTER, byte);
    else if (count % 2 === 1) this.#high = byte;
    else this.writeRegister(this.state.getUint8(POINTER), this.#high * 256 + byte);
    return true;
  }

  read(): number {
    const isHigh = this.#count++ % 2 === 0;
    if (isHigh) this.#value = this.readRegister(this.state.getUint8(POINTER));
    return isHigh ? this.#value >> 8 : this.#value & 0xff;
  }

  stop(): void {
    this.#watch.end();
  }
}

/** A number within a range. */
export function clamp(value: number, from: number, to: number): number {
  return Math.min(to, Math.max(from, value));
}
