/**
 * The GPIO daemon: what makes it one.
 *
 * @module
 */

import type { DeviceKind } from "../daemon/device_kind.ts";
import { UsageError } from "../errors.ts";
import { readGuests } from "./config.ts";
import { chipTitle, listChips } from "./host/find_chips.ts";
import { GpioDevice } from "./device.ts";
import { GpioEvents } from "./events.ts";
import { HostChip } from "./host/host_chip.ts";
import { gpioOptions, readDeviceList } from "./options.ts";
import type { GpioSettings, ResolvedChip } from "./settings.ts";
import { resolveGuests } from "./host/resolve.ts";
import { Simulation } from "../simulation/simulation.ts";
import { lineDeclaration } from "./simulated/line.ts";
import { lineThings } from "./simulated/line_thing.ts";
import { powerUp } from "./simulated/lines.ts";
import { SimulatedChip } from "./simulated/simulated_chip.ts";
import { watchLines } from "./host/line_state.ts";
import { hostLineThings } from "./host/line_thing.ts";

function title(settings: ResolvedChip): string {
  const { length } = settings.lines;
  const lines = length === 1 ? "line" : "lines";
  return settings.kind === "host"
    ? `${length} ${lines} of ${chipTitle(settings)}`
    : `${length} simulated ${lines}`;
}

/** `vhost-device-gpio` */
export const gpio: DeviceKind<GpioSettings, "guests"> = {
  program: "vhost-device-gpio",
  type: "gpio",
  summary: "gives virtual machines the GPIO lines of this host, or simulated ones",
  options: gpioOptions,
  configKeys: ["guests"],
  examples: [
    {
      args: "-s /run/gpio.sock -l '0[4,17]'",
      remark: "one guest with two lines of /dev/gpiochip0",
    },
    { args: "-s /run/gpio.sock -c 2 -l 0:3", remark: "two guests with a whole chip each" },
    { args: "-s /run/gpio.sock -l s8", remark: "one guest with 8 simulated lines" },
    { args: "-s /run/gpio.sock -c 2 -l s8:s4", remark: "two guests with simulated lines" },
  ],
  parts: [lineDeclaration],

  plan({ options, config }, log) {
    const list = options["device-list"];
    const choices = typeof list === "string"
      ? readDeviceList(list)
      : config.guests === undefined
      ? undefined
      : readGuests(config.guests);
    if (choices === undefined) {
      throw new UsageError(
        "no device is named; say what each guest gets with --device-list, for example -l s8",
      );
    }
    const simulation = new Simulation();
    return resolveGuests(choices, log).map((chip) => ({
      settings: chip.kind === "host" ? watchLines(simulation, chip) : powerUp(simulation, chip),
      title: title(chip),
      hostDevices: chip.kind === "host",
      // A line of the host has one of its own while it is in use; a simulated chip one that wakes it.
      descriptors: chip.kind === "host" ? chip.lines.length : 1,
    }));
  },

  create(settings, log, events) {
    return new GpioDevice(
      settings.kind === "host" ? new HostChip(settings, log) : new SimulatedChip(settings, log),
      events && new GpioEvents(events),
    );
  },

  things(settings) {
    return settings.flatMap((chip, guest) =>
      chip.kind === "host" ? hostLineThings(chip, guest) : lineThings(chip, guest)
    );
  },

  async tracks(settings, things) {
    const { LinesTrack } = await import("./track.ts");
    return settings.map((_, guest) =>
      new LinesTrack(things.filter(({ guests }) => guests.includes(guest)))
    );
  },

  list: listChips,
};
