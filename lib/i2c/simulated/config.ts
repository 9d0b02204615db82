/**
 * Simulated adapters in the configuration file.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import type { Claims } from "../claims.ts";
import { ADDRESS_COUNT, LAST_ADDRESS, LAST_TEN_BIT_ADDRESS, TEN_BIT } from "../protocol.ts";
import type { AdapterRequest } from "../settings.ts";
import { chipModel, chipNames } from "./parts.ts";
import { addressCount, type ChipDescription } from "./simulated_adapter.ts";

function readChip(node: ConfigNode, taken: Claims, owner: string): ChipDescription {
  const known = ["address", "chip", "ten-bit"];
  const all = chipNames.flatMap((name) => chipModel(name).keys);
  const name = node.mapping([...known, ...all]).chip?.choice(chipNames) ??
    node.fail("'chip' is missing: what chip it is");
  const model = chipModel(name);
  const values = node.mapping([...known, ...model.keys]);
  const tenBit = values["ten-bit"]?.boolean() ?? false;
  const last = tenBit ? LAST_TEN_BIT_ADDRESS : LAST_ADDRESS;
  const { address: at } = values;
  if (at === undefined) return node.fail("'address' is missing");
  const address = at.integer(0, last, "an address") + (tenBit ? TEN_BIT : 0);
  const chip = { address, name, config: model.configure(name, values) };
  const file = model.ownFile?.(chip.config);
  if (file !== undefined) taken.claimFile(file, (why) => node.fail(why));
  const count = addressCount(chip);
  const limit = tenBit ? ADDRESS_COUNT : TEN_BIT;
  if (address + count > limit) at.fail(`a ${name} takes ${count} addresses from here on`);
  for (let offset = 0; offset < count; offset++) {
    taken.claim(address + offset, owner, (why) => at.fail(why));
  }
  return chip;
}

/** Reads an adapter. */
export function readSimulated(node: ConfigNode, taken: Claims, owner: string): AdapterRequest {
  const { chips, "smbus-only": smbusOnly } = node.mapping(["chips", "smbus-only"]);
  const list = chips?.list("chips") ?? node.fail("'chips' is missing: the list of chips on it");
  return {
    kind: "simulated",
    smbusOnly: smbusOnly?.boolean() ?? false,
    chips: list.map((chip) => readChip(chip, taken, owner)),
  };
}
