/**
 * All parts that a simulated I2C bus can have.
 *
 * @module
 */

import { PartList } from "../../simulation/part_list.ts";
import type { I2cPartModel } from "./part.ts";
import { eeproms } from "./parts/eeprom.ts";
import { nak } from "./parts/nak.ts";
import { registers } from "./parts/registers.ts";
import { stretch } from "./parts/stretch.ts";
import { temperatureSensors } from "./parts/temperature.ts";

export const i2cParts: PartList<I2cPartModel> = new PartList<I2cPartModel>([
  ...eeproms,
  ...temperatureSensors,
  registers,
  nak,
  stretch,
]);
