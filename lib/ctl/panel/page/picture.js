/**
 * Pictures: what a display shows.
 *
 * @module
 */

/**
 * @param {import("./property.js").Property} _property
 * @returns {HTMLElement | undefined} nothing for what is no picture
 */
export function pictureOf(_property) {
  return undefined;
}
