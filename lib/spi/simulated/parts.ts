/**
 * All parts that a simulated SPI bus can have.
 *
 * @module
 */

import { PartList } from "../../simulation/part_list.ts";
import type { SpiPartModel } from "./part.ts";
import { flash } from "./parts/flash.ts";
import { loopback } from "./parts/loopback.ts";
import { registers } from "./parts/registers.ts";

export const spiParts: PartList<SpiPartModel> = new PartList<SpiPartModel>([
  loopback,
  flash,
  registers,
]);
