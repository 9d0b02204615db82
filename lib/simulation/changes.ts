/**
 * What changes in the simulated world, for whoever listens: a ring of records in memory that all
 * threads share.
 *
 * Where nobody listens, telling of a change costs one look at that memory.
 *
 * @module
 */

import { signalEventfd } from "../../ffi/eventfd.ts";
import { Lock } from "../threads/lock.ts";

/** The most records that wait for a listener; older ones are missed. */
export const CAPACITY = 4096;
/** The most listeners at a time. */
export const MAX_LISTENERS = 8;

// i32 words: the lock, how many listen, and for each of them its eventfd plus one and whether it
// sleeps. Then f64 how many records there have been, and the records.
const LISTENERS = 1;
const SLOTS = 2;
const HEADER = 4 * (SLOTS + 2 * MAX_LISTENERS);
const COUNT = HEADER / 8;
const RECORDS = COUNT + 1;
// Of a record, f64 each.
const TIME = 0;
const VALUE = 1;
const THING = 2;
const PROPERTY = 3;
const AT = 4;
const LENGTH = 5;
const RECORD = 6;

/** One change. */
export interface Change {
  /** How many there were before it. */
  sequence: number;
  /** In milliseconds since 1970. */
  time: number;
  /** The number of the thing. */
  thing: number;
  /** The property's place among those of the thing. */
  property: number;
  /** What a number or a boolean is now, or the place of a choice; NaN for anything else. */
  value: number;
  /** Of bytes, which have changed. */
  at: number;
  length: number;
}

/** One to be filled in by {@linkcode ChangeListener.next}. */
export function emptyChange(): Change {
  return { sequence: 0, time: 0, thing: 0, property: 0, value: 0, at: 0, length: 0 };
}

/** The changes of one daemon, as one thread has them. */
export class Changes {
  /** The size of the shared memory in bytes. */
  static readonly SIZE = 8 * (RECORDS + RECORD * CAPACITY);

  readonly #lock: Lock;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  /** What has to be added to get milliseconds since 1970. */
  readonly #origin = performance.timeOrigin;

  /** @param memory of {@linkcode Changes.SIZE} zeroed bytes, the same on all threads */
  constructor(memory: SharedArrayBuffer) {
    this.#lock = new Lock(memory);
    this.#words = new Int32Array(memory, 0, HEADER / 4);
    this.#numbers = new Float64Array(memory);
  }

  /** True if anybody listens. */
  get isHeard(): boolean {
    return this.#words[LISTENERS] !== 0;
  }

  /** Records a change, if anybody listens. */
  tell(thing: number, property: number, value: number, at: number, length: number): void {
    if (this.#words[LISTENERS] === 0) return;
    const numbers = this.#numbers;
    this.#lock.acquire();
    const count = numbers[COUNT];
    const record = RECORDS + RECORD * (count % CAPACITY);
    numbers[record + TIME] = this.#origin + performance.now();
    numbers[record + VALUE] = value;
    numbers[record + THING] = thing;
    numbers[record + PROPERTY] = property;
    numbers[record + AT] = at;
    numbers[record + LENGTH] = length;
    numbers[COUNT] = count + 1;
    for (let slot = SLOTS; slot < SLOTS + 2 * MAX_LISTENERS; slot += 2) {
      if (this.#words[slot] === 0 || this.#words[slot + 1] === 0) continue;
      this.#words[slot + 1] = 0;
      signalEventfd(this.#words[slot] - 1);
    }
    this.#lock.release();
  }

  /**
   * Listens from now on.
   *
   * @param eventfd signalled when there is something to be told, after it was told everything
   * @returns `undefined` where too many listen already
   */
  listen(eventfd: number): ChangeListener | undefined {
    this.#lock.acquire();
    try {
      for (let slot = SLOTS; slot < SLOTS + 2 * MAX_LISTENERS; slot += 2) {
        if (this.#words[slot] !== 0) continue;
        this.#words[slot] = eventfd + 1;
        this.#words[slot + 1] = 1;
        Atomics.add(this.#words, LISTENERS, 1);
        return new ChangeListener(this.#lock, this.#words, this.#numbers, slot);
      }
      return undefined;
    } finally {
      this.#lock.release();
    }
  }
}

/** One who listens. */
export class ChangeListener {
  readonly #lock: Lock;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #slot: number;
  #next: number;
  /** How many changes were too many to wait for this listener. */
  missed = 0;

  /** Only {@linkcode Changes.listen} makes one, with the lock held. */
  constructor(lock: Lock, words: Int32Array, numbers: Float64Array, slot: number) {
    this.#lock = lock;
    this.#words = words;
    this.#numbers = numbers;
    this.#slot = slot;
    this.#next = numbers[COUNT];
  }

  /** The {@linkcode Change.sequence} that the next change of all will have. */
  get end(): number {
    this.#lock.acquire();
    const count = this.#numbers[COUNT];
    this.#lock.release();
    return count;
  }

  /**
   * Takes the next change.
   *
   * @param change what it is goes here
   * @returns false if there is none; the eventfd is signalled once there is
   */
  next(change: Change): boolean {
    const numbers = this.#numbers;
    this.#lock.acquire();
    const count = numbers[COUNT];
    const lost = count - CAPACITY - this.#next;
    if (lost > 0) {
      this.missed += lost;
      this.#next += lost;
    }
    const found = this.#next < count;
    if (found) {
      const record = RECORDS + RECORD * (this.#next % CAPACITY);
      change.sequence = this.#next++;
      change.time = numbers[record + TIME];
      change.value = numbers[record + VALUE];
      change.thing = numbers[record + THING];
      change.property = numbers[record + PROPERTY];
      change.at = numbers[record + AT];
      change.length = numbers[record + LENGTH];
    } else {
      this.#words[this.#slot + 1] = 1;
    }
    this.#lock.release();
    return found;
  }

  /** Listens no more; the eventfd is not used any longer. */
  close(): void {
    this.#lock.acquire();
    this.#words[this.#slot] = this.#words[this.#slot + 1] = 0;
    Atomics.sub(this.#words, LISTENERS, 1);
    this.#lock.release();
  }
}

/** Tells of what a guest changes in one part. */
export class PartChanges {
  readonly #changes: Changes;
  readonly #thing: number;
  readonly #names: readonly string[];

  constructor(changes: Changes, thing: number, names: readonly string[]) {
    this.#changes = changes;
    this.#thing = thing;
    this.#names = names;
  }

  /** True if anybody listens. */
  get isHeard(): boolean {
    return this.#changes.isHeard;
  }

  /** A property of one value has changed. */
  tell(name: string, value: number | boolean): void {
    if (!this.#changes.isHeard) return;
    this.#changes.tell(this.#thing, this.#names.indexOf(name), Number(value), 0, 0);
  }

  /** Some of a property's bytes have changed. */
  tellBytes(name: string, at: number, length: number): void {
    if (!this.#changes.isHeard) return;
    this.#changes.tell(this.#thing, this.#names.indexOf(name), NaN, at, length);
  }
}
