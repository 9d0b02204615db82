/**
 * All chip models.
 *
 * @module
 */

import type { ChipModel } from "./part.ts";
import { eeprom } from "./parts/eeprom.ts";
import { nak } from "./parts/nak.ts";
import { registers } from "./parts/registers.ts";
import { stretch } from "./parts/stretch.ts";
import { temperature } from "./parts/temperature.ts";

const models: readonly ChipModel[] = [eeprom, temperature, registers, nak, stretch];

const byName = new Map(models.flatMap((model) => model.names.map((name) => [name, model])));

/** The names of all chips, as the configuration file takes them. */
export const chipNames: readonly string[] = [...byName.keys()];

/** The model of a chip. */
export function chipModel(name: string): ChipModel {
  const model = byName.get(name);
  if (model === undefined) throw new TypeError(`no chip is called '${name}'`);
  return model;
}
