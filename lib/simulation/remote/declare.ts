/**
 * Properties that a program declares for the part that it serves: as `describe` lists them.
 *
 * @module
 */

import { PropertyError } from "../check_value.ts";
import { checkValue } from "../check_value.ts";
import type { Property, Value } from "../property.ts";

/** One of them, and what it is at first. */
export interface DeclaredProperty {
  readonly name: string;
  readonly property: Exclude<Property, { type: "bytes" }>;
  readonly value: Value;
}

/** The most properties of a part. */
const MAX_PROPERTIES = 64;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(name: string, why: string): never {
  throw new PropertyError(`property '${name}': ${why}`);
}

function textOf(one: Readonly<Record<string, unknown>>, name: string, key: string): string {
  const value = one[key];
  return typeof value === "string" ? value : refuse(name, `'${key}' is to be a text`);
}

function numberOf(one: Readonly<Record<string, unknown>>, name: string, key: string): number {
  const value = one[key];
  return Number.isFinite(value) ? value as number : refuse(name, `'${key}' is to be a number`);
}

function shape(
  one: Readonly<Record<string, unknown>>,
  name: string,
): DeclaredProperty["property"] {
  const set = one.set ?? "never";
  if (set !== "running" && set !== "never") return refuse(name, "'set' is to be running or never");
  const common = { set, help: one.help === undefined ? "" : textOf(one, name, "help") } as const;
  const unit = one.unit === undefined ? {} : { unit: textOf(one, name, "unit") };
  switch (one.type) {
    case "boolean":
      return { ...common, type: one.type };
    case "text":
      return { ...common, type: one.type };
    case "integer":
    case "number": {
      const from = numberOf(one, name, "from");
      const to = numberOf(one, name, "to");
      const step = one.step === undefined ? {} : { step: numberOf(one, name, "step") };
      return { ...common, type: one.type, from, to, ...step, ...unit };
    }
    case "choice": {
      const { choices } = one;
      const fits = Array.isArray(choices) && choices.length > 0 &&
        choices.every((choice) => typeof choice === "string" || typeof choice === "number");
      if (!fits) return refuse(name, "'choices' is to be a list of texts or numbers");
      return { ...common, type: one.type, choices, ...unit };
    }
    default:
      return refuse(name, "'type' is to be boolean, integer, number, choice or text");
  }
}

/**
 * Reads a list of properties.
 *
 * @param taken names that the part has by itself
 * @throws {PropertyError} if it makes no sense
 */
export function readDeclared(list: unknown, taken: readonly string[]): DeclaredProperty[] {
  if (!Array.isArray(list) || list.length > MAX_PROPERTIES) {
    throw new PropertyError(`'properties' is to be a list of at most ${MAX_PROPERTIES}`);
  }
  const names = new Set(taken);
  return list.map((one: unknown) => {
    if (!isObject(one) || typeof one.name !== "string") {
      throw new PropertyError("each property is to be an object with a 'name'");
    }
    const { name } = one;
    if (!/^[a-z][a-z0-9-]*$/.test(name)) {
      refuse(name, "a name has small letters, digits and '-', and begins with a letter");
    }
    if (names.has(name)) refuse(name, "there is another of that name");
    names.add(name);
    const property = shape(one, name);
    if (one.value === undefined) return { name, property, value: undefined };
    try {
      return { name, property, value: checkValue(property, one.value, {}) };
    } catch (error) {
      return refuse(name, (error as Error).message);
    }
  });
}
