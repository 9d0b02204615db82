/**
 * The SPI daemon's part of the command line.
 *
 * @module
 */

import type { OptionSpec } from "../input/options.ts";
import { readInteger } from "../text/numbers.ts";
import { gpioControlOption } from "../simulation/wires.ts";
import { UsageError } from "../errors.ts";
import { parseNodePath } from "./host/find_nodes.ts";
import {
  AUTOMATIC,
  MESSAGE_FORMS,
  type MessageSetting,
  parseMessageSetting,
} from "./host/messages/settings.ts";
import type { ControllerSettings } from "./settings.ts";
import { loopbacks, MAX_CHIP_SELECTS } from "./simulated/config.ts";

const DEVICE_FORM =
  "/dev/spidevX.Y, several of one bus with commas between, or sN for N simulated " +
  "loopbacks";

export const spiOptions: readonly OptionSpec[] = [
  {
    name: "device",
    short: "l",
    value: "D[,D]...",
    help: "nodes of one bus, as /dev/spidev0.0: one per chip select; sN for N loopbacks",
    details:
      "All guests get the same controller and take turns. Nodes become chip selects 0, 1, … " +
      "in the order in which they are given.",
  },
  {
    name: "messages",
    value: "RULE[,RULE]...",
    help: "where messages end: command, nor, nand, eeprom:N, prefix:N, gap or cs-change",
    details:
      "One rule for each node, or one for all of them. It goes by the guest's driver: nor, nand " +
      "and eeprom:N (address bytes) for memories, which have to be configured before they are " +
      "written; prefix:N for chips with N bytes of register address, prefix:0 where each transfer " +
      "is a message; gap where the guest leaves one; cs-change where cs_change keeps the chip.",
  },
  gpioControlOption,
];

/**
 * Reads a device, for example `/dev/spidev0.0,/dev/spidev0.1` or `s2`.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readDevice(text: string): ControllerSettings {
  const refuse = (why: string) => new UsageError(`device '${text}': ${why}`);
  const simulated = /^s(\d.*)?$/.exec(text);
  if (simulated !== null) {
    const count = readInteger(simulated[1] ?? "");
    if (count === undefined) throw refuse(`no number of chip selects, expected ${DEVICE_FORM}`);
    if (count < 1 || count > MAX_CHIP_SELECTS) {
      throw refuse(`${count} chip selects, a controller has 1 to ${MAX_CHIP_SELECTS}`);
    }
    return loopbacks(count);
  }
  const paths = text.split(",");
  const seen = new Map<string, string>();
  let bus: number | undefined;
  for (const path of paths) {
    if (path === "") throw refuse(`an entry is empty, expected ${DEVICE_FORM}`);
    if (!path.includes("/")) {
      const hint = /^spidev\d+\.\d+$/.test(path)
        ? `did you mean '/dev/${path}'?`
        : `expected ${DEVICE_FORM}`;
      throw refuse(`'${path}' is no path; ${hint}`);
    }
    const name = parseNodePath(path);
    const key = name === undefined ? path : `${name.bus}.${name.chipSelect}`;
    const other = seen.get(key);
    if (other !== undefined) {
      throw refuse(
        other === path
          ? `'${path}' is given twice; give each node once`
          : `'${path}' and '${other}' are the same node; give each node once`,
      );
    }
    seen.set(key, path);
    if (name === undefined) continue;
    if (bus !== undefined && bus !== name.bus) {
      throw refuse(
        `'${path}' is on bus ${name.bus}, the nodes before it on bus ${bus}; ` +
          "a controller has nodes of one bus, start a daemon for each bus",
      );
    }
    bus = name.bus;
  }
  if (paths.length > MAX_CHIP_SELECTS) {
    throw refuse(`${paths.length} nodes, a controller has 1 to ${MAX_CHIP_SELECTS}`);
  }
  return { kind: "nodes", paths, messages: paths.map(() => AUTOMATIC) };
}

/**
 * Gives the nodes of a controller their rules: one each, or one for all.
 *
 * @throws {UsageError} if it has no nodes, or as many rules do not fit
 */
export function withMessages(
  settings: ControllerSettings,
  rules: readonly MessageSetting[],
): ControllerSettings {
  if (settings.kind !== "nodes") {
    throw new UsageError("simulated chips know where messages end; leave the rules out");
  }
  const { paths } = settings;
  if (rules.length !== 1 && rules.length !== paths.length) {
    throw new UsageError(
      `${rules.length} rules for ${paths.length} nodes; give one for each, or one for all`,
    );
  }
  return { ...settings, messages: paths.map((_, index) => rules[index] ?? rules[0]) };
}

/**
 * Reads rules, for example `nor,prefix:1`.
 *
 * @throws {UsageError} if one makes no sense
 */
export function readMessages(text: string): MessageSetting[] {
  return text.split(",").map((rule) => {
    const setting = parseMessageSetting(rule);
    if (setting !== undefined) return setting;
    throw new UsageError(`messages '${text}': '${rule}' is no rule, expected ${MESSAGE_FORMS}`);
  });
}
