/**
 * What properties are to be.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import { UsageError } from "../../errors.ts";
import { readValue, showValue } from "../values.ts";
import type { Property, World } from "./world.ts";

const RANGE_KEYS = ["from", "to", "not"] as const;

/** What values are wanted. */
interface Wanted {
  /** Exactly this one. */
  readonly value?: string;
  /** Any but this one. */
  readonly not?: string;
  /** None below, none above. */
  readonly from?: number;
  readonly to?: number;
}

/** One property, and what it is to be, as it is written. */
export interface Condition {
  readonly name: string;
  readonly wanted: Wanted;
  readonly node: ConfigNode;
}

/** The same for what the daemons have. */
export interface FoundCondition {
  readonly name: string;
  readonly property: Property;
  holds(value: unknown): boolean;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A value as it is written. */
export function valueText(node: ConfigNode): string {
  return node.isList
    ? node.list("numbers").map((one) => one.word("a number")).join(",")
    : node.scalar("a value");
}

function readWanted(node: ConfigNode): Wanted {
  if (!node.isMapping) return { value: valueText(node) };
  const { from, to, not } = node.mapping(RANGE_KEYS);
  if (from === undefined && to === undefined && not === undefined) {
    node.fail("expected a value, or at least one of from, to and not");
  }
  const number = (node: ConfigNode) => node.number({ from: -Infinity, to: Infinity }, "a number");
  return {
    ...(from && { from: number(from) }),
    ...(to && { to: number(to) }),
    ...(not && { not: valueText(not) }),
  };
}

/** Reads `{ NAME: VALUE, … }`. */
export function readConditions(node: ConfigNode): readonly Condition[] {
  const conditions = node.entries("a mapping from names to values").map(({ key, value }) => ({
    name: key.word("a name"),
    wanted: readWanted(value),
    node: value,
  }));
  return conditions.length > 0 ? conditions : node.fail("expected at least one name");
}

/** What is wanted, for people. */
export function showCondition({ name, wanted: { value, not, from, to } }: Condition): string {
  if (value !== undefined) return `${name}=${value}`;
  return [
    ...(from === undefined ? [] : [`${name}>=${from}`]),
    ...(to === undefined ? [] : [`${name}<=${to}`]),
    ...(not === undefined ? [] : [`${name}!=${not}`]),
  ].join(" ");
}

/**
 * Finds the property.
 *
 * @throws {UsageError} where there is none, or it cannot be what it is to be
 */
export function findCondition(world: World, { name, wanted, node }: Condition): FoundCondition {
  return locate(node, () => {
    const property = world.property(name);
    if (property.property.type === "bytes") {
      throw new UsageError(`'${name}' is bytes; compare them with a command: 'run'`);
    }
    const read = (text?: string) =>
      text === undefined ? undefined : readValue(name, property.property, text);
    const [value, not] = [read(wanted.value), read(wanted.not)];
    const { from = -Infinity, to = Infinity } = wanted;
    const isRange = wanted.from !== undefined || wanted.to !== undefined;
    return {
      name,
      property,
      holds: (now) =>
        (value === undefined || same(now, value)) && (not === undefined || !same(now, not)) &&
        (!isRange || typeof now === "number" && now >= from && now <= to),
    };
  });
}

/** Has a mistake told with where in the file it is. */
export function locate<T>(node: ConfigNode, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof UsageError) node.fail(error.message);
    throw error;
  }
}

/** What a property is, for people. */
export function showState({ name, property }: FoundCondition, value: unknown): string {
  return `${name} is ${showValue(property.property, value) || "unknown"}`;
}
