/**
 * The GPIO daemon's part of the command line and of the configuration file.
 *
 * The file, beside the keys that all daemons share:
 *
 * ```yaml
 * guests:                      # one entry per guest, in the order of the sockets
 *   - simulated: 8             # a simulated chip with 8 lines
 *   - simulated:
 *       lines:                 # or with lines one by one
 *         - name: led          # optional; unique, printable ASCII
 *           direction: output  # none (default), input or output, before the guest sets it
 *           value: 1           # 0 (default) or 1: driven by an output, found at an input
 *         - name: button
 *         - {}
 *       wires:                 # what an output drives is what an input sees
 *         - from: led          # a line's name or number
 *           to: button
 * ```
 *
 * @module
 */

import type { ConfigNode } from "../daemon/config_file.ts";
import type { OptionSpec } from "../daemon/options.ts";
import { readInteger } from "../daemon/options.ts";
import { UsageError } from "../daemon/usage_error.ts";
import { DIRECTION_IN, DIRECTION_NONE, DIRECTION_OUT, isLineName, MAX_LINES } from "./protocol.ts";
import type { SimulatedLine, Wire } from "./simulated.ts";

/** A simulated chip for one guest. */
export interface SimulatedSettings {
  readonly kind: "simulated";
  readonly lines: readonly SimulatedLine[];
  readonly wires: readonly Wire[];
}

/** One guest's chip. */
export type GpioSettings = SimulatedSettings;

const DEVICE_FORM = "sN for N simulated lines, such as s8";

export const gpioOptions: readonly OptionSpec[] = [
  {
    name: "device-list",
    short: "l",
    value: "D[:D]...",
    help: "one chip per guest; sN for N simulated lines",
  },
];

/** Lines as the reference simulates them: `dummy0`, `dummy1`, … */
function plainLines(count: number): SimulatedLine[] {
  return Array.from(
    { length: count },
    (_, line) => ({ name: `dummy${line}`, direction: DIRECTION_NONE, value: 0 }),
  );
}

function readDevice(entry: string, list: string): GpioSettings {
  const refuse = (why: string) =>
    new UsageError(`device list '${list}': ${why}, expected ${DEVICE_FORM}`);
  if (entry === "") throw refuse("an entry is empty");
  if (!entry.startsWith("s")) throw refuse(`'${entry}' is no device`);
  const count = readInteger(entry.slice(1));
  if (count === undefined) throw refuse(`'${entry}' has no number of lines`);
  if (count < 1 || count > MAX_LINES) {
    throw new UsageError(
      `device list '${list}': '${entry}' has ${count} lines, a chip has 1 to ${MAX_LINES}`,
    );
  }
  return { kind: "simulated", lines: plainLines(count), wires: [] };
}

/**
 * Reads a device list, for example `s8:s4`.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readDeviceList(list: string): GpioSettings[] {
  return list.split(":").map((entry) => readDevice(entry, list));
}

const DIRECTIONS = { none: DIRECTION_NONE, input: DIRECTION_IN, output: DIRECTION_OUT } as const;

function readLine(node: ConfigNode, names: Set<string>): SimulatedLine {
  const { name, direction, value } = node.mapping(["name", "direction", "value"]);
  const text = name?.string("a name") ?? "";
  if (text !== "") {
    if (!isLineName(text)) name?.fail(`'${text}' is no name, expected printable ASCII characters`);
    if (names.has(text)) name?.fail(`the name '${text}' is taken by another line of this chip`);
    names.add(text);
  }
  return {
    name: text,
    direction: DIRECTIONS[direction?.choice(["none", "input", "output"]) ?? "none"],
    value: value?.integer(0, 1, "a value") ?? 0,
  };
}

/** A line that a wire ends at, by name or number. */
function readEnd(node: ConfigNode | undefined, wire: ConfigNode, lines: readonly SimulatedLine[]) {
  if (node === undefined) return wire.fail("expected a mapping with both 'from' and 'to'");
  if (node.isNumber) return node.integer(0, lines.length - 1, "a line number");
  const name = node.string("a line's name or number");
  const line = lines.findIndex((line) => line.name === name);
  return line >= 0 ? line : node.fail(`no line of this chip has the name '${name}'`);
}

function readWires(node: ConfigNode | undefined, lines: readonly SimulatedLine[]): Wire[] {
  const driven = new Set<number>();
  return (node?.list("wires") ?? []).map((wire) => {
    const ends = wire.mapping(["from", "to"]);
    const from = readEnd(ends.from, wire, lines);
    const to = readEnd(ends.to, wire, lines);
    if (from === to) wire.fail(`line ${from} is wired to itself`);
    if (driven.has(to)) wire.fail(`line ${to} is at the end of two wires, expected at most one`);
    driven.add(to);
    return { from, to };
  });
}

function readSimulated(node: ConfigNode): SimulatedSettings {
  if (!node.isMapping) {
    const count = node.integer(1, MAX_LINES, "a number of lines");
    return { kind: "simulated", lines: plainLines(count), wires: [] };
  }
  const { lines, wires } = node.mapping(["lines", "wires"]);
  if (lines === undefined) return node.fail("'lines' is missing: their number or a list of lines");
  const names = new Set<string>();
  const list = lines.isList
    ? lines.list("lines").map((line) => readLine(line, names))
    : plainLines(lines.integer(1, MAX_LINES, "a number of lines"));
  if (list.length < 1 || list.length > MAX_LINES) {
    return lines.fail(`${list.length} lines, a chip has 1 to ${MAX_LINES}`);
  }
  return { kind: "simulated", lines: list, wires: readWires(wires, list) };
}

/**
 * Reads the list of guests of the configuration file.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readGuests(node: ConfigNode): GpioSettings[] {
  const guests = node.list("guests, each with 'simulated'");
  if (guests.length === 0) node.fail("the list is empty, expected one entry per guest");
  return guests.map((guest) => {
    const { simulated } = guest.mapping(["simulated"]);
    return simulated === undefined
      ? guest.fail("expected a mapping with 'simulated'")
      : readSimulated(simulated);
  });
}
