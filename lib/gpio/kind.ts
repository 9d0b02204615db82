/**
 * The GPIO daemon: what makes it one.
 *
 * @module
 */

import type { DeviceKind } from "../daemon/device_kind.ts";
import { UsageError } from "../daemon/usage_error.ts";
import { GpioDevice } from "./device.ts";
import { gpioOptions, type GpioSettings, readDeviceList, readGuests } from "./options.ts";
import { SimulatedChip } from "./simulated.ts";

/** `vhost-device-gpio` */
export const gpio: DeviceKind<GpioSettings, "guests"> = {
  program: "vhost-device-gpio",
  type: "gpio",
  summary: "gives virtual machines the GPIO lines of this host, or simulated ones",
  options: gpioOptions,
  configKeys: ["guests"],
  examples: [
    { args: "-s /run/gpio.sock -l s8", remark: "one guest with 8 simulated lines" },
    { args: "-s /run/gpio.sock -c 2 -l s8:s4", remark: "two guests with simulated lines" },
  ],

  plan({ options, config }) {
    const list = options["device-list"];
    const settings = typeof list === "string"
      ? readDeviceList(list)
      : config.guests === undefined
      ? undefined
      : readGuests(config.guests);
    if (settings === undefined) {
      throw new UsageError(
        "no device is named; say what each guest gets with --device-list, for example -l s8",
      );
    }
    return settings.map((guest) => {
      const { length } = guest.lines;
      return { settings: guest, title: `${length} simulated ${length === 1 ? "line" : "lines"}` };
    });
  },

  create(settings, log) {
    return new GpioDevice(new SimulatedChip(settings.lines, settings.wires, log));
  },

  list() {
    return [];
  },
};
