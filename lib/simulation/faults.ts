/**
 * Faults that are injected into a part: a hook at its bus, of which the part knows nothing.
 *
 * @module
 */

/** The kinds of faults, each with what it does. */
const FAULTS = {
  nak: "does not acknowledge its address",
  fail: "lets a transfer fail",
  wrong: "answers with a wrong byte",
} as const;

/** A kind of fault. */
export type Fault = keyof typeof FAULTS;

const KINDS = Object.keys(FAULTS) as Fault[];

/** Faults by number, for {@linkcode Faults.strikes}. */
export const NAK = KINDS.indexOf("nak");
export const FAIL = KINDS.indexOf("fail");
export const WRONG = KINDS.indexOf("wrong");

// i32 words: how many kinds are to come, and of each how often.
const TO_COME = 0;
const FIRST = 1;

/** The faults of one part; all calls come from whoever has the bus. */
export class Faults {
  /** The size of the shared memory in bytes. */
  static readonly SIZE = 4 * (FIRST + KINDS.length);
  readonly #words: Int32Array;

  /** @param offset of {@linkcode Faults.SIZE} bytes in the memory, zero at first */
  constructor(memory: SharedArrayBuffer, offset: number) {
    this.#words = new Int32Array(memory, offset, FIRST + KINDS.length);
  }

  /** True if any fault is to come. */
  get any(): boolean {
    return this.#words[TO_COME] !== 0;
  }

  /** True if that fault strikes now; it does so once less from now on. */
  strikes(kind: number): boolean {
    const words = this.#words;
    if (words[FIRST + kind] === 0) return false;
    if (--words[FIRST + kind] === 0) words[TO_COME]--;
    return true;
  }

  /** Lets a fault strike so many times, from the next on; 0 takes it back. */
  inject(fault: Fault, count: number): void {
    const words = this.#words;
    const at = FIRST + KINDS.indexOf(fault);
    words[TO_COME] += Number(count > 0) - Number(words[at] > 0);
    words[at] = count;
  }

  /** How many times a fault is still to strike. */
  left(fault: Fault): number {
    return this.#words[FIRST + KINDS.indexOf(fault)];
  }
}
