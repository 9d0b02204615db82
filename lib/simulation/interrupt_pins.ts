/**
 * The pins by which a part calls for attention: its interrupt outputs.
 *
 * What a pin does follows from the part's state. It is looked at after whatever may have changed
 * that: a transaction, whoever controls the part, and time.
 *
 * @module
 */

import { signalEventfd } from "../../ffi/eventfd.ts";
import type { Changes } from "./changes.ts";
import type { LiveProperty, PartModel } from "./part.ts";
import type { PinState } from "./pins.ts";
import type { ActiveLevel, Properties, Settings } from "./property.ts";

/** The most pins of a part. */
const MAX_PINS = 15;
// i32 words: what the pins do, which have changed since somebody last asked, and the eventfd of
// whoever is woken by that, plus one. Of pin n, bit n says that it calls, bit n + 16 that its level
// is then high. Then f64 when to look again.
const PINS = 0;
const CHANGED = 1;
const WAKER = 2;
const HIGH = 16;
const DUE_AT = 16;

/** A pin and how it is looked at. */
interface Pin {
  readonly name: string;
  /** Its place among the properties. */
  readonly place: number;
  readonly active: ActiveLevel;
  readonly live: LiveProperty<Settings<Properties>>;
}

/** A part as its pins need it. */
export interface PinContext {
  readonly model: PartModel;
  readonly settings: Settings<Properties>;
  readonly state: DataView;
  /** {@linkcode InterruptPins.SIZE} bytes that all threads share, zero at first. */
  readonly memory: SharedArrayBuffer;
  /** Where in it they are, a multiple of 8. */
  readonly at: number;
}

function pinsOf({ name: part, properties, live = {} }: PartModel): Pin[] {
  const pins = Object.entries(properties).flatMap(([name, property], place) =>
    property.type === "boolean" && property.interrupt !== undefined
      ? [{ name, place, active: property.interrupt, live: live[name] }]
      : []
  );
  if (pins.length > MAX_PINS) throw new TypeError(`${part} has more than ${MAX_PINS} pins`);
  return pins;
}

/** The names of a model's pins. */
export function pinNames(model: PartModel): string[] {
  return pinsOf(model).map(({ name }) => name);
}

/** The pins of one part. */
export class InterruptPins {
  /** The size of the shared memory in bytes. */
  static readonly SIZE = DUE_AT + 8;
  readonly #context: PinContext;
  readonly #words: Int32Array;
  readonly #due: Float64Array;
  readonly #changes: Changes;
  readonly #thing: number;
  readonly #pins: readonly Pin[];

  /** @param thing the part's number */
  constructor(context: PinContext, changes: Changes, thing: number) {
    this.#context = context;
    this.#changes = changes;
    this.#thing = thing;
    this.#pins = pinsOf(context.model);
    this.#words = new Int32Array(context.memory, context.at, DUE_AT / 4);
    this.#due = new Float64Array(context.memory, context.at + DUE_AT, 1);
  }

  get count(): number {
    return this.#pins.length;
  }

  /** True if any may come to call without anybody doing anything. */
  get changesWithTime(): boolean {
    return this.#pins.some(({ live }) => live.due !== undefined);
  }

  /** Looks at the pins, and tells of what has changed; with the part's bus locked. */
  look(): void {
    const { state, settings } = this.#context;
    const words = this.#words;
    let now = 0;
    let due = Infinity;
    for (let index = 0; index < this.#pins.length; index++) {
      const { live, active } = this.#pins[index];
      if (live.get(state, settings) === true) now |= 1 << index;
      if ((live.active?.(state, settings) ?? active) === "active-high") now |= 1 << index + HIGH;
      if (live.due !== undefined) due = Math.min(due, live.due(state, settings));
    }
    const isSooner = due < this.#due[0];
    this.#due[0] = due;
    const changed = now ^ words[PINS];
    if (changed === 0) {
      if (isSooner) this.#wake();
      return;
    }
    Atomics.store(words, PINS, now);
    Atomics.or(words, CHANGED, (changed | changed >>> HIGH) & 2 ** HIGH - 1);
    for (let index = 0; index < this.#pins.length; index++) {
      if (((changed >>> index) & 1) === 0) continue;
      this.#changes.tell(this.#thing, this.#pins[index].place, (now >>> index) & 1, 0, 0);
    }
    this.#wake();
  }

  /**
   * Signals this eventfd from now on whenever a pin has changed, or is to be looked at sooner; with
   * the part's bus locked.
   */
  wakeAt(eventfd: number): void {
    this.#words[WAKER] = eventfd + 1;
  }

  /** When to look again, on the clock of `monotonicTime()`; with the part's bus locked. */
  get due(): number {
    return this.#due[0];
  }

  /** What the pins did when they were last looked at; for the one thread that wires them. */
  take(): PinState[] {
    const taken = Atomics.exchange(this.#words, CHANGED, 0);
    const now = Atomics.load(this.#words, PINS);
    return this.#pins.map(({ name }, index) => {
      const calls = ((now >>> index) & 1) === 1;
      const high = ((now >>> index + HIGH) & 1) === 1;
      const changed = ((taken >>> index) & 1) === 1;
      return { name, calls, level: calls === high ? 1 : 0, changed };
    });
  }

  #wake(): void {
    if (this.#words[WAKER] > 0) signalEventfd(this.#words[WAKER] - 1);
  }
}
