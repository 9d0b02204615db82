/**
 * The GPIO daemon's part of the command line.
 *
 * @module
 */

import type { OptionSpec } from "../input/options.ts";
import { readInteger } from "../text/numbers.ts";
import { UsageError } from "../errors.ts";
import { type DeviceEntry, splitDeviceList } from "./device_list.ts";
import { MAX_LINES } from "./protocol.ts";
import type { GpioChoice } from "./settings.ts";
import { plainLines, type SimulatedSettings } from "./simulated/line.ts";

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
