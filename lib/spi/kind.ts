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
import { SpiEvents } from "./events.ts";
import {
  HostController,
  type HostMemory,
  type HostSettings,
  makeHostMemory,
} from "./host/host_controller.ts";
import {
  bufferSize,
  findNodes,
  openNode,
  openShared,
  parseNodePath,
  pieceSize,
} from "./host/find_nodes.ts";
import { readGuests, readTimes, TIME_KEYS } from "./config.ts";
import { readDevice, readMessages, spiOptions, withMessages } from "./options.ts";
import type { ControllerSettings, SpiTimes } from "./settings.ts";
import { describeUsers, nodeUsers } from "./host/node_users.ts";
import { combine, limitsOf, probe, readSettings } from "./host/probe.ts";
import type { Limits } from "./protocol.ts";
import { Simulation } from "../simulation/simulation.ts";
import { GPIO_CONTROL, gpioControlOf } from "../simulation/wires.ts";
import {
  powerUp,
  SimulatedController,
  type SimulatedMemory,
  type SimulatedSettings,
  spiThings,
} from "./simulated/simulated_controller.ts";
import { spiParts } from "./simulated/parts.ts";
import { describeNodes, describeParts, describeSettings } from "./describe.ts";

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
  readonly times: SpiTimes;
};

/** What a node can do: found out by trying where nobody else has it open. */
function probeNode(path: string, log: Logger): Limits {
  const fd = openNode(path);
  try {
    const users = nodeUsers(path);
    if (users.length === 0) return probe(fd);
    log.warn(
      `SPI device '${path}' is open in ${
        describeUsers(users)
      }, too: guests get no other mode and ` +
        "word size than it has now; stop the other program for more",
    );
    return limitsOf(readSettings(fd));
  } finally {
    close(fd);
  }
}

/** A node as `--list` shows it: as it is, for nothing is to change. */
function listNode(path: string): string {
  const fd = openShared(path);
  try {
    const users = nodeUsers(path);
    const use = users.length === 0 ? "" : `, in use by ${describeUsers(users)}`;
    return `${path}: ${
      describeSettings(limitsOf(readSettings(fd)))
    }, ${bufferSize()} bytes at a time${use}`;
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
  guests: number,
  log: Logger,
): Controller {
  if (settings.kind === "simulated") {
    return { kind: "simulated", settings, memory: powerUp(simulation, settings, guests) };
  }
  const { paths, messages } = settings;
  const limits = combine(paths.map((path) => probeNode(path, log)));
  const size = pieceSize(bufferSize());
  const number = parseNodePath(paths[0])?.bus;
  const known = number === undefined ? undefined : buses.get(number);
  const memory = makeHostMemory(paths.length, guests, known);
  if (number !== undefined) buses.set(number, memory.bus);
  return { kind: "host", settings: { paths, limits, messages, pieceSize: size }, memory };
}

function title({ kind, settings }: Controller): string {
  return kind === "host" ? describeNodes(settings.paths, settings.limits) : describeParts(settings);
}

function makeBackend(
  { kind, settings, memory, guest, times }: SpiSettings,
  log: Logger,
): SpiBackend {
  if (kind === "simulated") {
    return new SimulatedController(settings, memory, guest, INCOMPLETE_WAIT, log);
  }
  const waits = { unsure: times.messageTimeout, incomplete: INCOMPLETE_WAIT };
  return new HostController(settings, memory, guest, waits, log);
}

/** How long a chip waits for the rest of what is known to be incomplete, in milliseconds. */
const INCOMPLETE_WAIT = 1000;

const KEYS = ["guests", GPIO_CONTROL, ...TIME_KEYS] as const;
type Key = (typeof KEYS)[number];

/** `vhost-device-spi` */
export const spi: DeviceKind<SpiSettings, Key> = {
  program: "vhost-device-spi",
  type: "spi",
  summary: "gives virtual machines an SPI bus of this host, or a simulated one",
  options: spiOptions,
  configKeys: KEYS,
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

  plan({ options, config, guestCount }, log): GuestPlan<SpiSettings>[] {
    const times = readTimes(config);
    const { device, messages } = options;
    let controllers: ControllerSettings[];
    if (typeof device === "string") {
      const settings = readDevice(device);
      const given = typeof messages === "string";
      controllers = [given ? withMessages(settings, readMessages(messages)) : settings];
    } else if (typeof messages === "string") {
      throw new UsageError(
        "'--messages' goes with '--device'; in the configuration file, 'messages' goes with 'device'",
      );
    } else if (config.guests !== undefined) controllers = readGuests(config.guests);
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
      if (prepared.has(settings)) continue;
      prepared.set(settings, prepare(settings, buses, simulation, controllers.length, log));
    }
    const parts = controllers.flatMap((one) => one.kind === "simulated" ? one.parts : []);
    const gpioControl = gpioControlOf(options[GPIO_CONTROL], config[GPIO_CONTROL], parts);
    return controllers.map((settings, guest) => {
      const controller = prepared.get(settings)!;
      return {
        settings: { ...controller, guest, times },
        title: title(controller),
        hostDevices: controller.kind === "host",
        gpioControl,
        remoteParts: parts.some(({ part }) => spiParts.get(part).isRemote === true),
      };
    });
  },

  create(settings, log, events) {
    const backend = makeBackend(settings, log);
    return new SpiDevice(backend, settings.times.maxTransfer, log, events && new SpiEvents(events));
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

  async tracks(settings) {
    const { SpiTrack } = await import("./track.ts");
    return settings.map(({ settings: { limits } }) => new SpiTrack(limits));
  },

  list() {
    const lines = findNodes().map((path) => {
      try {
        return listNode(path);
      } catch (error) {
        return `${path}: ${(error as Error).message}`;
      }
    });
    return lines.length > 0
      ? lines
      : ["This host has no spidev nodes. sN stands for N simulated loopbacks."];
  },
};
