/**
 * Moments as texts: in UTC, to the second, such as `2030-12-31T23:59:59Z`.
 *
 * @module
 */

import type { TimeProperty } from "./property.ts";

const FORM = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)Z?$/;

/** A moment as text. @param milliseconds since 1970 */
export function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/**
 * The moment that a text says, in the form of {@linkcode timeText}; it may be without the `Z`, and
 * have a space for the `T`.
 *
 * @returns `undefined` if there is no such moment, or the property cannot be in that year
 */
export function timeIn({ years: [from, to] }: TimeProperty, text: string): string | undefined {
  const parts = FORM.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year, month, day, hours, minutes, seconds] = parts;
  if (year < from || year > to) return undefined;
  const moment = timeText(Date.UTC(year, month - 1, day, hours, minutes, seconds));
  // The 30th of February is another day then.
  const same = moment.slice(0, 19) === text.slice(0, 19).replace(" ", "T");
  return same ? moment : undefined;
}
