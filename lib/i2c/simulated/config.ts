/**
 * Simulated adapters in the configuration file.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import { readSettings, settingKeys } from "../../simulation/read_settings.ts";
import { fileOf } from "../../simulation/simulation.ts";
import type { Claims } from "../claims.ts";
import { ADDRESS_COUNT, LAST_ADDRESS, LAST_TEN_BIT_ADDRESS, TEN_BIT } from "../protocol.ts";
import type { AdapterRequest } from "../settings.ts";
import { i2cParts } from "./parts.ts";
import { addressCount, i2cBus, type I2cPartDescription } from "./simulated_adapter.ts";

const FORMER_KEYS = { chips: "'parts', a list such as [{ part: 24c02, address: 0x50 }]" };

function readPart(node: ConfigNode, taken: Claims, owner: string): I2cPartDescription {
  const entry = i2cParts.read(node, ["address", "ten-bit"], taken.names);
  const { part, name, settings, own } = entry;
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
  return { part, name, settings, address };
}

/** Reads an adapter. */
export function readSimulated(node: ConfigNode, taken: Claims, owner: string): AdapterRequest {
  const { properties } = i2cBus;
  const nodes = node.mapping(["parts", ...settingKeys(properties)], FORMER_KEYS);
  const { parts } = nodes;
  const list = parts?.list("parts") ?? node.fail("'parts' is missing: the list of what is on it");
  return {
    kind: "simulated",
    smbusOnly: readSettings(properties, nodes)["smbus-only"],
    parts: list.map((part) => readPart(part, taken, owner)),
  };
}
