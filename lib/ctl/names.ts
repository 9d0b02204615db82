/**
 * Names over several daemons: `lid`, `1/lid` of the guest 1, `gpio:lid` of the daemon for GPIO,
 * `sensor.temperature`.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { closest } from "../text/words.ts";
import type { DescribedProperty, DescribedThing } from "./described.ts";

/** A daemon, as far as names are concerned. */
export interface Named {
  /** What stands in front of its names, for example `gpio`. */
  readonly label: string;
  readonly things: readonly DescribedThing[];
}

/** A thing of one of the daemons. */
export interface FoundThing<Daemon> {
  readonly daemon: Daemon;
  readonly thing: DescribedThing;
}

/** A property of one. */
export interface FoundProperty<Daemon> extends FoundThing<Daemon> {
  /** As it was asked for. */
  readonly written: string;
  /** As the daemon itself calls it. */
  readonly name: string;
  readonly property: DescribedProperty;
}

/**
 * Labels for daemons: what they serve, with numbers from 1 on where several serve the same.
 *
 * @param programs for example `vhost-device-gpio`
 */
export function labelsOf(programs: readonly string[]): string[] {
  const types = programs.map((program) => program.replace(/^vhost-device-/, ""));
  const seen = new Map<string, number>();
  return types.map((type) => {
    if (types.filter((other) => other === type).length === 1) return type;
    const number = (seen.get(type) ?? 0) + 1;
    seen.set(type, number);
    return `${type}${number}`;
  });
}

/** How a daemon calls a property. */
export function propertyName(thing: DescribedThing, property: string): string {
  return property === "value" ? thing.name : `${thing.name}.${property}`;
}

/** The names of a thing without a guest in front, its own one first. */
function namesOf({ name, guests, alias }: DescribedThing): [string, string | undefined] {
  const prefix = `${guests[0]}/`;
  return [name.startsWith(prefix) ? name.slice(prefix.length) : name, alias];
}

/** Things of one daemon by what they can be called: by their names, and by their other ones. */
interface Index {
  readonly named: ReadonlyMap<string, readonly DescribedThing[]>;
  readonly aliased: ReadonlyMap<string, readonly DescribedThing[]>;
}

const indexes = new WeakMap<readonly DescribedThing[], Index>();

function indexOf(things: readonly DescribedThing[]): Index {
  const known = indexes.get(things);
  if (known !== undefined) return known;
  const named = new Map<string, DescribedThing[]>();
  const aliased = new Map<string, DescribedThing[]>();
  const enter = (index: Map<string, DescribedThing[]>, name: string, thing: DescribedThing) => {
    for (const written of new Set([name, ...thing.guests.map((guest) => `${guest}/${name}`)])) {
      const found = index.get(written);
      if (found === undefined) index.set(written, [thing]);
      else found.push(thing);
    }
  };
  for (const thing of things) {
    const [name, alias] = namesOf(thing);
    enter(named, name, thing);
    if (alias !== undefined) enter(aliased, alias, thing);
  }
  const index = { named, aliased };
  indexes.set(things, index);
  return index;
}

/** The things of one daemon that have a name, or else those that have it as their other one. */
function thingsCalled(
  things: readonly DescribedThing[],
  written: string,
): readonly DescribedThing[] {
  const { named, aliased } = indexOf(things);
  return named.get(written) ?? aliased.get(written) ?? [];
}

function candidates<Daemon extends Named>(
  daemons: readonly Daemon[],
  written: string,
): FoundThing<Daemon>[] {
  const all = (daemon: Daemon, name: string) =>
    thingsCalled(daemon.things, name).map((thing) => ({ daemon, thing }));
  const plain = daemons.flatMap((daemon) => all(daemon, written));
  if (plain.length > 0) return plain;
  const colon = written.indexOf(":");
  const label = written.slice(0, Math.max(colon, 0));
  return daemons.filter((daemon) => daemon.label === label)
    .flatMap((daemon) => all(daemon, written.slice(colon + 1)));
}

/** The shortest name by which nothing else is known. */
export function shownThing<Daemon extends Named>(
  daemons: readonly Daemon[],
  { daemon, thing }: FoundThing<Daemon>,
): string {
  return candidates(daemons, thing.name).length === 1
    ? thing.name
    : `${daemon.label}:${thing.name}`;
}

function unknown(daemons: readonly Named[], written: string): UsageError {
  const things = daemons.flatMap((daemon) => daemon.things.map((thing) => ({ daemon, thing })));
  const known = things.map(({ thing }) => thing.name);
  const [, bare] = /^(?:\w+:)?(.*)$/s.exec(written)!;
  const dot = bare.lastIndexOf(".");
  const guess = closest(bare, known) ?? closest(dot > 0 ? bare.slice(0, dot) : bare, known);
  const hint = guess === undefined
    ? "see what 'info' lists"
    : `did you mean '${shownThing(daemons, things[known.indexOf(guess)])}'?`;
  return new UsageError(`there is no '${written}'; ${hint}`);
}

function only<Daemon extends Named>(
  daemons: readonly Daemon[],
  found: readonly FoundThing<Daemon>[],
  written: string,
): FoundThing<Daemon> {
  if (found.length === 1) return found[0];
  if (found.length === 0) throw unknown(daemons, written);
  const names = found.map((one) => shownThing(daemons, one)).join(", ");
  throw new UsageError(`there is more than one '${written}'; choose from ${names}`);
}

/** True if things have that name. */
export function isThing(daemons: readonly Named[], written: string): boolean {
  return candidates(daemons, written).length > 0;
}

/**
 * The thing of that name.
 *
 * @throws {UsageError} if there is none, or more than one
 */
export function findThing<Daemon extends Named>(
  daemons: readonly Daemon[],
  written: string,
): FoundThing<Daemon> {
  return only(daemons, candidates(daemons, written), written);
}

/** The property that a thing's name alone stands for: its `value`, or the only bytes it has. */
function mainProperty({ properties }: DescribedThing): DescribedProperty | undefined {
  const value = properties.find(({ name }) => name === "value");
  const bytes = properties.filter(({ type }) => type === "bytes");
  return value ?? (bytes.length === 1 ? bytes[0] : undefined);
}

/**
 * The property of that name: the thing's, and after a dot its own.
 *
 * @throws {UsageError} if there is none, or more than one
 */
export function findProperty<Daemon extends Named>(
  daemons: readonly Daemon[],
  written: string,
): FoundProperty<Daemon> {
  const dot = written.lastIndexOf(".");
  const whole = candidates(daemons, written);
  if (whole.length > 0 || dot <= 0) {
    const found = only(daemons, whole, written);
    const property = mainProperty(found.thing);
    if (property === undefined) {
      const some = found.thing.properties.map(({ name }) => `${written}.${name}`).join(", ");
      throw new UsageError(`'${written}' has several properties; choose from ${some}`);
    }
    return { ...found, written, name: propertyName(found.thing, property.name), property };
  }
  const of = candidates(daemons, written.slice(0, dot));
  if (of.length === 0) throw unknown(daemons, written);
  const found = only(daemons, of, written.slice(0, dot));
  const name = written.slice(dot + 1);
  const property = found.thing.properties.find((property) => property.name === name);
  if (property === undefined) {
    const all = found.thing.properties.map(({ name }) => name).join(", ");
    throw new UsageError(
      `'${written.slice(0, dot)}' has no property '${name}'; it has ${all || "none"}`,
    );
  }
  return { ...found, written, name: propertyName(found.thing, name), property };
}
