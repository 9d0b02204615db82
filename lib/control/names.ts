/**
 * Names of properties: the thing's, a dot, and the property's. Of the property that people mean
 * first, a line's `value` or a part's bytes, the thing's name alone says enough.
 *
 * @module
 */

import { PropertyError } from "../simulation/check_value.ts";
import type { Thing, Things } from "../simulation/thing.ts";
import { closest } from "../text/words.ts";

/** A property of a thing. */
export interface PropertyName {
  readonly thing: Thing;
  readonly property: string;
}

/** The property that a thing's name alone stands for, if there is one. */
function mainProperty(thing: Thing): string | undefined {
  const { properties } = thing.describe();
  if (properties.some(({ name }) => name === "value")) return "value";
  const bytes = properties.filter(({ type }) => type === "bytes");
  return bytes.length === 1 ? bytes[0].name : undefined;
}

/** By which the property of a thing is shown: as short as it can be read again. */
export function shownName(things: Things, thing: Thing, property: string): string {
  const name = things.shownName(thing);
  return property === "value" ? name : `${name}.${property}`;
}

/**
 * The property of that name.
 *
 * @throws {PropertyError} if there is none
 */
export function findProperty(things: Things, name: string): PropertyName {
  const whole = things.find(name);
  if (whole.length > 0) {
    const thing = things.get(name);
    const property = mainProperty(thing);
    if (property !== undefined) return { thing, property };
    const { properties } = thing.describe();
    const some = properties.slice(0, 4).map((property) => `${name}.${property.name}`).join(", ");
    throw new PropertyError(`'${name}' has several properties; choose from ${some}`);
  }
  const dot = name.lastIndexOf(".");
  if (dot > 0 && things.find(name.slice(0, dot)).length > 0) {
    return { thing: things.get(name.slice(0, dot)), property: name.slice(dot + 1) };
  }
  return unknown(things, name);
}

/**
 * The thing of that name.
 *
 * @throws {PropertyError} if there is none
 */
export function findThing(things: Things, name: string): Thing {
  return things.find(name).length > 0 ? things.get(name) : unknown(things, name);
}

function unknown(things: Things, name: string): never {
  const dot = name.lastIndexOf(".");
  const known = things.all.map((thing) => things.shownName(thing));
  const guess = closest(name, known) ?? closest(dot > 0 ? name.slice(0, dot) : name, known);
  const hint = guess === undefined ? "see what 'describe' lists" : `did you mean '${guess}'?`;
  throw new PropertyError(`there is no '${name}'; ${hint}`);
}
