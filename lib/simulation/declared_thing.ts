/**
 * Things whose properties are declared: what is the same for all of them.
 *
 * @module
 */

import type { Lock } from "../threads/lock.ts";
import { checkValue, PropertyError } from "./check_value.ts";
import type { Fault } from "./faults.ts";
import { timeText } from "./moment.ts";
import {
  countOf,
  type Declaration,
  isSetWhileRunning,
  type Property,
  type SettingValue,
  type Value,
} from "./property.ts";
import type { ThingSettings } from "./simulation.ts";
import type { PropertyDescription, Thing, ThingDescription, ThingPlace } from "./thing.ts";

/** How long a thing that is busy is waited for, in milliseconds; a loaded machine is slow to go on. */
const PATIENCE = 1000;

type ScalarProperty = Exclude<Property, { type: "bytes" }>;

/** A thing; what its properties are while guests run is for others to say. */
export abstract class DeclaredThing implements Thing {
  readonly number: number;
  readonly changes: SharedArrayBuffer;
  readonly name: string;
  readonly alias: string | undefined;
  readonly guests: readonly number[];

  readonly #place: string;
  #declaration: Declaration;
  readonly #settings: Readonly<Record<string, SettingValue>>;
  #names: readonly string[];
  readonly #kinds: readonly Fault[];
  readonly #lock: Lock;

  /**
   * @param thing its number, and where its changes are told
   * @param settings from the configuration
   * @param lock held while it is read or changed
   * @param kinds of faults that can be injected
   */
  constructor(
    { thing: number, changes }: ThingSettings,
    { name, alias, place, guests }: ThingPlace,
    declaration: Declaration,
    settings: Readonly<Record<string, SettingValue>>,
    lock: Lock,
    kinds: readonly Fault[] = [],
  ) {
    this.number = number;
    this.changes = changes;
    this.name = name;
    this.alias = alias;
    this.guests = guests;
    this.#place = place;
    this.#declaration = declaration;
    this.#settings = settings;
    this.#names = Object.keys(declaration.properties);
    this.#lock = lock;
    this.#kinds = kinds;
  }

  /** Has other properties from now on. */
  protected redeclare(declaration: Declaration): void {
    this.#declaration = declaration;
    this.#names = Object.keys(declaration.properties);
  }

  /** Reads a property, with the lock held; `undefined` for what it is says the configuration. */
  protected abstract liveValue(name: string): { readonly value: Value } | undefined;
  /**
   * Sets a property to what was checked, with the lock held.
   *
   * @throws {PropertyError} if this cannot be, as things are
   */
  protected abstract change(name: string, property: ScalarProperty, value: Value): void;
  /** The bytes of a property. */
  protected abstract bytes(name: string): Uint8Array;
  /** Bytes were written, with the lock held. */
  protected abstract written(name: string, at: number, length: number): void;
  /** Lets a fault strike, with the lock held. */
  protected abstract strike(fault: Fault, count: number): void;

  describe(): ThingDescription {
    const { name, help, properties } = this.#declaration;
    return {
      name: this.name,
      part: name,
      help,
      place: this.#place,
      guests: this.guests,
      properties: Object.entries(properties).map(([name, property]) =>
        describeProperty(name, property, this.#settings)
      ),
      faults: this.#kinds,
    };
  }

  propertyAt(place: number): string | undefined {
    return this.#names[place];
  }

  changedTo(property: string, value: number): Value {
    const declared = this.#property(property);
    if (declared.type === "choice") return declared.choices[value];
    if (declared.type === "time") return timeText(value);
    return declared.type === "boolean" ? value !== 0 : value;
  }

  /** The place of a property, as in the records of `Changes`. */
  protected placeOf(name: string): number {
    return this.#names.indexOf(name);
  }

  get(name: string): Value {
    const property = this.#property(name);
    if (property.type === "bytes") throw this.#error(name, "has bytes: read a range of them");
    const live = this.locked(() => this.liveValue(name));
    return live === undefined ? this.#settings[name] as Value : live.value;
  }

  set(name: string, value: unknown): void {
    const property = this.#settable(name);
    if (property.type === "bytes") throw this.#error(name, "has bytes: write a range of them");
    try {
      const checked = checkValue(property, value, this.#settings);
      this.locked(() => this.change(name, property, checked));
    } catch (error) {
      if (!(error instanceof PropertyError)) throw error;
      throw new PropertyError(`${this.name}.${name}: ${error.message}`);
    }
  }

  read(name: string, at: number, length: number): Uint8Array {
    const range = this.#range(name, this.#property(name), at, length);
    return this.locked(() => new Uint8Array(range));
  }

  write(name: string, at: number, bytes: Uint8Array): void {
    const range = this.#range(name, this.#settable(name), at, bytes.length);
    this.locked(() => {
      range.set(bytes);
      this.written(name, at, bytes.length);
    });
  }

  inject(fault: string, count: number): void {
    const kind = this.#kinds.find((kind) => kind === fault);
    if (kind === undefined) {
      const known = this.#kinds.length === 0
        ? "there are none"
        : `it has ${this.#kinds.join(", ")}`;
      throw new PropertyError(`'${this.name}' has no fault '${fault}'; ${known}`);
    }
    if (!Number.isInteger(count) || count < 0 || count >= 2 ** 31) {
      throw new PropertyError(`'${this.name}': ${count} is no number of times for '${fault}'`);
    }
    this.locked(() => this.strike(kind, count));
  }

  #property(name: string): Property {
    if (this.#names.includes(name)) return this.#declaration.properties[name];
    throw new PropertyError(
      `'${this.name}' has no property '${name}'; it has ${this.#names.join(", ") || "none"}`,
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

  #range(name: string, property: Property, at: number, length: number): Uint8Array {
    if (property.type !== "bytes") throw this.#error(name, "has no bytes");
    const all = this.bytes(name);
    const fits = Number.isInteger(at) && Number.isInteger(length) && at >= 0 && length >= 0 &&
      at + length <= all.length;
    if (!fits) throw this.#error(name, `has ${all.length} bytes, not ${length} from ${at} on`);
    return all.subarray(at, at + length);
  }

  #error(property: string, why: string): PropertyError {
    return new PropertyError(`'${this.name}.${property}' ${why}`);
  }

  /**
   * Runs something with the lock held.
   *
   * @throws {PropertyError} if it is not to be had
   */
  protected locked<T>(run: () => T): T {
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

/** What a value is in the records of `Changes`. */
export function changedValue(property: Property, value: Value): number {
  if (property.type === "choice") return property.choices.indexOf(value as string);
  if (property.type === "time") return Date.parse(value as string);
  return typeof value === "number" || typeof value === "boolean" ? Number(value) : NaN;
}

/** A property as it is listed. */
function describeProperty(
  name: string,
  property: Property,
  settings: Readonly<Record<string, SettingValue>>,
): PropertyDescription {
  const { excludes: _, ...rest } = property;
  if (rest.type === "bytes") {
    const { at: _, ...described } = rest;
    return { name, ...described, count: countOf(rest, settings) };
  }
  if (rest.type === "numbers") return { name, ...rest, count: countOf(rest, settings) };
  return { name, ...rest };
}
