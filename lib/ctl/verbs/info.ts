/**
 * `info`: what there is.
 *
 * @module
 */

import type { ControlledDaemon, Daemons, Thing } from "../daemons.ts";
import type { DescribedProperty } from "../described.ts";
import { propertyName } from "../names.ts";
import { put, putJson } from "../output.ts";
import { alignedLines } from "../table.ts";
import { showValue } from "../values.ts";
import type { Verb } from "../verb.ts";

/** What the properties of a thing are now, by their own names; bytes are left out. */
function valuesOf(daemons: Daemons, { daemon, thing }: Thing): Map<string, unknown> {
  const shown = thing.properties.filter(({ type }) => type !== "bytes");
  const values = daemons.get(shown.map((property) => {
    const name = propertyName(thing, property.name);
    return { daemon, thing, property, name, written: name };
  }));
  return new Map(shown.map(({ name }, index) => [name, values[index]]));
}

function asJson(daemons: Daemons, daemon: ControlledDaemon, things: readonly Thing[]): object {
  const described = things.map((found) => {
    const values = valuesOf(daemons, found);
    const properties = found.thing.properties.map((property) => ({
      ...property,
      ...(values.has(property.name) && { value: values.get(property.name) ?? null }),
    }));
    return { ...found.thing, properties };
  });
  return { ...daemon.described, daemon: daemon.label, control: daemon.path, things: described };
}

/** A line for each thing, with what can change of it while guests run. */
function overview(daemons: Daemons, things: readonly Thing[]): string[] {
  return alignedLines(
    things.map((found) => {
      const { thing } = found;
      const values = valuesOf(daemons, found);
      const shown = thing.properties.flatMap((property) => {
        const { name, type, set } = property;
        if (type === "bytes") return [`${name}[${property.count}]`];
        // What a guest or somebody else cannot change says little, but for one of a few: a direction.
        if (set === "start" && type !== "choice" || values.get(name) === undefined) return [];
        return [`${name}=${showValue(property, values.get(name))}`];
      });
      const { part, place, guests } = thing;
      const whose = guests.length === 0
        ? ""
        : `guest${guests.length > 1 ? "s" : ""} ${guests.join(",")}`;
      return [daemons.shown(found), part, place, whose, shown.join(" ")];
    }),
    "  ",
  );
}

function rangeOf(property: DescribedProperty): string {
  switch (property.type) {
    case "boolean":
      return "true or false";
    case "integer":
    case "number":
      return `${showValue(property, property.from)} to ${showValue(property, property.to)}` +
        (property.unit === undefined ? "" : ` ${property.unit}`);
    case "choice":
      return (property.choices ?? []).join(", ") +
        (property.unit === undefined ? "" : ` ${property.unit}`);
    case "bytes":
      if (property.picture !== undefined) {
        return `picture of ${property.picture.width} x ${property.picture.height} pixels`;
      }
      return `${property.count} bytes`;
    case "numbers":
      return `${property.count} numbers`;
    default:
      return property.type;
  }
}

const SET: Readonly<Record<DescribedProperty["set"], string>> = {
  both: "",
  running: "",
  start: "fixed",
  never: "read only",
};

/** All that there is to say of a thing. */
function details(daemons: Daemons, found: Thing): string[] {
  const { thing } = found;
  const values = valuesOf(daemons, found);
  const rows = thing.properties.map((property) => [
    values.has(property.name)
      ? `${property.name}=${showValue(property, values.get(property.name))}`
      : property.name,
    rangeOf(property),
    SET[property.set],
    property.help,
  ]);
  return [
    `${daemons.shown(found)}: ${thing.part} (${thing.help}), ${thing.place}`,
    ...alignedLines(rows, "  "),
    ...(thing.faults.length > 0 ? [`  faults: ${thing.faults.join(", ")}`] : []),
  ];
}

export const info: Verb = {
  name: "info",
  operands: "[THING...]",
  least: 0,
  most: Infinity,
  help: "list what there is: guests, things, and what they are now",
  details: "With names, all properties of those things: what they take, and what they mean.",
  options: [],
  prepare: ({ operands, json }) => (daemons) => {
    const named = operands.map((name) => daemons.thing(name));
    if (!json && named.length > 0) {
      for (const found of named) details(daemons, found).forEach(put);
      return;
    }
    for (const daemon of daemons.all) {
      const { described, label, path } = daemon;
      const things = named.length > 0
        ? named.filter((one) => one.daemon === daemon)
        : described.things.map((thing) => ({ daemon, thing }));
      if (json) {
        if (named.length === 0 || things.length > 0) putJson(asJson(daemons, daemon, things));
        continue;
      }
      put(`${label} - ${described.program} ${described.version} at ${path}`);
      const guests = described.guests.map(({ guest, state, title, socket }) => [
        `guest ${guest}`,
        state,
        socket,
        title,
      ]);
      alignedLines(guests, "  ").forEach(put);
      overview(daemons, things).forEach(put);
    }
  },
};
