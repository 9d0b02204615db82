/**
 * Simulated chips in the configuration file.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import { closest } from "../../text/words.ts";
import { readSettings, settingKeys } from "../../simulation/read_settings.ts";
import { isLineName, MAX_LINES } from "../protocol.ts";
import {
  lineOf,
  lineProperties,
  plainLines,
  type SimulatedLine,
  type SimulatedSettings,
  type Wire,
} from "./line.ts";

function readLine(node: ConfigNode, names: Set<string>): SimulatedLine {
  const nodes = node.mapping(settingKeys(lineProperties));
  const line = lineOf(readSettings(lineProperties, nodes));
  const { name } = line;
  if (name === "") return line;
  if (!isLineName(name)) {
    nodes.name?.fail(`'${name}' is no name, expected printable ASCII characters`);
  }
  if (names.has(name)) {
    nodes.name?.fail(`the name '${name}' is taken by another line of this chip; choose another`);
  }
  names.add(name);
  return line;
}

/** A line that a wire ends at, by name or number. */
function readEnd(node: ConfigNode | undefined, wire: ConfigNode, lines: readonly SimulatedLine[]) {
  if (node === undefined) return wire.fail("expected a mapping with both 'from' and 'to'");
  if (node.isNumber) return node.integer(0, lines.length - 1, "a line number");
  const name = node.string("a line's name or number");
  const line = lines.findIndex((line) => line.name === name);
  if (line >= 0) return line;
  const guess = closest(name, lines.map((line) => line.name));
  const hint = guess === undefined ? "name it there or use its number" : `did you mean '${guess}'?`;
  return node.fail(`no line of this chip has the name '${name}'; ${hint}`);
}

function readWires(node: ConfigNode | undefined, lines: readonly SimulatedLine[]): Wire[] {
  const driven = new Set<number>();
  return (node?.list("wires") ?? []).map((wire) => {
    const ends = wire.mapping(["from", "to"]);
    const from = readEnd(ends.from, wire, lines);
    const to = readEnd(ends.to, wire, lines);
    if (from === to) wire.fail(`line ${from} is wired to itself, expected two lines`);
    if (driven.has(to)) wire.fail(`line ${to} is at the end of two wires, expected at most one`);
    driven.add(to);
    return { from, to };
  });
}

/** Reads a chip: a number of lines, or a mapping. */
export function readSimulated(node: ConfigNode): SimulatedSettings {
  if (!node.isMapping) {
    const count = node.integer(1, MAX_LINES, "a number of lines");
    return { kind: "simulated", lines: plainLines(count), wires: [] };
  }
  const { lines, wires } = node.mapping(["lines", "wires"]);
  if (lines === undefined) return node.fail("'lines' is missing: their number or a list of lines");
  const names = new Set<string>();
  const list = lines.isList
    ? lines.list("lines").map((line) => readLine(line, names))
    : plainLines(lines.integer(1, MAX_LINES, "a list of lines or a number of lines"));
  if (list.length < 1 || list.length > MAX_LINES) {
    return lines.fail(`${list.length} lines, a chip has 1 to ${MAX_LINES}`);
  }
  return { kind: "simulated", lines: list, wires: readWires(wires, list) };
}
