/**
 * Simulated adapters in the configuration file.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import { readSettings, settingKeys } from "../../simulation/read_settings.ts";
import { fileOf } from "../../simulation/simulation.ts";
import type { Claims } from "../claims.ts";
import {
  ADDRESS_COUNT,
  addressText,
  LAST_ADDRESS,
  LAST_TEN_BIT_ADDRESS,
  TEN_BIT,
} from "../protocol.ts";
import type { AdapterRequest } from "../settings.ts";
import { i2cParts } from "./parts.ts";
import { addressCount, type Behind } from "./routes.ts";
import { i2cBus, type I2cPartDescription } from "./simulated_adapter.ts";

const FORMER_KEYS = { chips: "'parts', a list such as [{ part: 24c02, address: 0x50 }]" };

/**
 * Reads a part, and those behind it.
 *
 * @param list where they go
 */
function readPart(
  node: ConfigNode,
  taken: Claims,
  owner: string,
  list: I2cPartDescription[],
  behind?: Behind,
): void {
  const entry = i2cParts.read(node, ["address", "ten-bit", "channels"], taken.names);
  const { own, ...described } = entry;
  const { part } = described;
  const tenBit = own["ten-bit"]?.boolean() ?? false;
  const last = tenBit ? LAST_TEN_BIT_ADDRESS : LAST_ADDRESS;
  const { address: at } = own;
  if (at === undefined) return node.fail("'address' is missing");
  const address = at.integer(0, last, "an address") + (tenBit ? TEN_BIT : 0);
  const file = fileOf(i2cParts.get(part), entry);
  if (file?.readOnly === false) taken.claimFile(file.path, (why) => node.fail(why));
  const count = addressCount(entry);
  const limit = tenBit ? ADDRESS_COUNT : TEN_BIT;
  if (address + count > limit) at.fail(`a ${part} takes ${count} addresses from here on`);
  for (let offset = 0; offset < count; offset++) {
    taken.claim(address + offset, owner, (why) => at.fail(why));
  }
  list.push({ ...described, address, behind });
  if (own.channels !== undefined) readChannels(own.channels, taken, list);
}

/** Reads what is behind the last part of the list. */
function readChannels(node: ConfigNode, taken: Claims, list: I2cPartDescription[]): void {
  const multiplexer = list.length - 1;
  const { part, address } = list[multiplexer];
  const { channels } = i2cParts.get(part);
  if (channels === undefined) return node.fail(`a ${part} has no channels`);
  const form = "a mapping such as { 0: [{ part: lm75, address: 0x48 }] }, from a channel to parts";
  const seen = new Set<number>();
  for (const { key, value } of node.entries(form)) {
    const channel = key.integer(0, channels.count - 1, "a channel");
    if (seen.has(channel)) key.fail(`channel ${channel} is given twice; give it once`);
    seen.add(channel);
    const owner = `channel ${channel} of ${addressText(address)}`;
    const there = taken.channel();
    for (const entry of value.list("parts")) {
      readPart(entry, there, owner, list, { multiplexer, channel });
    }
  }
}

/** Reads an adapter. */
export function readSimulated(node: ConfigNode, taken: Claims, owner: string): AdapterRequest {
  const { properties } = i2cBus;
  const nodes = node.mapping(["parts", ...settingKeys(properties)], FORMER_KEYS);
  const { parts } = nodes;
  const list = parts?.list("parts") ?? node.fail("'parts' is missing: the list of what is on it");
  const all: I2cPartDescription[] = [];
  for (const part of list) readPart(part, taken, owner, all);
  const { "smbus-only": smbusOnly, frequency } = readSettings(properties, nodes);
  return { kind: "simulated", smbusOnly, frequency, parts: all };
}
