/**
 * All parts that a simulated I2C bus can have.
 *
 * @module
 */

import { PartList } from "../../simulation/part_list.ts";
import type { I2cPartModel } from "./part.ts";
import { converters } from "./parts/ads1015.ts";
import { ds1307 } from "./parts/ds1307.ts";
import { eeproms } from "./parts/eeprom.ts";
import { powerMonitors } from "./parts/ina2xx.ts";
import { nak } from "./parts/nak.ts";
import { portExpanders } from "./parts/pca9535.ts";
import { pcf8563 } from "./parts/pcf8563.ts";
import { pcf8574 } from "./parts/pcf8574.ts";
import { pmbus } from "./parts/pmbus.ts";
import { registers } from "./parts/registers.ts";
import { remote } from "./parts/remote.ts";
import { sht3x } from "./parts/sht3x.ts";
import { displays } from "./parts/ssd1306.ts";
import { stretch } from "./parts/stretch.ts";
import { tca9548 } from "./parts/tca9548.ts";
import { temperatureSensors } from "./parts/temperature.ts";
import { tmp102 } from "./parts/tmp102.ts";

export const i2cParts: PartList<I2cPartModel> = new PartList<I2cPartModel>([
  ...eeproms,
  ...temperatureSensors,
  tmp102,
  sht3x,
  ...powerMonitors,
  ...converters,
  pcf8574,
  ...portExpanders,
  ds1307,
  pcf8563,
  pmbus,
  ...displays,
  tca9548,
  registers,
  nak,
  stretch,
  remote,
]);
