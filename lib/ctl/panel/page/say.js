/**
 * What is said to the user, in a line that is seen for a while and read out.
 *
 * @module
 */

/** In milliseconds. */
const SHOWN = 8000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} text */
export function say(text) {
  const line = /** @type {HTMLElement} */ (document.getElementById("said"));
  line.textContent = text;
  line.dataset.shown = "";
  clearTimeout(timer);
  timer = setTimeout(() => delete line.dataset.shown, SHOWN);
}
