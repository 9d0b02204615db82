/**
 * Values and times as people read them.
 *
 * @module
 */

/** @typedef {import("../../described.ts").DescribedProperty} DescribedProperty */

/**
 * @param {DescribedProperty} property
 * @param {unknown} value
 */
export function showValue({ base }, value) {
  if (value === undefined || value === null) return "–";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && base === 16) return hex(value, 2);
  if (typeof value === "number") return `${Number(value.toPrecision(10))}`;
  return `${value}`;
}

/** With its unit. @param {DescribedProperty} property @param {unknown} value */
export function showMeasured(property, value) {
  const shown = showValue(property, value);
  return property.unit === undefined || shown === "–" ? shown : `${shown} ${property.unit}`;
}

/**
 * @param {number} value
 * @param {number} digits at least
 */
export function hex(value, digits) {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** Bytes in hexadecimal with blanks between them. @param {string} digits */
export function spaced(digits) {
  return digits.replace(/..(?=.)/g, "$& ");
}

/** The time of the day. @param {number} seconds since 1970 */
export function showTime(seconds) {
  const time = new Date(seconds * 1000);
  const two = (/** @type {number} */ number) => `${number}`.padStart(2, "0");
  const milliseconds = `${time.getMilliseconds()}`.padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${
    two(time.getSeconds())
  }.${milliseconds}`;
}

/** A whole number, decimal or with 0x; `undefined` if it is none. @param {string} text */
export function readInteger(text) {
  if (!/^(\d+|0[xX][0-9a-fA-F]+)$/.test(text.trim())) return undefined;
  return Number(text.trim());
}
