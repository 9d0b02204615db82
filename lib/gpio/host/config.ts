/**
 * A real chip in the configuration file. The keys are described in `../config.ts`.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import { ACCESSES, neverDrives } from "./access.ts";
import {
  BIASES,
  type ChipChoice,
  type ChipReference,
  DRIVES,
  type LineChoice,
  type SafeState,
} from "./settings.ts";
import { isLineName, MAX_LINES } from "../protocol.ts";

const LINE_KEYS = [
  "line",
  "name",
  "access",
  "bias",
  "drive",
  "active-low",
  "safe",
] as const;

const LINE_FORM = "a line's number or name";

function readWhich(node: ConfigNode): number | string {
  if (node.isNumber) return node.integer(0, MAX_LINES, LINE_FORM);
  const name = node.string(LINE_FORM);
  return name === "" ? node.fail(`expected ${LINE_FORM}, found an empty one`) : name;
}

function readName(node: ConfigNode, names: Set<string>): string {
  const name = node.string("a name");
  if (name === "") return name;
  if (!isLineName(name)) node.fail(`'${name}' is no name, expected printable ASCII characters`);
  if (names.has(name)) node.fail(`the name '${name}' is taken by another line of this guest`);
  names.add(name);
  return name;
}

function readSafe(node: ConfigNode): SafeState {
  const states = new Map<string, SafeState>([["0", 0], ["1", 1], ["keep", "keep"]]);
  return states.get(node.source) ??
    node.fail(`expected 0, 1 or keep, found ${node.source || "nothing"}`);
}

function readLine(node: ConfigNode, names: Set<string>): LineChoice {
  if (!node.isMapping) return { line: readWhich(node), access: "read-write" };
  const keys = node.mapping(LINE_KEYS);
  if (keys.line === undefined) return node.fail(`'line' is missing: ${LINE_FORM}`);
  const access = keys.access?.choice(ACCESSES) ?? "read-write";
  const noOutput = neverDrives(access);
  if (noOutput && keys.drive) keys.drive.fail(`'drive' is for outputs, but 'access' is ${access}`);
  if (noOutput && keys.safe) keys.safe.fail(`'safe' is for outputs, but 'access' is ${access}`);
  if (access === "read-only" && keys.bias) {
    keys.bias.fail("'bias' would change the line, but 'access' is read-only");
  }
  return {
    line: readWhich(keys.line),
    name: keys.name && readName(keys.name, names),
    access,
    bias: keys.bias?.choice(BIASES),
    drive: keys.drive?.choice(DRIVES),
    activeLow: keys["active-low"]?.boolean(),
    safe: keys.safe && readSafe(keys.safe),
  };
}

function readChip(node: ConfigNode): ChipReference {
  const form = "a chip's number, path, name or label";
  if (node.isNumber) return node.integer(0, MAX_LINES, form);
  const text = node.string(form);
  return text === "" ? node.fail(`expected ${form}, found an empty one`) : text;
}

/**
 * Reads a guest's `chip` and `lines`.
 *
 * @throws {UsageError} if they make no sense
 */
export function readHostChip(chip: ConfigNode, lines: ConfigNode | undefined): ChipChoice {
  const names = new Set<string>();
  const choices = lines?.list("lines").map((line) => readLine(line, names));
  if (choices?.length === 0) lines?.fail("the list is empty; leave it out to get the whole chip");
  return { kind: "host", chip: readChip(chip), lines: choices };
}
