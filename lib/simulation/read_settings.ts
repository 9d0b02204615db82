/**
 * Properties in the configuration file.
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import {
  type BytesProperty,
  countOf,
  expectation,
  isSetAtStart,
  type NumbersProperty,
  type Properties,
  type Property,
  type Run,
  type Settings,
  type SettingValue,
  type TimeProperty,
} from "./property.ts";
import { timeIn } from "./moment.ts";

type Known = Record<string, SettingValue>;

/** The keys that things with such properties have in the configuration file. */
export function settingKeys(properties: Properties): string[] {
  return Object.keys(properties).filter((name) => isSetAtStart(properties[name]));
}

/**
 * Reads what the configuration file says of a thing.
 *
 * @param nodes by key; others than the properties' are ignored
 * @throws {UsageError} if a value does not fit
 */
export function readSettings<P extends Properties>(
  properties: P,
  nodes: Partial<Record<string, ConfigNode>>,
): Settings<P> {
  const settings: Known = {};
  for (const name of settingKeys(properties)) {
    const node = nodes[name];
    for (const other of properties[name].excludes ?? []) {
      if (node === undefined || nodes[other] === undefined) continue;
      node.fail(`exclude each other: '${other}' and '${name}'`);
    }
    settings[name] = node === undefined
      ? defaultOf(properties[name])
      : readValue(properties[name], node, settings);
  }
  return settings as Settings<P>;
}

function defaultOf(property: Property): SettingValue {
  return property.type === "numbers" || property.type === "bytes" ? [] : property.default;
}

function readValue(property: Property, node: ConfigNode, settings: Known): SettingValue {
  switch (property.type) {
    case "boolean":
      return node.boolean();
    case "integer":
    case "number":
      return node.number(property, expectation(property), property.type === "integer");
    case "choice":
      return node.choice(property.choices, expectation(property));
    case "text":
      return node.string(expectation(property));
    case "time":
      return readMoment(property, node);
    case "path":
      return node.path();
    case "numbers":
      return readNumbers(property, node, settings);
    case "bytes":
      return readBytes(property, node, settings);
  }
}

function readMoment(property: TimeProperty, node: ConfigNode): string {
  const expected = expectation(property);
  const text = node.string(expected);
  return timeIn(property, text) ?? node.fail(`expected ${expected}, found '${text}'`);
}

function plural(what: string): string {
  return `${what.replace(/^an? /, "")}s`;
}

function readNumbers(property: NumbersProperty, node: ConfigNode, settings: Known): number[] {
  const count = countOf(property, settings);
  if (!node.isList) {
    const all = node.boolean(`a list of ${plural(property.what)}, true for all or false for none`);
    return all ? Array.from({ length: count }, (_, number) => number) : [];
  }
  return node.list(plural(property.what))
    .map((number) => number.integer(0, count - 1, property.what));
}

function readBytes(property: BytesProperty, node: ConfigNode, settings: Known): Run[] {
  const { what } = property;
  const count = countOf(property, settings);
  if (node.isList) refuseOldForm(node);
  const form =
    `a mapping such as { 0x00: 0x12, 0x10: [0x34, 0x56] }, from ${what} to what is there`;
  return node.entries(form).map(({ key, value }) => {
    const at = key.integer(0, count - 1, what);
    if (!value.isList) return { at, bytes: [value.integer(0, 255, "a byte or a list of bytes")] };
    const bytes = value.list("bytes").map((byte, index) => {
      if (at + index >= count) {
        byte.fail(
          `${what.replace(/^an? /, "")} ${at + index} is beyond the last one, ${count - 1}`,
        );
      }
      return byte.integer(0, 255, "a byte");
    });
    return { at, bytes };
  });
}

/** Bytes were once given as a list of `{ at: 0, bytes: [1, 2] }`. */
function refuseOldForm(node: ConfigNode): never {
  const runs = node.list("bytes").map((run) => {
    if (!run.isMapping) return node.fail("expected a mapping, found a list");
    const { at, bytes } = run.mapping(["at", "bytes"]);
    const list = bytes?.isList ? bytes.list("bytes").map(({ source }) => source) : [];
    return `${at?.source ?? 0}: [${list.join(", ")}]`;
  });
  return node.fail(`write it as { ${runs.join(", ")} }, without 'at' and 'bytes'`);
}
