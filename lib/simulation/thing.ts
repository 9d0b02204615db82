/**
 * Simulated things as whoever controls them sees them: by name, with properties that can be read,
 * and set where they say so. From any thread.
 *
 * @module
 */

import type { Fault } from "./faults.ts";
import { PropertyError } from "./check_value.ts";
import type { Property, Value } from "./property.ts";
import type { PartPins } from "./pins.ts";
import type { RemoteEnd } from "./remote/remote_end.ts";

/** A thing as it is listed. All of it can be written as JSON. */
export interface ThingDescription {
  readonly name: string;
  /** What it is, for example `24c02` or `line`. */
  readonly part: string;
  readonly help: string;
  /** Where it is, for example `address 0x50`. */
  readonly place: string;
  /** The guests that have it. */
  readonly guests: readonly number[];
  readonly properties: readonly PropertyDescription[];
  /** The kinds of faults that can be injected. */
  readonly faults: readonly Fault[];
}

/** A property as it is listed. */
export type PropertyDescription = Omit<Property, "count" | "at" | "excludes"> & {
  readonly name: string;
  /** Of bytes and numbers: how many there are. */
  readonly count?: number;
};

/** What all things have; every method may throw a {@linkcode PropertyError}. */
export interface Thing {
  /** As in the records of `Changes`. */
  readonly number: number;
  /** By which it is known. */
  readonly name: string;
  /** By which it is found, too, where nothing has that for its name. */
  readonly alias: string | undefined;
  /** The guests that have it. */
  readonly guests: readonly number[];
  /** Where its changes are told: the memory of `Changes`. */
  readonly changes: SharedArrayBuffer;
  /** By which it calls for attention, where it can. */
  readonly pins?: PartPins | undefined;
  /** Where a program serves it, if it is such a part. */
  readonly remote?: RemoteEnd | undefined;

  describe(): ThingDescription;
  /**
   * The name of the property at a place, as in the records of `Changes`.
   *
   * @returns `undefined` if there is none any more: a program may serve a part in place of another
   */
  propertyAt(place: number): string | undefined;
  /** What a number in those records stands for: the property's value. */
  changedTo(property: string, value: number): Value;
  /** Reads a property that is no bytes. */
  get(name: string): Value;
  /** Sets a property that is no bytes, to anything: it is checked. */
  set(name: string, value: unknown): void;
  /** Reads a range of a property's bytes. */
  read(name: string, at: number, length: number): Uint8Array;
  /** Writes some of a property's bytes. */
  write(name: string, at: number, bytes: Uint8Array): void;
  /** Lets a fault strike the next so many times; 0 takes it back. */
  inject(fault: string, count: number): void;
}

/** Where a thing is, and who has it. */
export interface ThingPlace {
  readonly name: string;
  readonly alias?: string | undefined;
  /** For people, for example `address 0x50`. */
  readonly place: string;
  readonly guests: readonly number[];
}

/**
 * Things by the names by which they are known in their daemon.
 *
 * A name that things of several guests have is told apart as `1/lid`, by the first guest's number.
 */
export class Things {
  readonly all: readonly Thing[];
  readonly #byName = new Map<string, Thing[]>();
  readonly #byAlias = new Map<string, Thing[]>();

  constructor(things: readonly Thing[]) {
    this.all = things;
    for (const thing of things) {
      const { name, alias, guests } = thing;
      for (const prefix of ["", ...guests.map((guest) => `${guest}/`)]) {
        add(this.#byName, prefix + name, thing);
        if (alias !== undefined) add(this.#byAlias, prefix + alias, thing);
      }
    }
  }

  /** The things of that name. */
  find(name: string): readonly Thing[] {
    return this.#byName.get(name) ?? this.#byAlias.get(name) ?? [];
  }

  /** The shortest name by which nothing else is known. */
  shownName({ name, guests }: Thing): string {
    return this.find(name).length === 1 ? name : `${guests[0]}/${name}`;
  }

  /**
   * The thing of that name.
   *
   * @throws {PropertyError} if there is none, or more than one
   */
  get(name: string): Thing {
    const found = this.find(name);
    if (found.length === 1) return found[0];
    if (found.length === 0) throw new PropertyError(`there is no '${name}'`);
    const names = found.map(({ guests, name }) => `${guests[0]}/${name}`).join(", ");
    throw new PropertyError(`there is more than one '${name}'; choose from ${names}`);
  }
}

function add(map: Map<string, Thing[]>, name: string, thing: Thing): void {
  const found = map.get(name);
  if (found === undefined) map.set(name, [thing]);
  else found.push(thing);
}
