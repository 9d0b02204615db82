/**
 * The SPI daemon: what makes it one.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { close } from "../../ffi/fd.ts";
import type { DeviceKind, GuestPlan } from "../daemon/device_kind.ts";
import { UsageError } from "../errors.ts";
import type { SpiBackend } from "./backend.ts";
import { SpiDevice } from "./device.ts";
import {
  HostController,
  type HostMemory,
  type HostSettings,
  makeHostMemory,
} from "./host/host_controller.ts";
import { bufferSize, findNodes, openNode, parseNodePath, pieceSize } from "./host/find_nodes.ts";
import { readGuests, readMessageTimeout } from "./config.ts";
import { readDevice, spiOptions } from "./options.ts";
import type { ControllerSettings } from "./settings.ts";
import { combine, probe } from "./host/probe.ts";
import type { Limits } from "./protocol.ts";
import { Simulation } from "../simulation/simulation.ts";
import {
  powerUp,
  SimulatedController,
  type SimulatedMemory,
  type SimulatedSettings,
  spiThings,
} from "./simulated/simulated_controller.ts";
import { spiParts } from "./simulated/parts.ts";
import { describeLimits, describeNodes, describeParts } from "./describe.ts";

/** A controller with what its guests share. */
type Controller =
  | {
    readonly kind: "simulated";
    readonly settings: SimulatedSettings;
    readonly memory: SimulatedMemory;
  }
  | { readonly kind: "host"; readonly settings: HostSettings; readonly memory: HostMemory };

/** What one guest gets. */
export type SpiSettings = Controller & {
  readonly guest: number;
  /** How long a chip stays selected for the rest of a message, in milliseconds. */
  readonly messageTimeout: number;
};

/** What a node can do, as it was found. */
function probeNode(path: string): Limits {
  const fd = openNode(path);
  try {
    return probe(fd);
  } finally {
    close(fd);
  }
}

/**
 * Finds out what a controller can do, and makes what its guests share.
 *
 * @param buses of the host, by number: controllers of one bus take turns, too
 */
function prepare(
  settings: ControllerSettings,
  buses: Map<number, SharedArrayBuffer>,
  simulation: Simulation,
): Controller {
  if (settings.kind === "simulated") {
    return { kind: "simulated", settings, memory: powerUp(simulation, settings) };
  }
  const { paths, flash } = settings;
  const limits = combine(paths.map(probeNode));
  const size = pieceSize(bufferSize());
  const number = parseNodePath(paths[0])?.bus;
  const known = number === undefined ? undefined : buses.get(number);
  const memory = makeHostMemory(paths.length, known);
  if (number !== undefined) buses.set(number, memory.bus);
  return { kind: "host", settings: { paths, limits, flash, pieceSize: size }, memory };
}

function title({ kind, settings }: Controller): string {
  return kind === "host" ? describeNodes(settings.paths, settings.limits) : describeParts(settings);
}

function makeBackend({ kind, settings, memory, guest }: SpiSettings, log: Logger): SpiBackend {
  return kind === "host"
    ? new HostController(settings, memory, guest, log)
    : new SimulatedController(settings, memory, guest, log);
}

/** `vhost-device-spi` */
export const spi: DeviceKind<SpiSettings, "guests" | "message-timeout-us"> = {
  program: "vhost-device-spi",
  type: "spi",
  summary: "gives virtual machines an SPI bus of this host, or a simulated one",
  options: spiOptions,
  configKeys: ["guests", "message-timeout-us"],
  formerKeys: { "chip-select-hold-us": "'message-timeout-us'" },
  examples: [
    { args: "-s /run/spi.sock -l /dev/spidev0.0", remark: "one guest with one chip of bus 0" },
    {
      args: "-s /run/spi.sock -c 2 -l /dev/spidev0.0,/dev/spidev0.1",
      remark: "two guests that share bus 0, each with both of its chips",
    },
    { args: "-s /run/spi.sock -l s2", remark: "a simulated bus with two loopbacks" },
  ],
  parts: spiParts.models,

  plan({ options, config, guestCount }): GuestPlan<SpiSettings>[] {
    const messageTimeout = readMessageTimeout(config["message-timeout-us"]);
    const { device } = options;
    let controllers: ControllerSettings[];
    if (typeof device === "string") controllers = [readDevice(device)];
    else if (config.guests !== undefined) controllers = readGuests(config.guests);
    else {
      throw new UsageError(
        "no device is named; say what guests get with --device, for example " +
          "-l /dev/spidev0.0 or -l s1",
      );
    }
    if (controllers.length === 1) {
      controllers = Array(guestCount ?? 1).fill(controllers[0]) as ControllerSettings[];
    }
    const prepared = new Map<ControllerSettings, Controller>();
    const buses = new Map<number, SharedArrayBuffer>();
    const simulation = new Simulation();
    for (const settings of controllers) {
      if (!prepared.has(settings)) prepared.set(settings, prepare(settings, buses, simulation));
    }
    return controllers.map((settings, guest) => {
      const controller = prepared.get(settings)!;
      return { settings: { ...controller, guest, messageTimeout }, title: title(controller) };
    });
  },

  create(settings, log) {
    return new SpiDevice(makeBackend(settings, log), settings.messageTimeout, log);
  },

  things(settings, log) {
    const controllers = new Map<SharedArrayBuffer, { memory: SimulatedMemory; guests: number[] }>();
    for (const [guest, { kind, memory }] of settings.entries()) {
      if (kind === "host") continue;
      const known = controllers.get(memory.lock);
      if (known === undefined) controllers.set(memory.lock, { memory, guests: [guest] });
      else known.guests.push(guest);
    }
    return [...controllers.values()].flatMap(({ memory, guests }) =>
      spiThings(memory, guests, log)
    );
  },

  list() {
    const buffer = bufferSize();
    const lines = findNodes().map((path) => {
      try {
        return `${path}: ${describeLimits(probeNode(path))}, ${buffer} bytes at a time`;
      } catch (error) {
        return `${path}: ${(error as Error).message}`;
      }
    });
    return lines.length > 0
      ? lines
      : ["This host has no spidev nodes. sN stands for N simulated loopbacks."];
  },
};
