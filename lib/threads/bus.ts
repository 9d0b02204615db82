/**
 * Who may use a bus: the guests of one daemon, each on a thread of its own, take turns.
 *
 * Among those that wait, the one comes next that has used the bus for the shortest time. A guest
 * that had it only briefly may come back within a moment, before one that keeps it for long: what
 * is shared is time, not the number of transfers.
 *
 * @module
 */

import { monotonicTime } from "../../ffi/clock.ts";
import { clearEventfd, createEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { Lock } from "./lock.ts";

// The shared memory: words, then for each guest two more, then for each guest a 64-bit number. A
// guest is known by its number plus one; 0 stands for nobody.
const LOCK = 0;
const OWNER = 1;
/** While the bus is free: the guest that had it last, or that was woken to have it next. */
const RESERVED = 2;
/** How many guests wait. */
const WAITERS = 3;
const HEADER = 4;
/** The descriptor that wakes a guest's thread. */
const WAKE = 0;
const WAITS = 1;
const WORDS = 2;

/** How long a free bus is kept for a guest, in milliseconds. */
export const RESERVATION = 1;
/**
 * How long a guest looks whether the one that has the bus is done with it, in milliseconds: to be
 * woken takes longer than most transfers of simulated parts.
 */
const SPIN = 0.02;
/** So much less of the bus has to have been a guest's for others to wait for it, in milliseconds. */
const CREDIT = 10;

/**
 * The right to use a bus, shared by threads. A guest keeps it from the start of a transfer to its
 * end, and on as long as a chip stays selected.
 */
export class Bus {
  /** Readable when a guest that has asked in vain is to ask again. */
  readonly wakeFd = createEventfd();

  readonly #words: Int32Array<SharedArrayBuffer>;
  /** By guest: for how long the bus was its, in milliseconds. Only differences mean something. */
  readonly #used: Float64Array<SharedArrayBuffer>;
  readonly #lock: Lock;
  readonly #guests: number;
  readonly #guest: number;
  readonly #me: number;
  /** When this turn began, and when the last one ended. */
  #since = 0;
  #until = 0;

  /** The size of the shared memory in bytes. */
  static size(guests: number): number {
    return 4 * (HEADER + WORDS * guests) + 8 * guests;
  }

  /**
   * @param memory of {@linkcode Bus.size} zeroed bytes, the same for all guests
   * @param guest the number of this thread's guest
   * @throws {SystemError} as eventfd(2)
   */
  constructor(memory: SharedArrayBuffer, guest: number) {
    this.#guests = (memory.byteLength - Bus.size(0)) / (Bus.size(1) - Bus.size(0));
    const words = HEADER + WORDS * this.#guests;
    this.#words = new Int32Array(memory, 0, words);
    this.#used = new Float64Array(memory, 4 * words, this.#guests);
    this.#lock = new Lock(memory, 4 * LOCK);
    this.#guest = guest;
    this.#me = guest + 1;
    this.#words[this.#at(guest) + WAKE] = this.wakeFd;
  }

  /** True if this guest has the bus. */
  get isMine(): boolean {
    return Atomics.load(this.#words, OWNER) === this.#me;
  }

  /** True if another guest is waiting for it; only the one that has it may ask. */
  get isWanted(): boolean {
    return Atomics.load(this.#words, WAITERS) > 0;
  }

  /** For how long it has been this guest's, in milliseconds. */
  get held(): number {
    return monotonicTime() - this.#since;
  }

  /** True if nobody has the bus; it may be kept for a guest for {@linkcode RESERVATION}. */
  get isFree(): boolean {
    return Atomics.load(this.#words, OWNER) === 0;
  }

  /**
   * Takes the bus, or gets in line for it: {@linkcode wakeFd} tells when to ask again.
   *
   * @param anyway also if it is kept for another guest
   * @returns false if it is not to be had now
   */
  claim(anyway = false): boolean {
    const words = this.#words;
    if (this.#guests === 1) {
      words[OWNER] = this.#me;
      return true;
    }
    if (this.#take(anyway, false)) return true;
    if (words[this.#at(this.#guest) + WAITS] === 0) {
      const end = monotonicTime() + SPIN;
      while (!this.isFree && monotonicTime() < end) {
        if (this.#freeBefore(end) && this.#take(anyway, false)) return true;
      }
    }
    return this.#take(anyway, true);
  }

  /** Looks whether the bus becomes free until then. */
  #freeBefore(end: number): boolean {
    while (!this.isFree) if (monotonicTime() >= end) return false;
    return true;
  }

  /** @param lines whether to get in line where it is not to be had */
  #take(anyway: boolean, lines: boolean): boolean {
    const words = this.#words;
    this.#lock.acquire();
    try {
      const owner = words[OWNER];
      if (owner === this.#me) return true;
      const mine = words[RESERVED] === this.#me;
      const waits = words[this.#at(this.#guest) + WAITS] !== 0;
      if (owner !== 0 || (!mine && !anyway && this.#isKept(words[RESERVED] - 1))) {
        if (waits || !lines) return false;
        this.#forgetPast();
        this.#setWaiting(1);
        return false;
      }
      if (waits) this.#setWaiting(0);
      else if (!mine) this.#forgetPast();
      Atomics.store(words, OWNER, this.#me);
      words[RESERVED] = 0;
      const now = monotonicTime();
      // While the bus was kept for this guest, others could not use it.
      this.#since = mine && !waits ? Math.max(this.#until, now - RESERVATION) : now;
      return true;
    } finally {
      this.#lock.release();
    }
  }

  /** Gives the bus back, or a place in the line for it. */
  release(): void {
    const words = this.#words;
    if (this.#guests === 1) {
      words[OWNER] = 0;
      return;
    }
    this.#lock.acquire();
    try {
      if (words[this.#at(this.#guest) + WAITS] !== 0) this.#setWaiting(0);
      if (words[OWNER] === this.#me) {
        this.#until = monotonicTime();
        this.#used[this.#guest] += this.#until - this.#since;
        Atomics.store(words, OWNER, 0);
        this.#passOn(true);
      } else if (words[RESERVED] === this.#me) {
        this.#passOn(false);
      }
    } finally {
      this.#lock.release();
    }
  }

  /** {@linkcode wakeFd} is readable no longer. */
  clearWake(): void {
    clearEventfd(this.wakeFd);
  }

  /** Gives everything back. */
  close(): void {
    this.release();
    this.#lock.acquire();
    this.#words[this.#at(this.#guest) + WAKE] = 0;
    this.#lock.release();
    close(this.wakeFd);
  }

  #at(guest: number): number {
    return HEADER + WORDS * guest;
  }

  #setWaiting(waits: 0 | 1): void {
    this.#words[this.#at(this.#guest) + WAITS] = waits;
    Atomics.add(this.#words, WAITERS, waits === 1 ? 1 : -1);
  }

  /** True if the free bus is kept for that guest: it is its turn, or it has used the bus less. */
  #isKept(guest: number): boolean {
    if (guest < 0) return false;
    return this.#words[this.#at(guest) + WAITS] !== 0 || this.#mayReturnBefore(this.#guest, guest);
  }

  /** True if `guest`, which has just had the bus, may come back before `next` has it. */
  #mayReturnBefore(next: number, guest: number): boolean {
    return this.#used[next] - this.#used[guest] > CREDIT;
  }

  /** What a guest did not use while it had no use for the bus is no credit. */
  #forgetPast(): void {
    const words = this.#words;
    let least = Infinity;
    let most = 0;
    for (let guest = 0; guest < this.#guests; guest++) {
      const used = this.#used[guest];
      const busy = words[OWNER] === guest + 1 || words[this.#at(guest) + WAITS] !== 0;
      if (busy && guest !== this.#guest) least = Math.min(least, used);
      most = Math.max(most, used);
    }
    const floor = least === Infinity ? most : least;
    if (this.#used[this.#guest] < floor) this.#used[this.#guest] = floor;
  }

  /** @param mayReturn this guest has just had the bus, and may want it again */
  #passOn(mayReturn: boolean): void {
    const words = this.#words;
    words[RESERVED] = mayReturn ? this.#me : 0;
    if (words[WAITERS] === 0) return;
    let next = -1;
    for (let guest = 0; guest < this.#guests; guest++) {
      if (words[this.#at(guest) + WAITS] === 0) continue;
      if (next < 0 || this.#used[guest] < this.#used[next]) next = guest;
    }
    if (next < 0) return;
    const returns = mayReturn && this.#mayReturnBefore(next, this.#guest);
    words[RESERVED] = returns ? this.#me : next + 1;
    const wake = words[this.#at(next) + WAKE];
    if (wake > 0) signalEventfd(wake);
  }
}
