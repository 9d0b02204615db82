/**
 * Times and ranges as people write them.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { readInteger } from "../text/numbers.ts";

/** By unit, in milliseconds. */
const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};

/** The most that a timer can be set for, in milliseconds: what waits for longer sets it again. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** What a time looks like, for messages. */
export const TIME_FORM = "a time such as 50ms, 2s or 1.5m";

/** A time in milliseconds, which it is without a unit, too; `undefined` if it is none. */
export function parseTime(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?) *([a-z]*)$/.exec(text) ?? [];
  if (number === undefined || !Object.hasOwn(UNITS, unit || "ms")) return undefined;
  return Number(number) * UNITS[unit || "ms"];
}

/**
 * A time in milliseconds, which it is without a unit, too, as for libgpiod's tools.
 *
 * @param option for messages
 * @throws {UsageError} if it is none
 */
export function readTime(option: string, text: string): number {
  const time = parseTime(text);
  if (time !== undefined) return time;
  throw new UsageError(`option '--${option}' has the value '${text}', expected ${TIME_FORM}`);
}

/** A time for people. */
export function showTime(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${Math.round(milliseconds / 100) / 10} s`;
}

/** Bytes from a place on. */
export interface ByteRange {
  readonly at: number;
  /** All that follow if it is left out. */
  readonly length?: number;
}

/**
 * Reads `AT:LENGTH`, `AT:` and `:LENGTH`.
 *
 * @throws {UsageError} if it is no range
 */
export function readRange(text: string): ByteRange {
  const [, first, second] = /^([^:]*):([^:]*)$/.exec(text) ?? [];
  const at = first === "" ? 0 : readInteger(first ?? "");
  const length = second === "" ? undefined : readInteger(second ?? "");
  if (at === undefined || (length === undefined && second !== "")) {
    throw new UsageError(
      `option '--range' has the value '${text}', expected AT:LENGTH, for example 0:256`,
    );
  }
  return { at, ...(length !== undefined && { length }) };
}

/**
 * A whole number.
 *
 * @param option for messages
 * @throws {UsageError} if it is none, or below `minimum`
 */
export function readCount(option: string, text: string, minimum: number): number {
  const number = readInteger(text);
  if (number !== undefined && number >= minimum) return number;
  throw new UsageError(
    `option '--${option}' has the value '${text}', expected a whole number from ${minimum} on`,
  );
}
