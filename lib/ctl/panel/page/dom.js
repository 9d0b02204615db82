/**
 * Elements of the page.
 *
 * @module
 */

/** @typedef {string | number | boolean | undefined | ((event: any) => void)} Attribute */

/**
 * Makes an element. An attribute that is `false` or `undefined` is left out, `true` has no value, a
 * function listens to the event of its name.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, Attribute>>} [attributes]
 * @param {readonly (Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name, value);
    else made.setAttribute(name, value === true ? "" : `${value}`);
  }
  made.append(...children);
  return made;
}

let ids = 0;

/** An identifier that no element has yet. */
export function newId() {
  return `e${++ids}`;
}

/**
 * Sets an attribute where it is another one: what does not change is not drawn anew.
 *
 * @param {Element} on
 * @param {string} name
 * @param {string | undefined} value
 */
export function setAttribute(on, name, value) {
  if (value === undefined) on.removeAttribute(name);
  else if (on.getAttribute(name) !== value) on.setAttribute(name, value);
}

/**
 * Sets a text where it is another one.
 *
 * @param {Element} on
 * @param {string} text
 */
export function setText(on, text) {
  if (on.textContent !== text) on.textContent = text;
}
