/**
 * What a device brings along to become a daemon: one value of this type per program.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { EventWriter } from "../events/event_ring.ts";
import type { VirtioDevice } from "../virtio/device.ts";
import type { ConfigNode } from "../input/config_node.ts";
import type { OptionSpec, OptionValues } from "../input/options.ts";
import type { Declaration } from "../simulation/property.ts";
import type { Thing } from "../simulation/thing.ts";
import type { Track } from "../trace/track.ts";

/** What the command line and the configuration file say about the device. */
export interface DeviceInput<Key extends string> {
  /** Values of the device's options. */
  readonly options: OptionValues;
  /** Values of the device's keys of the configuration file. */
  readonly config: Partial<Record<Key, ConfigNode>>;
  /** The number of guests, where it was said. */
  readonly guestCount: number | undefined;
}

/** What one guest gets. */
export interface GuestPlan<Settings> {
  /** Handed to the guest's thread: anything that `postMessage` can copy or share. */
  readonly settings: Settings;
  /** What is served, for people, for example `8 simulated lines`. */
  readonly title: string;
  /** True if it gets devices of this host, whose nodes are opened anew when they come back. */
  readonly hostDevices?: boolean;
  /** Paths of files that its device opens while it serves, beside those it opens as it is made. */
  readonly files?: readonly string[];
  /** The control socket of the GPIO daemon that interrupts of its parts are wired to. */
  readonly gpioControl?: string | undefined;
  /** True if programs serve parts of it, over the control socket. */
  readonly remoteParts?: boolean;
  /** How many file descriptors the device may come to have, where those are more than a few. */
  readonly descriptors?: number;
}

/**
 * A kind of device.
 *
 * @template Settings of one guest's device
 * @template Key of the device's part of the configuration file
 */
export interface DeviceKind<Settings, Key extends string = string> {
  /** The program's name. */
  readonly program: string;
  /** The back-end type of `--print-capabilities`, for example `gpio`. */
  readonly type: string;
  /** One line that says what the program does, without a full stop. */
  readonly summary: string;
  /** The device's own options. */
  readonly options: readonly OptionSpec[];
  /** Top-level keys of the configuration file that are the device's. */
  readonly configKeys: readonly Key[];
  /** Keys that there were, each with what to write now. */
  readonly formerKeys?: Readonly<Record<string, string>>;
  /** Command lines for `--help`, each with a remark. */
  readonly examples: readonly { readonly args: string; readonly remark: string }[];
  /** The kinds of things that it can simulate. */
  readonly parts?: readonly Declaration[];

  /**
   * Decides, on the main thread, what each guest gets. Looks at the host where that makes for
   * better messages, but opens nothing that has to last, except files of what is simulated.
   *
   * @throws {UsageError} if the input makes no sense
   * @throws {RuntimeError} if the host does not have what is asked for
   */
  plan(input: DeviceInput<Key>, log: Logger): readonly GuestPlan<Settings>[];

  /**
   * Makes the device of one guest, on its thread.
   *
   * @param events where it tells what the guest does, if that is observed
   * @throws {RuntimeError} if the host does not have what it needs
   */
  create(settings: Settings, log: Logger, events?: EventWriter): VirtioDevice;

  /**
   * What there is for the guests that whoever controls the daemon can watch, and set where it is
   * simulated; on any thread. A device that has nothing of this kind does without.
   *
   * @param settings of all guests
   */
  things?(settings: readonly Settings[], log: Logger): readonly Thing[];

  /**
   * What a trace shows of each guest. A device that has no wires does without.
   *
   * @param settings of all guests
   * @param things of {@linkcode things}
   */
  tracks?(settings: readonly Settings[], things: readonly Thing[]): Promise<readonly Track[]>;

  /** What this host has to offer: the lines that `--list` prints. */
  list(): readonly string[];
}

/** Nodes of this host, as far as permissions to use them go. */
export interface HostNodes {
  /** The subsystem and the names of the nodes, for udev(7), for example `gpio` and `gpiochip*`. */
  readonly subsystem: string;
  readonly names: string;
  /** Their name in `/proc/devices`, for `DeviceAllow=` of systemd.resource-control(5). */
  readonly deviceClass: string;
  /** The group that owns them. */
  readonly group: string;
}

/**
 * What packages and the manual say about a device: the export `about` of the file `about.ts` beside
 * `kind.ts`. No program loads it.
 */
export interface DeviceAbout {
  /** The device's name in a sentence, for example `GPIO`. */
  readonly title: string;
  /** Nodes that the daemon opens, where it opens any. */
  readonly nodes?: HostNodes;
  /** Paragraphs of the manual's description, after the first that all programs share. */
  readonly description: readonly string[];
  /** Files of the host, each with what they are to the program. */
  readonly files: readonly { readonly path: string; readonly meaning: string }[];
  /** The device's name on QEMU's command line, and the oldest version that has it. */
  readonly qemu: { readonly device: string; readonly since: string };
  /** The option of the guest's kernel. */
  readonly kernelOption: string;
  /** Other manual pages. */
  readonly seeAlso: readonly string[];
}
