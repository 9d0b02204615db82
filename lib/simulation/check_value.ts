/**
 * Values that come while guests run: from outside, of any form.
 *
 * @module
 */

import { timeIn } from "./moment.ts";
import { countOf, expectation, type Property, type SettingValue, type Value } from "./property.ts";

/** A property cannot be read or set as somebody wants it: why, for people. */
export class PropertyError extends Error {
  override readonly name: string = "PropertyError";
}

/**
 * A value as it fits a property.
 *
 * @param settings of the thing
 * @throws {PropertyError} if it does not fit
 */
export function checkValue(
  property: Exclude<Property, { type: "bytes" }>,
  value: unknown,
  settings: Readonly<Record<string, SettingValue>>,
): Value {
  switch (property.type) {
    case "boolean":
      if (typeof value === "boolean") return value;
      if (value === 0 || value === 1) return value === 1;
      return refuse("true or false", value);
    case "integer":
    case "number":
      if (typeof value === "number" && value >= property.from && value <= property.to) {
        if (property.type === "number" || Number.isInteger(value)) return value;
      }
      return refuse(expectation(property), value);
    case "choice":
      if (property.choices.includes(value as string)) return value as string;
      return refuse(expectation(property), value);
    case "text":
      return typeof value === "string" ? value : refuse(expectation(property), value);
    case "time":
      return (typeof value === "string" ? timeIn(property, value) : undefined) ??
        refuse(expectation(property), value);
    case "path":
      return typeof value === "string" && value !== "" ? value : refuse("a path", value);
    case "numbers": {
      const last = countOf(property, settings) - 1;
      const fits = (one: unknown): one is number =>
        typeof one === "number" && Number.isInteger(one) && one >= 0 && one <= last;
      if (Array.isArray(value) && value.every(fits)) return value;
      return refuse(`a list of numbers from 0 to ${last}`, value);
    }
  }
}

function refuse(expected: string, value: unknown): never {
  const found = typeof value === "string" ? `'${value}'` : JSON.stringify(value) ?? "nothing";
  throw new PropertyError(`expected ${expected}, found ${found}`);
}
