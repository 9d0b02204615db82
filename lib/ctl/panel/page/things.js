/**
 * The things of a daemon: lines and the like in rows, all else on cards.
 *
 * @module
 */

import { BytesView } from "./bytes.js";
import { entry, lamp, pushButton, readout, toggle } from "./controls.js";
import { element, newId } from "./dom.js";
import { faults } from "./faults.js";
import { pictureOf } from "./picture.js";
import { timeAxis, Wave } from "./wave.js";

/** @typedef {import("./daemon.js").Daemon} Daemon */
/** @typedef {import("./property.js").Property} Property */
/** @typedef {import("../../described.ts").DescribedThing} DescribedThing */

/** @param {Daemon} daemon @param {DescribedThing} thing */
function propertiesOf(daemon, thing) {
  return thing.properties.map(({ name }) => /** @type {Property} */ (daemon.property(thing, name)));
}

/** True for what is little more than a value of 0 or 1. @param {readonly Property[]} properties */
function isRow(properties) {
  const value = properties.find(({ described }) => described.name === "value");
  return value?.isBinary === true && properties.every(({ memory }) => memory === undefined);
}

/** What is worth being shown of a property that has no control. @param {Property} property */
function isTold({ described: { name, type } }) {
  return name !== "value" && type !== "text" && type !== "path";
}

/** @param {Daemon} daemon @param {DescribedThing} thing */
function whose(daemon, { place, guests }) {
  if (daemon.described === undefined || daemon.described.guests.length < 2) return place;
  return `${place}, guest${guests.length > 1 ? "s" : ""} ${guests.join(", ")}`;
}

/** @param {Daemon} daemon @param {DescribedThing} thing @param {readonly Property[]} properties */
function row(daemon, thing, properties) {
  const value = /** @type {Property} */ (
    properties.find(({ described }) => described.name === "value")
  );
  const buttons = element(
    "span",
    { class: "buttons" },
    ...(value.isSettable ? [pushButton(value, thing.name), toggle(value, thing.name)] : []),
  );
  const condition = value.described.setWhile;
  const decisive = condition && daemon.property(thing, condition.property);
  decisive?.show(() => buttons.hidden = !value.canBeSet);
  const told = properties.filter(isTold).map((property) => {
    const text = readout(property);
    const one = element("span", { class: "badge" }, `${property.described.name} `, text);
    // That it can be set is seen by its switch.
    const isUsual = (/** @type {unknown} */ now) =>
      [undefined, null, "none"].includes(/** @type {any} */ (now)) ||
      (property === decisive && now === condition?.is);
    property.show(() => one.hidden = isUsual(property.value));
    return one;
  });
  return element(
    "li",
    { class: "row" },
    lamp(value),
    element(
      "span",
      { class: "title" },
      element("strong", {}, thing.name),
      element("span", { class: "place" }, whose(daemon, thing)),
      ...told,
    ),
    new Wave(value).canvas,
    buttons,
  );
}

/** @param {Daemon} daemon @param {DescribedThing} thing @param {readonly Property[]} properties */
function card(daemon, thing, properties) {
  const id = newId();
  const isFixed = (/** @type {Property} */ { described }) => described.set === "start";
  const fixed = properties.filter((property) => isFixed(property) && property.memory === undefined);
  const live = properties.filter((property) => !isFixed(property));
  const pictures = live.filter((property) => property.described.picture !== undefined);
  const values = live.filter((property) =>
    property.memory === undefined && !pictures.includes(property)
  );
  const bytes = live.filter((property) =>
    property.memory !== undefined && !pictures.includes(property)
  );
  const drawn = values.filter((property) => property.isSettable && property.history !== undefined);
  const parts = [
    ...pictures.map(pictureOf),
    ...(values.length > 0 ? [element("dl", {}, ...values.flatMap(entry))] : []),
    ...drawn.filter(({ isBinary }) => !isBinary).map((property) => new Wave(property).canvas),
    ...bytes.map((property) => new BytesView(property).element),
    ...(thing.faults.length > 0 ? [faults(daemon, thing)] : []),
    ...(fixed.length > 0
      ? [element(
        "details",
        { class: "fixed" },
        element("summary", {}, "Configuration"),
        element("dl", {}, ...fixed.flatMap(entry)),
      )]
      : []),
  ];
  return element(
    "section",
    { class: "card", "aria-labelledby": id },
    element(
      "header",
      {},
      element("h3", { id }, thing.name),
      element("span", { class: "part", title: thing.help }, thing.part),
      element("span", { class: "place" }, whose(daemon, thing)),
    ),
    ...parts,
  );
}

/**
 * All things of a daemon.
 *
 * @param {Daemon} daemon that is described
 */
export function thingsOf(daemon) {
  const all = (daemon.described?.things ?? []).map((thing) => ({
    thing,
    properties: propertiesOf(daemon, thing),
  }));
  const rows = all.filter(({ properties }) => isRow(properties));
  const cards = all.filter((one) => !rows.includes(one));
  const hasBytes = cards.filter(({ properties }) =>
    properties.some(({ memory, described }) =>
      memory !== undefined && described.picture === undefined
    )
  );
  const small = cards.filter((one) => !hasBytes.includes(one));
  /** @type {(kind: string, some: typeof all) => HTMLElement[]} */
  const grid = (kind, some) =>
    some.length === 0 ? [] : [
      element(
        "div",
        { class: kind },
        ...some.map(({ thing, properties }) => card(daemon, thing, properties)),
      ),
    ];
  return [
    ...(rows.length > 0
      ? [
        element(
          "ul",
          { class: "rows" },
          ...rows.map(({ thing, properties }) => row(daemon, thing, properties)),
          element("li", { class: "row times", "aria-hidden": true }, timeAxis()),
        ),
      ]
      : []),
    ...grid("cards", small),
    ...grid("memories", hasBytes),
  ];
}
