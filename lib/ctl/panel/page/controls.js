/**
 * What a property is, and how it is set: one control for each type.
 *
 * @module
 */

import { element, newId, setAttribute, setText } from "./dom.js";
import { readInteger, showMeasured, showValue } from "./format.js";
import { say } from "./say.js";

/** @typedef {import("./property.js").Property} Property */

/**
 * Sets it, and says so where it cannot be.
 *
 * @param {Property} property
 * @param {unknown} value
 */
async function set(property, value) {
  try {
    await property.set(value);
    return true;
  } catch (error) {
    say(/** @type {Error} */ (error).message);
    // What the control shows is not what the property is.
    property.touch();
    return false;
  }
}

/** A light that is on or off. @param {Property} property */
export function lamp(property) {
  const { described } = property;
  const [off, on] = described.type === "boolean" ? ["no", "yes"] : ["0", "1"];
  const digit = element("span", {});
  const light = element("span", { class: "lamp" }, digit);
  property.show(() => {
    const { value } = property;
    setAttribute(light, "data-on", value === undefined ? undefined : `${Number(value)}`);
    setText(digit, value === undefined ? "–" : value ? on : off);
  });
  return light;
}

/** A switch. @param {Property} property @param {string} label */
export function toggle(property, label) {
  const other = () => property.described.type === "boolean" ? !property.value : 1 - property.value;
  const button = element("button", {
    type: "button",
    class: "switch",
    role: "switch",
    "aria-label": label,
    "aria-checked": "false",
    click: () => set(property, other()),
  });
  property.show(() => setAttribute(button, "aria-checked", `${Boolean(property.value)}`));
  return button;
}

/** How long a push-button is pressed, in milliseconds. */
export const pressing = { time: 100 };

/** A push-button. @param {Property} property @param {string} label */
export function pushButton(property, label) {
  const button = element("button", {
    type: "button",
    class: "push",
    "aria-label": `Pulse ${label}`,
    click: async () => {
      if (button.dataset.pressed !== undefined) return;
      button.dataset.pressed = "";
      const { name, value, described } = property;
      const params = { name, milliseconds: pressing.time };
      try {
        await property.daemon.call("pulse", {
          ...params,
          ...(described.type === "boolean" && { value: !value }),
        });
      } catch (error) {
        say(/** @type {Error} */ (error).message);
      }
      delete button.dataset.pressed;
    },
  }, "Pulse");
  return button;
}

/**
 * A value that can only be looked at.
 *
 * @param {Property} property
 */
export function readout(property) {
  const shown = element("output", { class: "readout" });
  property.show(() => setText(shown, showMeasured(property.described, property.value)));
  return shown;
}

/** A slider, and a field for those who know what they want. @param {Property} property @param {string} label */
function slider(property, label) {
  const { described } = property;
  const { from = 0, to = 0, type, unit } = described;
  const step = described.step ?? (type === "integer" ? 1 : "any");
  const range = { min: from, max: to, step };
  const knob = element("input", { type: "range", "aria-label": label, ...range });
  const field = element("input", {
    type: "number",
    "aria-label": unit === undefined ? label : `${label} in ${unit}`,
    ...range,
  });
  /** What is still to be set while a set is on its way. @type {number | undefined} */
  let next;
  let isBusy = false;
  const put = async (/** @type {number} */ value) => {
    if (!Number.isFinite(value)) return;
    next = value;
    if (isBusy) return;
    isBusy = true;
    while (next !== undefined) {
      const now = next;
      next = undefined;
      await set(property, now);
    }
    isBusy = false;
    property.touch();
  };
  knob.addEventListener("input", () => {
    field.value = knob.value;
    put(knob.valueAsNumber);
  });
  field.addEventListener("change", () => put(field.valueAsNumber));
  property.show(() => {
    const { value } = property;
    if (isBusy || value === undefined) return;
    if (knob.valueAsNumber !== value) knob.value = `${value}`;
    setAttribute(knob, "aria-valuetext", showMeasured(described, value));
    if (document.activeElement !== field) field.value = `${value}`;
  });
  const ends = element(
    "span",
    { class: "ends", "aria-hidden": true },
    element("span", {}, showValue(described, from)),
    element("span", {}, showValue(described, to)),
  );
  return element(
    "div",
    { class: "slider" },
    element("span", { class: "track" }, knob, ends),
    element("span", { class: "number" }, field, unit === undefined ? "" : unit),
  );
}

/** A list to choose from. @param {Property} property @param {string} label */
function chooser(property, label) {
  const { choices = [], unit } = property.described;
  const select = element(
    "select",
    { "aria-label": label },
    ...choices.map((choice) =>
      element(
        "option",
        { value: `${choice}` },
        `${choice}${unit === undefined ? "" : ` ${unit}`}`,
      )
    ),
  );
  select.addEventListener("change", () => set(property, choices[select.selectedIndex]));
  property.show(() => select.selectedIndex = choices.indexOf(property.value));
  return select;
}

/**
 * A field for what has to be written out.
 *
 * @param {Property} property
 * @param {string} label
 * @param {(text: string) => unknown} read `undefined` for what is no value
 */
function field(property, label, read) {
  const input = element("input", { type: "text", "aria-label": label, spellcheck: "false" });
  input.addEventListener("change", () => {
    const value = read(input.value);
    if (value === undefined) say(`${property.name}: '${input.value}' is no value for it`);
    else set(property, value);
  });
  property.show(() => {
    if (document.activeElement !== input) {
      input.value = showValue(property.described, property.value);
    }
  });
  return input;
}

/** @param {string} text */
function readNumbers(text) {
  if (["", "none"].includes(text.trim())) return [];
  const numbers = text.split(",").map(readInteger);
  return numbers.includes(undefined) ? undefined : numbers;
}

/**
 * How a property is set, or, where it cannot be, what it is.
 *
 * @param {Property} property that is no bytes
 * @returns {HTMLElement}
 */
export function control(property) {
  const { described, name } = property;
  const fixed = property.isBinary ? lamp(property) : readout(property);
  if (!property.isSettable) return fixed;
  const made = settable(property, name);
  if (described.setWhile === undefined) return made;
  // As things are, it may not be settable; then it is only looked at.
  const both = element("span", { class: "either" }, made, fixed);
  const show = () => {
    made.hidden = !property.canBeSet;
    fixed.hidden = property.canBeSet;
  };
  property.daemon.property(property.thing, described.setWhile.property)?.show(show);
  property.show(show);
  return both;
}

/**
 * @param {Property} property
 * @param {string} label
 * @returns {HTMLElement}
 */
function settable(property, label) {
  const { described } = property;
  if (property.isBinary) {
    return element("span", { class: "binary" }, toggle(property, label), lamp(property));
  }
  switch (described.type) {
    case "integer":
    case "number":
      return described.base === 16 ? field(property, label, readInteger) : slider(property, label);
    case "choice":
      return chooser(property, label);
    case "numbers":
      return field(property, label, readNumbers);
    default:
      return field(property, label, (text) => text);
  }
}

/** A name and what belongs to it, for a list of properties. @param {Property} property */
export function entry(property) {
  const id = newId();
  const { name, help } = property.described;
  return [
    element("dt", { id, title: help }, name),
    element("dd", {}, control(property)),
  ];
}
