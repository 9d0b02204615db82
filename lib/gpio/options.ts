/**
 * The GPIO daemon's part of the command line and of the configuration file.
 *
 * The file, beside the keys that all daemons share:
 *
 * ```yaml
 * guests:                      # one entry per guest, in the order of the sockets
 *   - chip: 0                  # a chip of this host: number, path, name or label (text)
 *     lines:                   # which lines the guest gets, in its order; all if left out
 *       - 4                    # a line by its number or the host's name for it
 *       - line: 17             # or with what is special about it:
 *         name: led            # what the guest is told instead of the host's name; "" for none
 *         access: output       # read-write (default): an input or an output, as the guest likes;
 *                              # input or output: that only; read-only: what the host has made
 *                              # of the line, to be looked at and not to be changed
 *         bias: pull-up        # disabled, pull-up or pull-down; as the host has it if left out
 *         drive: open-drain    # push-pull (default), open-drain or open-source
 *         active-low: true     # what is low on the wire is 1 for the guest; default false
 *         safe: 0              # what the output drives after the guest has let go of it: 0, 1
 *                              # (as the guest counts), or keep for what it was; if left out,
 *                              # the line is given back to the host
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
 * A line with a safe state stays requested by the daemon while no guest has it, for the kernel does
 * not promise what becomes of a line that is given back: most chips leave it as it is, some make it
 * an input. At the end of the daemon such a line drives its safe state for the last time, and then
 * it is given back, too.
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import type { OptionSpec } from "../input/options.ts";
import { readInteger } from "../text/numbers.ts";
import { closest } from "../text/words.ts";
import { UsageError } from "../errors.ts";
import { type DeviceEntry, splitDeviceList } from "./device_list.ts";
import { readHostChip } from "./host/config.ts";
import type { ChipChoice, HostSettings } from "./host/settings.ts";
import { DIRECTION_IN, DIRECTION_NONE, DIRECTION_OUT, isLineName, MAX_LINES } from "./protocol.ts";
import type { SimulatedLine, Wire } from "./simulated/simulated_chip.ts";

/** A simulated chip for one guest. */
export interface SimulatedSettings {
  readonly kind: "simulated";
  readonly lines: readonly SimulatedLine[];
  readonly wires: readonly Wire[];
}

/** One guest's chip. */
export type GpioSettings = SimulatedSettings | HostSettings;

/** One guest's chip as its user has picked it. */
export type GpioChoice = SimulatedSettings | ChipChoice;

const DEVICE_FORM = 'entries like 0, gpiochip3, 0[4,17,20-27], "some:label" or s8';

export const gpioOptions: readonly OptionSpec[] = [
  {
    name: "device-list",
    short: "l",
    value: "D[:D]...",
    help: "one chip per guest: number, path or label; sN for N simulated lines",
    details: "A chip of this host is given by its number (0 is /dev/gpiochip0), its path, its " +
      "name (gpiochip0) or its label, sN is a simulated one with N lines. Lines in brackets, as " +
      "in 0[4,17,20-27], are all that the guest gets of a chip, in that order; a line can also be " +
      "given by its name. What has a colon or a bracket in it goes into double quotes, as in " +
      "'\"INT3450:00\"[3]'. See --list for what there is.",
  },
];

/** Lines as the reference simulates them: `dummy0`, `dummy1`, … */
function plainLines(count: number): SimulatedLine[] {
  return Array.from(
    { length: count },
    (_, line) => ({ name: `dummy${line}`, direction: DIRECTION_NONE, value: 0 }),
  );
}

function readSimulatedDevice(entry: string, list: string): SimulatedSettings {
  const count = readInteger(entry.slice(1));
  if (count === undefined) {
    throw new UsageError(
      `device list '${list}': '${entry}' has no number of lines, expected ${DEVICE_FORM}`,
    );
  }
  if (count < 1 || count > MAX_LINES) {
    throw new UsageError(
      `device list '${list}': '${entry}' has ${count} lines, a chip has 1 to ${MAX_LINES}`,
    );
  }
  return { kind: "simulated", lines: plainLines(count), wires: [] };
}

function readDevice(entry: DeviceEntry, list: string): GpioChoice {
  const { device, quoted, lines, source } = entry;
  if (!quoted && /^s\d*$/.test(device)) {
    if (lines === undefined) return readSimulatedDevice(device, list);
    throw new UsageError(
      `device list '${list}': '${source}' picks lines of a simulated chip; write ${device} alone`,
    );
  }
  // What is nearly sN would else be looked for among the labels of chips.
  if (!quoted && (!/^[\w/.]/.test(device) || /^s[-+.,_\d\s]*\d$/i.test(device))) {
    throw new UsageError(
      `device list '${list}': '${source}' is no device, expected ${DEVICE_FORM}`,
    );
  }
  return {
    kind: "host",
    chip: quoted ? device : readInteger(device) ?? device,
    lines: lines?.map((line) => ({ line, access: "read-write" })),
  };
}

/**
 * Reads a device list, for example `s8:0[4,17]`.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readDeviceList(list: string): GpioChoice[] {
  return splitDeviceList(list, DEVICE_FORM).map((entry) => readDevice(entry, list));
}

const DIRECTIONS = { none: DIRECTION_NONE, input: DIRECTION_IN, output: DIRECTION_OUT } as const;

function readLine(node: ConfigNode, names: Set<string>): SimulatedLine {
  const { name, direction, value } = node.mapping(["name", "direction", "value"]);
  const text = name?.string("a name") ?? "";
  if (text !== "") {
    if (!isLineName(text)) name?.fail(`'${text}' is no name, expected printable ASCII characters`);
    if (names.has(text)) {
      name?.fail(`the name '${text}' is taken by another line of this chip; choose another`);
    }
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
    : plainLines(lines.integer(1, MAX_LINES, "a list of lines or a number of lines"));
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
export function readGuests(node: ConfigNode): GpioChoice[] {
  const guests = node.list("guests, each with 'chip' or 'simulated'");
  if (guests.length === 0) node.fail("the list is empty, expected one entry per guest");
  return guests.map((guest) => {
    const { simulated, chip, lines } = guest.mapping(["simulated", "chip", "lines"]);
    if (chip !== undefined && simulated !== undefined) {
      return simulated.fail("a guest has either 'chip' or 'simulated', not both");
    }
    if (chip !== undefined) return readHostChip(chip, lines);
    if (simulated === undefined) return guest.fail("expected a mapping with 'chip' or 'simulated'");
    if (lines !== undefined) {
      return lines.fail("the lines of a simulated chip go below 'simulated'");
    }
    return readSimulated(simulated);
  });
}
