/**
 * Simulated things as whoever controls them sees them: by name, with properties that can be read,
 * and set where they say so. From any thread.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { Lock } from "../threads/lock.ts";
import type { BackingFile } from "./backing_file.ts";
import { Changes } from "./changes.ts";
import type { Fault, Faults } from "./faults.ts";
import type { PartModel } from "./part.ts";
import { checkValue, PropertyError } from "./check_value.ts";
import {
  type BytesProperty,
  countOf,
  isSetWhileRunning,
  type Property,
  type Value,
} from "./property.ts";
import { backingOf, bytesOf, faultsOf, type PoweredPart, stateOf } from "./simulation.ts";

/** How long a thing that is busy is waited for, in milliseconds. */
const PATIENCE = 100;

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
  /** As in the records of {@linkcode Changes}. */
  readonly number: number;
  readonly name: string;
  readonly guests: readonly number[];

  describe(): ThingDescription;
  /** The name of the property at a place, as in the records of {@linkcode Changes}. */
  propertyAt(place: number): string;
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
  /** By which it is known. */
  readonly name: string;
  readonly place: string;
  readonly guests: readonly number[];
}

/** A part as a thing. */
export class PartThing implements Thing {
  readonly number: number;
  readonly name: string;
  readonly guests: readonly number[];

  readonly #place: string;
  readonly #model: PartModel;
  readonly #part: PoweredPart;
  readonly #state: DataView;
  readonly #file: BackingFile | undefined;
  readonly #faults: Faults;
  readonly #kinds: readonly Fault[];
  readonly #changes: Changes;
  readonly #lock: Lock;
  readonly #names: readonly string[];

  /**
   * @param kinds of faults that its bus knows
   * @param lock of its bus
   */
  constructor(
    model: PartModel,
    part: PoweredPart,
    { name, place, guests }: ThingPlace,
    kinds: readonly Fault[],
    lock: Lock,
    log: Logger,
  ) {
    this.number = part.thing;
    this.name = name;
    this.guests = guests;
    this.#place = place;
    this.#model = model;
    this.#part = part;
    this.#state = stateOf(part);
    this.#file = backingOf(model, part, log);
    this.#faults = faultsOf(part);
    this.#kinds = kinds;
    this.#changes = new Changes(part.changes);
    this.#lock = lock;
    this.#names = Object.keys(model.properties);
  }

  describe(): ThingDescription {
    const { name, help, properties } = this.#model;
    return {
      name: this.name,
      part: name,
      help,
      place: this.#place,
      guests: this.guests,
      properties: Object.entries(properties).map(([name, property]) =>
        describeProperty(name, property, this.#part.settings)
      ),
      faults: this.#kinds,
    };
  }

  propertyAt(place: number): string {
    return this.#names[place];
  }

  get(name: string): Value {
    const property = this.#property(name);
    if (property.type === "bytes") throw this.#error(name, "has bytes: read a range of them");
    const live = this.#model.live?.[name];
    const settings = this.#part.settings as Record<string, Value>;
    if (live === undefined) return settings[name];
    return this.#locked(() => live.get(this.#state, this.#part.settings));
  }

  set(name: string, value: unknown): void {
    const property = this.#settable(name);
    if (property.type === "bytes") throw this.#error(name, "has bytes: write a range of them");
    const live = this.#model.live?.[name];
    const set = live?.set;
    if (live === undefined || set === undefined) throw this.#error(name, "cannot be set");
    const checked = this.#explained(name, () => checkValue(property, value, this.#part.settings));
    const now = this.#locked(() => {
      this.#explained(
        name,
        () => set.call(live, this.#state, checked as never, this.#part.settings),
      );
      return live.get(this.#state, this.#part.settings);
    });
    const number = typeof now === "number" || typeof now === "boolean" ? Number(now) : NaN;
    this.#changes.tell(this.number, this.#names.indexOf(name), number, 0, 0);
  }

  read(name: string, at: number, length: number): Uint8Array {
    const bytes = this.#bytes(name, this.#property(name), at, length);
    return this.#locked(() => new Uint8Array(bytes));
  }

  write(name: string, at: number, bytes: Uint8Array): void {
    const range = this.#bytes(name, this.#settable(name), at, bytes.length);
    this.#locked(() => {
      range.set(bytes);
      if (this.#model.backing?.contents === name) this.#file?.save(at, bytes.length);
    });
    this.#changes.tell(this.number, this.#names.indexOf(name), NaN, at, bytes.length);
  }

  inject(fault: string, count: number): void {
    const kind = this.#kinds.find((kind) => kind === fault);
    if (kind === undefined) {
      const known = this.#kinds.length === 0
        ? "there are none"
        : `it has ${this.#kinds.join(", ")}`;
      throw new PropertyError(`'${this.name}' has no fault '${fault}'; ${known}`);
    }
    this.#locked(() => this.#faults.inject(kind, count));
  }

  #property(name: string): Property {
    if (this.#names.includes(name)) return this.#model.properties[name];
    throw new PropertyError(
      `'${this.name}' has no property '${name}'; it has ${this.#names.join(", ")}`,
    );
  }

  #settable(name: string): Property {
    const property = this.#property(name);
    if (isSetWhileRunning(property)) return property;
    throw this.#error(
      name,
      property.set === "start" ? "can be set in the configuration file only" : "can only be read",
    );
  }

  #bytes(name: string, property: Property, at: number, length: number): Uint8Array {
    if (property.type !== "bytes") throw this.#error(name, "has no bytes");
    const all = bytesOf(this.#part, property as BytesProperty);
    const fits = Number.isInteger(at) && Number.isInteger(length) && at >= 0 && length >= 0 &&
      at + length <= all.length;
    if (!fits) {
      throw this.#error(name, `has ${all.length} bytes, not ${length} from ${at} on`);
    }
    return all.subarray(at, at + length);
  }

  #error(property: string, why: string): PropertyError {
    return new PropertyError(`'${this.name}.${property}' ${why}`);
  }

  #explained<T>(property: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof PropertyError)) throw error;
      throw new PropertyError(`${this.name}.${property}: ${error.message}`);
    }
  }

  #locked<T>(run: () => T): T {
    if (!this.#lock.tryAcquire(PATIENCE)) {
      throw new PropertyError(`'${this.name}' is busy: a guest has its bus; try again`);
    }
    try {
      return run();
    } finally {
      this.#lock.release();
    }
  }
}

/** A property as it is listed. */
export function describeProperty(
  name: string,
  property: Property,
  settings: PoweredPart["settings"],
): PropertyDescription {
  const { excludes: _, ...rest } = property;
  if (rest.type === "bytes") {
    const { at: _, ...described } = rest;
    return { name, ...described, count: countOf(rest, settings) };
  }
  if (rest.type === "numbers") return { name, ...rest, count: countOf(rest, settings) };
  return { name, ...rest };
}

/**
 * Things by the names by which they are known in their daemon.
 *
 * A name that things of several guests have is told apart as `1/lid`, by the first guest's number.
 */
export class Things {
  readonly all: readonly Thing[];
  readonly #byName = new Map<string, Thing[]>();

  constructor(things: readonly Thing[]) {
    this.all = things;
    for (const thing of things) {
      this.#add(thing.name, thing);
      for (const guest of thing.guests) this.#add(`${guest}/${thing.name}`, thing);
    }
  }

  /**
   * The thing of that name.
   *
   * @throws {PropertyError} if there is none, or more than one
   */
  get(name: string): Thing {
    const found = this.#byName.get(name) ?? [];
    if (found.length === 1) return found[0];
    if (found.length === 0) throw new PropertyError(`there is no '${name}'`);
    const names = found.map(({ guests, name }) => `${guests[0]}/${name}`).join(", ");
    throw new PropertyError(`there is more than one '${name}'; choose from ${names}`);
  }

  #add(name: string, thing: Thing): void {
    const found = this.#byName.get(name);
    if (found === undefined) this.#byName.set(name, [thing]);
    else found.push(thing);
  }
}
