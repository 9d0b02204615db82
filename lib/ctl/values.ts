/**
 * Values as people write them, and as they are shown.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import type { Value } from "../simulation/property.ts";
import type { DescribedProperty } from "./described.ts";

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "true", "on", "yes", "active"].map((word) => [word, true] as const),
  ...["0", "false", "off", "no", "inactive"].map((word) => [word, false] as const),
]);

/** A number with or without a sign, decimal or hexadecimal, with its unit or without. */
function readNumber(text: string, unit: string | undefined): number | undefined {
  const bare = unit !== undefined && text.endsWith(unit) ? text.slice(0, -unit.length) : text;
  return /^[+-]?(\d+(\.\d*)?|\.\d+|0[xX][0-9a-fA-F]+)$/.test(bare.trim())
    // Number() takes no sign in front of 0x.
    ? (bare.trim().startsWith("-") ? -1 : 1) * Number(bare.trim().replace(/^[+-]/, ""))
    : undefined;
}

/** What a property takes, for messages. */
function expected(property: DescribedProperty): string {
  switch (property.type) {
    case "boolean":
      return "true or false";
    case "integer":
    case "number": {
      const what = property.type === "integer" ? "a whole number" : "a number";
      const { from, to, unit } = property;
      return `${what} from ${from} to ${to}${unit === undefined ? "" : ` ${unit}`}`;
    }
    case "numbers":
      return "numbers with commas between them, all or none";
    case "time":
      return "a time in UTC such as 2030-12-31T23:59:59Z";
    default:
      return "a text";
  }
}

/**
 * Reads a value for a property. Whether it is in range is for the daemon to say.
 *
 * @throws {UsageError} if it is nothing that such a property can be
 */
export function readValue(name: string, property: DescribedProperty, text: string): Value {
  const value = tryValue(property, text.trim());
  if (value !== undefined) return value;
  if (property.type === "bytes") {
    throw new UsageError(`'${name}' is bytes; use the commands 'read' and 'write'`);
  }
  throw new UsageError(`${name}=${text}: expected ${expected(property)}`);
}

function tryValue(property: DescribedProperty, text: string): Value {
  switch (property.type) {
    case "boolean":
      return WORDS.get(text.toLowerCase());
    case "integer":
    case "number": {
      const number = readNumber(text, property.unit);
      const word = WORDS.get(text.toLowerCase());
      // A line's value, for one: as a word as well.
      const isLevel = property.from === 0 && property.to === 1 && word !== undefined;
      return number ?? (isLevel ? Number(word) : undefined);
    }
    case "choice": {
      const number = readNumber(text, property.unit);
      return number !== undefined && property.choices?.includes(number) ? number : text;
    }
    case "numbers": {
      if (text === "none" || text === "") return [];
      if (text === "all") return Array.from({ length: property.count ?? 0 }, (_, index) => index);
      const numbers = text.split(",").map((one) => readNumber(one, undefined));
      return numbers.every((one) => one !== undefined) ? numbers : undefined;
    }
    case "bytes":
      return undefined;
    default:
      return text;
  }
}

/** A value as text. */
export function showValue(property: DescribedProperty, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(",");
  if (typeof value === "number" && property.base === 16) {
    return `0x${value.toString(16).padStart(2, "0")}`;
  }
  return `${value}`;
}

/**
 * Parts `NAME=VALUE`.
 *
 * @throws {UsageError} if it is not of that form
 */
export function splitAssignment(text: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf("=");
  if (at <= 0) throw new UsageError(`'${text}' is no assignment; write NAME=VALUE`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}
