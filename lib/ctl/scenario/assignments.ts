/**
 * Values that properties are given.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import type { Value } from "../../simulation/property.ts";
import { readValue } from "../values.ts";
import { locate, valueText } from "./conditions.ts";
import type { Property, World } from "./world.ts";

/** A property, and what it becomes, as it is written. */
export interface Assignment {
  readonly name: string;
  readonly text: string;
  readonly node: ConfigNode;
}

/** Reads `{ NAME: VALUE, … }`. */
export function readAssignments(node: ConfigNode): readonly Assignment[] {
  const all = node.entries("a mapping from names to values").map(({ key, value }) => ({
    name: key.word("a name"),
    text: valueText(value),
    node: value,
  }));
  return all.length > 0 ? all : node.fail("expected at least one name");
}

/**
 * Finds the property, and reads the value for it.
 *
 * @throws {UsageError} for a name that is none, or what is no value of it
 */
export function findAssignment(
  world: World,
  { name, text, node }: Assignment,
): Property & { readonly value: Value } {
  return locate(node, () => {
    const found = world.property(name);
    return { ...found, value: readValue(name, found.property, text) };
  });
}
