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
import type { ActiveLevel, Properties, Settings } from "./property.ts";

/** The most pins of a part. */
const MAX_PINS = 15;
// i32 words: what the pins do, and the eventfd of whoever is woken by that, plus one. Of pin n, bit
// n says that it calls, bit n + 16 that its level is then high.
const PINS = 0;
const WAKER = 1;
const HIGH = 16;

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
  /** Two words that all threads share, zero at first. */
  readonly words: Int32Array;
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

/** What a pin does. */
export interface PinState {
  /** The property that it is. */
  readonly name: string;
  readonly calls: boolean;
  /** Its level: 1 is high. */
  readonly level: 0 | 1;
}

/** The pins of one part. */
export class InterruptPins {
  readonly #context: PinContext;
  readonly #changes: Changes;
  readonly #thing: number;
  readonly #pins: readonly Pin[];

  /** @param thing the part's number */
  constructor(context: PinContext, changes: Changes, thing: number) {
    this.#context = context;
    this.#changes = changes;
    this.#thing = thing;
    this.#pins = pinsOf(context.model);
  }

  get count(): number {
    return this.#pins.length;
  }

  /** Looks at the pins, and tells of what has changed; with the part's bus locked. */
  look(): void {
    const { state, settings, words } = this.#context;
    let now = 0;
    for (let index = 0; index < this.#pins.length; index++) {
      const { live, active } = this.#pins[index];
      if (live.get(state, settings) === true) now |= 1 << index;
      if ((live.active?.(state, settings) ?? active) === "active-high") now |= 1 << index + HIGH;
    }
    const changed = now ^ words[PINS];
    if (changed === 0) return;
    Atomics.store(words, PINS, now);
    for (let index = 0; index < this.#pins.length; index++) {
      if (((changed >>> index) & 1) === 0) continue;
      this.#changes.tell(this.#thing, this.#pins[index].place, (now >>> index) & 1, 0, 0);
    }
    if (words[WAKER] > 0) signalEventfd(words[WAKER] - 1);
  }

  /** Signals this eventfd from now on whenever a pin has changed; with the part's bus locked. */
  wakeAt(eventfd: number): void {
    this.#context.words[WAKER] = eventfd + 1;
  }

  /** When to look again, on the clock of `monotonicTime()`; with the part's bus locked. */
  get due(): number {
    const { state, settings } = this.#context;
    return this.#pins.reduce(
      (least, { live }) => Math.min(least, live.due?.(state, settings) ?? Infinity),
      Infinity,
    );
  }

  /** What the pins did when they were last looked at; from any thread. */
  get states(): PinState[] {
    const now = Atomics.load(this.#context.words, PINS);
    return this.#pins.map(({ name }, index) => {
      const calls = ((now >>> index) & 1) === 1;
      const high = ((now >>> index + HIGH) & 1) === 1;
      return { name, calls, level: calls === high ? 1 : 0 };
    });
  }
}
