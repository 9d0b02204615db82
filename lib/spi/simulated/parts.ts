/**
 * All parts that a simulated SPI bus can have.
 *
 * @module
 */

import { PartList } from "../../simulation/part_list.ts";
import type { SpiPartModel } from "./part.ts";
import { accelerometer } from "./parts/accelerometer.ts";
import { converters } from "./parts/adc.ts";
import { at25, fram } from "./parts/eeprom.ts";
import { flash } from "./parts/flash.ts";
import { loopback } from "./parts/loopback.ts";
import { remote } from "./parts/remote.ts";
import { registers } from "./parts/registers.ts";
import { max31855 } from "./parts/thermocouple.ts";

export const spiParts: PartList<SpiPartModel> = new PartList<SpiPartModel>([
  loopback,
  flash,
  registers,
  at25,
  fram,
  ...converters,
  max31855,
  accelerometer,
  remote,
]);
