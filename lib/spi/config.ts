/**
 * The SPI daemon's part of the configuration file, beside the keys that all daemons share.
 *
 * ```yaml
 * guests:                      # one entry per guest, in the order of the sockets; a single entry
 *                              # serves all guests, as --device does
 *   - device: /dev/spidev0.0,/dev/spidev0.1   # as --device; also sN
 *     flash: [0]               # chip selects with a NOR flash: messages end where commands do
 *   - simulated:
 *       parts:                 # at chip selects 0, 1, …
 *         - part: loopback       # what is sent comes back
 *         - part: flash          # a NOR flash of the 25 series
 *           name: firmware       # what to call it; cs1 if left out
 *           size-kib: 4096       # 256 (default), 512, 1024, 2048, 4096, 8192 or 16384
 *           id: 0xef4016         # JEDEC id; default: a Winbond part of that size
 *           file: flash.bin      # keeps the contents; made if missing
 *         - part: registers      # 128 registers of a byte: first byte the number, bit 7 to read
 *           chip-select: 4       # the one after that of the entry before if left out
 *           values: { 0x0f: 0x33 }  # at the start; 0 where none is given
 *           read-only: [0x0f]    # these are; true: all are
 *           failing: [0x7f]      # transfers that touch one of these fail
 *       max-frequency: 10000000  # in Hz; default 0, no limit
 *       bits-per-word: [8, 16]   # default 1 to 32; 8, 16 and 32 with other parts than loopbacks
 *       modes: [0, 3]            # default all four
 *       cs-high: false           # default true, as for the two that follow
 *       lsb-first: false
 *       loop: false
 *       tx-lines: 1              # most data lines: 1 (default), 2, 4 or 8
 *       rx-lines: 4
 *   - share: 1                 # the controller of an earlier entry, counted from 0
 * message-timeout-us: 10000    # how long a chip stays selected for the rest of a message; 0: not at all
 * ```
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import { parseNodePath } from "./host/find_nodes.ts";
import { readDevice } from "./options.ts";
import type { ControllerSettings } from "./settings.ts";
import { fileOf } from "../simulation/simulation.ts";
import { readSimulated } from "./simulated/config.ts";
import { spiParts } from "./simulated/parts.ts";

/** How long a chip stays selected for the rest of a message unless said otherwise. */
const USUAL_MESSAGE_TIMEOUT_MICROSECONDS = 10_000;
const MAX_MESSAGE_TIMEOUT_MICROSECONDS = 1_000_000;

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

function readGuest(
  node: ConfigNode,
  earlier: readonly ControllerSettings[],
  names: Set<string>,
): ControllerSettings {
  const keys = node.mapping(["device", "flash", "simulated", "share"]);
  const { device, flash, simulated, share } = keys;
  const given = [device, simulated, share].filter((one) => one !== undefined);
  if (given.length !== 1) return node.fail("expected one of 'device', 'simulated' and 'share'");
  if (device !== undefined) return readNodes(device, flash);
  if (flash !== undefined) flash.fail("'flash' goes with nodes of 'device' only");
  if (simulated !== undefined) return readSimulated(simulated, names);
  if (earlier.length === 0) return share!.fail("there is no earlier entry to share with");
  return earlier[share!.integer(0, earlier.length - 1, "the number of an earlier entry")];
}

/** What no two controllers can have: nodes and files of parts. */
function resources(settings: ControllerSettings): string[] {
  if (settings.kind === "simulated") {
    return settings.parts.flatMap((part) => fileOf(spiParts.get(part.part), part)?.path ?? []);
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
  const names = new Set<string>();
  for (const guest of node.list("guests, each with 'device', 'simulated' or 'share'")) {
    const settings = readGuest(guest, controllers, names);
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

/** Reads how long a chip stays selected for the rest of a message, in milliseconds. */
export function readMessageTimeout(node: ConfigNode | undefined): number {
  const microseconds = node?.integer(
    0,
    MAX_MESSAGE_TIMEOUT_MICROSECONDS,
    "a time in microseconds",
  );
  return (microseconds ?? USUAL_MESSAGE_TIMEOUT_MICROSECONDS) / 1000;
}
