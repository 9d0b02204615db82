/**
 * The I2C daemon: what makes it one.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { FUNC_10BIT_ADDR } from "../../ffi/i2c_uapi.ts";
import type { DeviceKind } from "../daemon/device_kind.ts";
import type { EventWriter } from "../events/event_ring.ts";
import { RuntimeError, UsageError } from "../errors.ts";
import type { I2cAdapter } from "./backend.ts";
import { I2cDevice } from "./device.ts";
import { I2cEvents } from "./events.ts";
import { HostAdapter, type HostAdapterSettings } from "./host/host_adapter.ts";
import {
  abilitiesText,
  clockFrequency,
  devicePath,
  findAdapter,
  hostAdapters,
  probeAdapter,
} from "./host/find_adapters.ts";
import { Messages } from "./messages.ts";
import { readAdapters } from "./config.ts";
import { i2cOptions, readDeviceList } from "./options.ts";
import { type AdapterRequest, adapterText } from "./settings.ts";
import { addressText, isReserved, isTenBit, STANDARD_FREQUENCY } from "./protocol.ts";
import { Simulation, watchedFiles } from "../simulation/simulation.ts";
import { GPIO_CONTROL, gpioControlOf } from "../simulation/wires.ts";
import { i2cParts } from "./simulated/parts.ts";
import { addressCount } from "./simulated/routes.ts";
import {
  i2cThings,
  powerUp,
  SimulatedAdapter,
  type SimulatedAdapterSettings,
} from "./simulated/simulated_adapter.ts";

/** An adapter of the host, or one that is made up. */
export type AdapterSettings =
  & {
    /** Its clock in Hz. */
    readonly frequency: number;
  }
  & (
    | { readonly kind: "host"; readonly host: HostAdapterSettings }
    | { readonly kind: "simulated"; readonly simulated: SimulatedAdapterSettings }
  );

/** What a guest gets: the same adapters as every other. */
export interface I2cSettings {
  readonly guest: number;
  readonly adapters: readonly AdapterSettings[];
}

/** The addresses at which something is served. */
function addressesOf(settings: AdapterSettings): number[] {
  return settings.kind === "host"
    ? [...settings.host.addresses]
    : settings.simulated.parts.flatMap((part) =>
      Array.from({ length: addressCount(part) }, (_, offset) => part.address + offset)
    );
}

function prepare(
  request: AdapterRequest,
  simulation: Simulation,
  guests: number,
): AdapterSettings {
  if (request.kind === "simulated") {
    const simulated = powerUp(simulation, request, guests);
    return { kind: "simulated", simulated, frequency: request.frequency };
  }
  const { choice, addresses } = request;
  const number = findAdapter(choice);
  const functions = probeAdapter(number);
  const tenBit = addresses.find(isTenBit);
  if (tenBit !== undefined && !(functions & FUNC_10BIT_ADDR)) {
    throw new RuntimeError(
      `${devicePath(number)} cannot do 10-bit addresses such as ${addressText(tenBit)}; ` +
        "take them out of the configuration",
    );
  }
  return {
    kind: "host",
    host: { choice, functions, addresses },
    frequency: clockFrequency(number) ?? STANDARD_FREQUENCY,
  };
}

/** Two entries may be one adapter: by its number and by its name. */
function refuseTwice(requests: readonly AdapterRequest[]): void {
  const seen = new Map<number, string>();
  for (const request of requests) {
    if (request.kind !== "host") continue;
    const number = findAdapter(request.choice);
    const text = adapterText(request.choice);
    const other = seen.get(number);
    if (other !== undefined) {
      throw new UsageError(
        `bus ${other} and bus ${text} are the same adapter, ${devicePath(number)}; ` +
          "put all its addresses in one entry",
      );
    }
    seen.set(number, text);
  }
}

function warnOfReserved(adapters: readonly AdapterSettings[], log: Logger): void {
  // Behind multiplexers, several parts may have one address.
  const addresses = new Set(adapters.flatMap(addressesOf));
  for (const address of [...addresses].filter(isReserved)) {
    log.warn(
      `address ${addressText(address)} is reserved by the I2C specification; ` +
        "it is served, but what is there is no ordinary chip",
    );
  }
}

function watchedFilesOf(settings: AdapterSettings): string[] {
  if (settings.kind === "host") return [];
  return settings.simulated.parts.flatMap((part) => watchedFiles(i2cParts.get(part.part), part));
}

function titleOf(settings: AdapterSettings): string {
  if (settings.kind === "host") {
    const { choice, addresses } = settings.host;
    const path = devicePath(findAdapter(choice));
    const name = typeof choice === "string" ? ` "${choice}"` : "";
    return `${path}${name} with ${addresses.map(addressText).join(", ")}`;
  }
  const { parts, smbusOnly } = settings.simulated;
  const list = parts.map(({ address, part }) => `${part} at ${addressText(address)}`).join(", ");
  return `a simulated ${smbusOnly ? "SMBus" : "I2C"} adapter with ${list || "nothing on it"}`;
}

function create(
  { guest, adapters }: I2cSettings,
  log: Logger,
  events?: EventWriter,
): I2cDevice {
  const messages = new Messages();
  const open: I2cAdapter[] = [];
  try {
    const served = adapters.map((entry) => {
      const adapter = entry.kind === "host"
        ? new HostAdapter(entry.host, messages, log)
        : new SimulatedAdapter(entry.simulated, guest, log);
      open.push(adapter);
      return { adapter, addresses: addressesOf(entry) };
    });
    return new I2cDevice(served, messages, log, events && new I2cEvents(events));
  } catch (error) {
    for (const adapter of open) adapter.close();
    throw error;
  }
}

/** `vhost-device-i2c` */
export const i2c: DeviceKind<I2cSettings, "adapters" | typeof GPIO_CONTROL> = {
  program: "vhost-device-i2c",
  type: "i2c",
  summary: "gives virtual machines I2C buses of this host, or simulated ones",
  options: i2cOptions,
  configKeys: ["adapters", GPIO_CONTROL],
  examples: [
    { args: "-s /run/i2c.sock -l 1:0x20:0x48", remark: "two chips on /dev/i2c-1" },
    {
      args: '-s /run/i2c.sock -l "i915 gmbus dpd:0x50,2:104"',
      remark: "chips on two buses, one of them chosen by its name",
    },
    { args: "-s /run/i2c.sock -c 2 -l s:0x50", remark: "two guests share a simulated EEPROM" },
  ],
  parts: i2cParts.models,

  plan({ options, config, guestCount }, log) {
    const list = options["device-list"];
    const requests = typeof list === "string"
      ? readDeviceList(list)
      : config.adapters === undefined
      ? undefined
      : readAdapters(config.adapters);
    if (requests === undefined) {
      throw new UsageError(
        "no device is named; say what guests may use with --device-list BUS:ADDRESS, " +
          "for example -l 1:0x50, or -l s:0x50 for a simulated one",
      );
    }
    refuseTwice(requests);
    const simulation = new Simulation();
    const guests = guestCount ?? 1;
    const adapters = requests.map((request) => prepare(request, simulation, guests));
    warnOfReserved(adapters, log);
    const parts = requests.flatMap((one) => one.kind === "simulated" ? one.parts : []);
    const plan = {
      title: adapters.map(titleOf).join("; "),
      // An adapter's own one, and one that tells when it goes; a simulated one's timer, and one that
      // tells whose turn it is.
      descriptors: 2 * adapters.length,
      hostDevices: adapters.some(({ kind }) => kind === "host"),
      files: adapters.flatMap(watchedFilesOf),
      remoteParts: parts.some(({ part }) => i2cParts.get(part).isRemote === true),
      gpioControl: gpioControlOf(options[GPIO_CONTROL], config[GPIO_CONTROL], parts),
    };
    return Array.from(
      { length: guests },
      (_, guest) => ({ ...plan, settings: { guest, adapters } }),
    );
  },

  create,

  things(guests, log) {
    const adapters = guests[0].adapters.flatMap((entry) =>
      entry.kind === "simulated" ? [entry.simulated] : []
    );
    const all = guests.map((_, guest) => guest);
    return adapters.flatMap((adapter, index) =>
      i2cThings(adapter, adapters.length === 1 ? "bus" : `bus${index}`, all, log)
    );
  },

  async tracks(settings) {
    const { I2cTrack } = await import("./track.ts");
    const frequencies = new Map(
      settings[0].adapters.flatMap((entry) =>
        addressesOf(entry).map((address) => [address, entry.frequency] as const)
      ),
    );
    return settings.map(() =>
      new I2cTrack((address) => frequencies.get(address) ?? STANDARD_FREQUENCY)
    );
  },

  list() {
    const adapters = hostAdapters();
    if (adapters.length === 0) {
      return ["This host has no I2C adapters. Simulated ones need none: -l s:0x50"];
    }
    return adapters.map(({ number, name }) => {
      let what: string;
      try {
        what = abilitiesText(probeAdapter(number));
      } catch (error) {
        what = (error as Error).message;
      }
      return `${number} "${name}": ${what}`;
    });
  },
};
