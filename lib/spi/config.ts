/**
 * The SPI daemon's part of the configuration file, beside the keys that all daemons share.
 *
 * ```yaml
 * guests:                      # one entry per guest, in the order of the sockets; a single entry
 *                              # serves all guests, as --device does
 *   - device: /dev/spidev0.0,/dev/spidev0.1   # as --device; also sN
 *     messages: [nor, prefix: 1]   # where messages end: a rule for each chip select, or one for all
 *   - simulated:
 *       parts:                 # at chip selects 0, 1, …
 *         - part: loopback       # what is sent comes back
 *         - part: flash          # a NOR flash of the 25 series
 *           name: firmware       # what to call it; cs1 if left out
 *           size-kib: 4096       # a power of two from 256 (default) to 65536
 *           id: 0xef4016         # JEDEC id; default: a Winbond part of that size
 *           file: flash.bin      # keeps the contents; made if missing
 *         - part: registers      # 128 registers of a byte: first byte the number, bit 7 to read
 *           chip-select: 4       # the one after that of the entry before if left out
 *           values: { 0x0f: 0x33 }  # at the start; 0 where none is given
 *           read-only: [0x0f]    # these are; true: all are
 *           failing: [0x7f]      # transfers that touch one of these fail
 *         - part: adxl345
 *           interrupt: shake-int # the line that its pin INT1 drives, or a list of lines
 *       max-frequency: 10000000  # in Hz; default 0, no limit
 *       bits-per-word: [8, 16]   # default 1 to 32; 8, 16 and 32 with other parts than loopbacks
 *       modes: [0, 3]            # default all four
 *       cs-high: false           # default true, as for the two that follow
 *       lsb-first: false
 *       loop: false
 *       tx-lines: 1              # most data lines: 1 (default), 2, 4 or 8
 *       rx-lines: 4
 *   - share: 1                 # the controller of an earlier entry, counted from 0
 * gpio-control: /run/gpio.control  # of the GPIO daemon that has these lines
 * message-timeout-us: 10000    # how long a chip stays selected for the rest of a message; 0: not at all
 * max-transfer-ms: 1000        # a transfer that would take longer is refused
 * ```
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import {
  MESSAGE_FORMS,
  type MessageSetting,
  NUMBERED_RULES,
  parseMessageSetting,
} from "./host/messages/settings.ts";
import { parseNodePath } from "./host/find_nodes.ts";
import { readDevice, withMessages } from "./options.ts";
import { fileOf } from "../simulation/simulation.ts";
import type { ControllerSettings, SpiTimes } from "./settings.ts";
import { readSimulated } from "./simulated/config.ts";
import { spiParts } from "./simulated/parts.ts";

/** How long a chip stays selected for the rest of a message unless said otherwise. */
const USUAL_MESSAGE_TIMEOUT_MICROSECONDS = 10_000;
const MAX_MESSAGE_TIMEOUT_MICROSECONDS = 1_000_000;
/** How long a transfer may take unless said otherwise. */
const USUAL_MAX_TRANSFER_MILLISECONDS = 1000;
const MAX_TRANSFER_MILLISECONDS = 600_000;

/** A rule: `nor`, `prefix:1` or the mapping `prefix: 1`. */
function readRule(node: ConfigNode): MessageSetting {
  if (!node.isMapping) {
    return parseMessageSetting(node.source) ??
      node.fail(`expected ${MESSAGE_FORMS}, found ${node.source === "" ? "none" : node.source}`);
  }
  const names = Object.keys(NUMBERED_RULES) as (keyof typeof NUMBERED_RULES)[];
  const entries = Object.entries(node.mapping(names));
  if (entries.length !== 1) return node.fail(`expected one rule, found ${entries.length}`);
  const [[name, value]] = entries;
  const rule = name as keyof typeof NUMBERED_RULES;
  const { minimum, maximum, what } = NUMBERED_RULES[rule];
  return { rule, number: value.integer(minimum, maximum, what) };
}

/** @throws {UsageError} with the place of `node`, if something in it is refused */
function at<Value>(node: ConfigNode, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    return node.fail((error as Error).message);
  }
}

function readNodes(device: ConfigNode, messages: ConfigNode | undefined): ControllerSettings {
  const text = device.string("a device");
  const settings = at(device, () => readDevice(text));
  if (messages === undefined) return settings;
  const rules = messages.isList ? messages.list("rules").map(readRule) : [readRule(messages)];
  return at(messages, () => withMessages(settings, rules));
}

function readGuest(
  node: ConfigNode,
  earlier: readonly ControllerSettings[],
  names: Set<string>,
): ControllerSettings {
  const keys = node.mapping(["device", "messages", "simulated", "share"], {
    flash: "'messages: nor', or a list with a rule for each chip select",
  });
  const { device, messages, simulated, share } = keys;
  const given = [device, simulated, share].filter((one) => one !== undefined);
  if (given.length !== 1) return node.fail("expected one of 'device', 'simulated' and 'share'");
  if (device !== undefined) return readNodes(device, messages);
  if (messages !== undefined) messages.fail("'messages' goes with nodes of 'device' only");
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

/** The keys of {@linkcode readTimes}. */
export const TIME_KEYS = ["message-timeout-us", "max-transfer-ms"] as const;

/** Reads the limits of time. */
export function readTimes(
  keys: Partial<Record<(typeof TIME_KEYS)[number], ConfigNode>>,
): SpiTimes {
  const microseconds = keys["message-timeout-us"]
    ?.integer(0, MAX_MESSAGE_TIMEOUT_MICROSECONDS, "a time in microseconds");
  const milliseconds = keys["max-transfer-ms"]
    ?.integer(1, MAX_TRANSFER_MILLISECONDS, "a time in milliseconds");
  return {
    messageTimeout: (microseconds ?? USUAL_MESSAGE_TIMEOUT_MICROSECONDS) / 1000,
    maxTransfer: milliseconds ?? USUAL_MAX_TRANSFER_MILLISECONDS,
  };
}
