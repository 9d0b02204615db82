/**
 * The SPI daemon's part of the command line and of the configuration file.
 *
 * The file, beside the keys that all daemons share:
 *
 * ```yaml
 * guests:                      # one entry per guest, in the order of the sockets; a single entry
 *                              # serves all guests, as --device does
 *   - device: /dev/spidev0.0,/dev/spidev0.1   # as --device; also sN
 *     flash: [0]               # chip selects with a NOR flash: messages end where commands do
 *   - simulated:
 *       chips:                 # one per chip select
 *         - loopback           # what is sent comes back
 *         - flash:             # a NOR flash of the 25 series
 *             size-kib: 4096   # 256 (default), 512, 1024, 2048, 4096, 8192 or 16384
 *             id: 0xef4016     # JEDEC id; default: a Winbond part of that size
 *             file: flash.bin  # keeps the contents; made if missing
 *         - registers:         # 128 registers of a byte: first byte the number, bit 7 to read
 *             values:          # at the start; 0 where none is given
 *               0x0f: 0x33
 *             read-only: [0x0f]
 *             failing: [0x7f]  # transfers that touch one of these fail
 *       max-frequency: 10000000  # in Hz; default 0, no limit
 *       bits-per-word: [8, 16]   # default 1 to 32; 8, 16 and 32 with other chips than loopbacks
 *       modes: [0, 3]            # default all four
 *       cs-high: false           # default true, as for the two that follow
 *       lsb-first: false
 *       loop: false
 *       tx-lines: 1              # most data lines: 1 (default), 2, 4 or 8
 *       rx-lines: 4
 *   - share: 1                 # the controller of an earlier entry, counted from 0
 * chip-select-hold-us: 10000   # how long a chip waits for the rest of a message; 0: not at all
 * ```
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import type { OptionSpec } from "../input/options.ts";
import { readInteger } from "../text/numbers.ts";
import { UsageError } from "../errors.ts";
import { parseNodePath } from "./host/find_nodes.ts";
import type { SimulatedSettings } from "./simulated/simulated_controller.ts";
import { loopbacks, MAX_CHIP_SELECTS, readSimulated } from "./simulated/config.ts";

/** How long a chip stays selected for the rest of a message unless said otherwise. */
export const USUAL_HOLD_MICROSECONDS = 10_000;
const MAX_HOLD_MICROSECONDS = 1_000_000;

/** A controller of nodes of this host. */
export interface NodesSettings {
  readonly kind: "nodes";
  readonly paths: readonly string[];
  /** Chip selects with a NOR flash. */
  readonly flash: readonly number[];
}

/** A controller; guests that share one refer to the same object. */
export type ControllerSettings = NodesSettings | SimulatedSettings;

const DEVICE_FORM =
  "/dev/spidevX.Y, several of one bus with commas between, or sN for N simulated " +
  "loopbacks";

export const spiOptions: readonly OptionSpec[] = [
  {
    name: "device",
    short: "l",
    value: "D[,D]...",
    help: "nodes of one bus such as /dev/spidev0.0, one per chip select; sN for N loopbacks",
    details:
      "All guests get the same controller and take turns. Nodes become chip selects 0, 1, … " +
      "in the order in which they are given.",
  },
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
  return { kind: "nodes", paths, flash: [] };
}

function readNodes(device: ConfigNode, flash: ConfigNode | undefined): ControllerSettings {
  const text = device.string("a device");
  let settings: ControllerSettings;
  try {
    settings = readDevice(text);
  } catch (error) {
    return device.fail((error as Error).message);
  }
  if (flash === undefined) return settings;
  if (settings.kind !== "nodes") return flash.fail("'flash' goes with nodes of 'device' only");
  const last = settings.paths.length - 1;
  const list = flash.list("chip selects").map((one) => one.integer(0, last, "a chip select"));
  return { ...settings, flash: list };
}

function readGuest(node: ConfigNode, earlier: readonly ControllerSettings[]): ControllerSettings {
  const keys = node.mapping(["device", "flash", "simulated", "share"]);
  const { device, flash, simulated, share } = keys;
  const given = [device, simulated, share].filter((one) => one !== undefined);
  if (given.length !== 1) return node.fail("expected one of 'device', 'simulated' and 'share'");
  if (device !== undefined) return readNodes(device, flash);
  if (flash !== undefined) flash.fail("'flash' goes with nodes of 'device' only");
  if (simulated !== undefined) return readSimulated(simulated);
  if (earlier.length === 0) return share!.fail("there is no earlier entry to share with");
  return earlier[share!.integer(0, earlier.length - 1, "the number of an earlier entry")];
}

/** What no two controllers can have: nodes and flash files. */
function resources(settings: ControllerSettings): string[] {
  if (settings.kind === "simulated") {
    return settings.chips.flatMap((chip) => chip.type === "flash" ? chip.file ?? [] : []);
  }
  return settings.paths.map((path) => {
    const name = parseNodePath(path);
    return name === undefined ? path : `/dev/spidev${name.bus}.${name.chipSelect}`;
  });
}

/**
 * Reads the list of guests of the configuration file.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readGuests(node: ConfigNode): ControllerSettings[] {
  const controllers: ControllerSettings[] = [];
  const owners = new Map<string, number>();
  for (const guest of node.list("guests, each with 'device', 'simulated' or 'share'")) {
    const settings = readGuest(guest, controllers);
    const isNew = !controllers.includes(settings);
    for (const resource of isNew ? resources(settings) : []) {
      const owner = owners.get(resource);
      if (owner !== undefined) {
        guest.fail(
          `'${resource}' is taken by entry ${owner}; write 'share: ${owner}' for the same controller`,
        );
      }
      owners.set(resource, controllers.length);
    }
    controllers.push(settings);
  }
  if (controllers.length === 0) node.fail("the list is empty, expected one entry per guest");
  return controllers;
}

/** Reads how long a chip waits for the rest of a message, in milliseconds. */
export function readHold(node: ConfigNode | undefined): number {
  const microseconds = node?.integer(0, MAX_HOLD_MICROSECONDS, "a time in microseconds");
  return (microseconds ?? USUAL_HOLD_MICROSECONDS) / 1000;
}
