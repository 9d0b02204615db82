/**
 * Tells of properties that have become something else, whatever has changed them: a transaction, or
 * another property that was set.
 *
 * @module
 */

import type { Changes } from "./changes.ts";
import { changedValue } from "./declared_thing.ts";
import type { PartModel } from "./part.ts";
import type { Properties, Property, Settings, Value } from "./property.ts";

interface Watched {
  readonly name: string;
  readonly property: Property;
  readonly place: number;
  readonly get: (state: DataView, settings: Settings<Properties>) => Value;
}

/** The properties of one part. Where nobody listens, it costs a look at one word. */
export class PropertyWatch {
  readonly #settings: Settings<Properties>;
  readonly #state: DataView;
  readonly #changes: Changes;
  readonly #thing: number;
  readonly #watched: readonly Watched[];
  readonly #before: Value[] = [];
  #begun = false;

  /** @param thing the part's number */
  constructor(
    { properties, live = {} }: PartModel,
    settings: Settings<Properties>,
    state: DataView,
    changes: Changes,
    thing: number,
  ) {
    this.#settings = settings;
    this.#state = state;
    this.#changes = changes;
    this.#thing = thing;
    this.#watched = Object.entries(properties).flatMap(([name, property], place) => {
      // A clock changes all the time, and pins are looked at after everything.
      const isOther = property.type === "time" ||
        (property.type === "boolean" && property.interrupt !== undefined);
      const get = isOther ? undefined : live[name]?.get;
      return get === undefined ? [] : [{ name, property, place, get }];
    });
  }

  /** Remembers what the properties are, unless that has begun already; with the bus locked. */
  begin(): void {
    if (this.#begun || !this.#changes.isHeard) return;
    this.#begun = true;
    for (let index = 0; index < this.#watched.length; index++) {
      this.#before[index] = this.#watched[index].get(this.#state, this.#settings);
    }
  }

  /**
   * Tells of those that are no longer what they were; with the bus locked.
   *
   * @param except one that somebody else tells of
   */
  end(except?: string): void {
    if (!this.#begun) return;
    this.#begun = false;
    for (let index = 0; index < this.#watched.length; index++) {
      const { name, property, place, get } = this.#watched[index];
      const now = get(this.#state, this.#settings);
      if (name === except || now === this.#before[index]) continue;
      this.#changes.tell(this.#thing, place, changedValue(property, now), 0, 0);
    }
  }
}
