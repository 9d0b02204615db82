/**
 * A part as a thing.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { Lock } from "../threads/lock.ts";
import type { BackingFile } from "./backing_file.ts";
import { Changes } from "./changes.ts";
import { PropertyError } from "./check_value.ts";
import { changedValue, DeclaredThing } from "./declared_thing.ts";
import type { Fault, Faults } from "./faults.ts";
import type { InterruptPins } from "./interrupt_pins.ts";
import type { PartModel } from "./part.ts";
import type { BytesProperty, Property, Value } from "./property.ts";
import { PropertyWatch } from "./property_watch.ts";
import {
  backingOf,
  bytesOf,
  faultsOf,
  interruptsOf,
  type PoweredPart,
  stateOf,
} from "./simulation.ts";
import type { ThingPlace } from "./thing.ts";
import type { PartPins } from "./pins.ts";

/** A part, for whoever controls it. */
export class PartThing extends DeclaredThing {
  readonly #model: PartModel;
  readonly #part: PoweredPart;
  readonly #state: DataView;
  readonly #file: BackingFile | undefined;
  readonly #faults: Faults;
  readonly #interrupts: InterruptPins | undefined;
  readonly #changes: Changes;
  readonly #watch: PropertyWatch;

  /**
   * @param kinds of faults that its bus knows
   * @param lock of its bus
   */
  constructor(
    model: PartModel,
    part: PoweredPart,
    place: ThingPlace,
    kinds: readonly Fault[],
    lock: Lock,
    log: Logger,
  ) {
    super(part, place, model, part.settings, lock, kinds);
    this.#model = model;
    this.#part = part;
    this.#state = stateOf(part);
    this.#file = backingOf(model, part, log);
    this.#faults = faultsOf(part);
    this.#interrupts = interruptsOf(model, part);
    this.#changes = new Changes(part.changes);
    this.#watch = new PropertyWatch(model, part.settings, this.#state, this.#changes, this.number);
  }

  get pins(): PartPins | undefined {
    const pins = this.#interrupts;
    return pins && {
      wires: this.#part.wires ?? [],
      take: () => pins.take(),
      wakeAt: (eventfd) => this.locked(() => pins.wakeAt(eventfd)),
      look: () => {
        if (!pins.changesWithTime) return Infinity;
        return this.locked(() => {
          pins.look();
          return pins.due;
        });
      },
    };
  }

  /** Looks at the pins: somebody has had to do with the part. */
  protected look(): void {
    this.locked(() => this.#interrupts?.look());
  }

  protected override liveValue(name: string): { readonly value: Value } | undefined {
    const live = this.#model.live?.[name];
    return live === undefined ? undefined : { value: live.get(this.#state, this.#part.settings) };
  }

  protected override change(name: string, property: Property, value: Value): void {
    const live = this.#model.live?.[name];
    if (live?.set === undefined) throw new PropertyError("it cannot be set");
    this.#watch.begin();
    try {
      live.set(this.#state, value as never, this.#part.settings);
    } finally {
      this.#watch.end(name);
    }
    const now = live.get(this.#state, this.#part.settings);
    this.#changes.tell(this.number, this.placeOf(name), changedValue(property, now), 0, 0);
    this.#interrupts?.look();
  }

  protected override bytes(name: string): Uint8Array {
    return bytesOf(this.#part, this.#model.properties[name] as BytesProperty);
  }

  protected override written(name: string, at: number, length: number): void {
    if (this.#model.backing?.contents === name) this.#file?.save(at, length);
    this.#changes.tell(this.number, this.placeOf(name), NaN, at, length);
    this.#interrupts?.look();
  }

  protected override strike(fault: Fault, count: number): void {
    this.#faults.inject(fault, count);
  }
}
