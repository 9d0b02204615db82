/**
 * What is said of a controller, on the command line or in the configuration file.
 *
 * @module
 */

import type { MessageSetting } from "./host/messages/settings.ts";
import type { SimulatedSettings } from "./simulated/simulated_controller.ts";

/** A controller of nodes of this host. */
export interface NodesSettings {
  readonly kind: "nodes";
  readonly paths: readonly string[];
  /** By chip select: where messages end. */
  readonly messages: readonly MessageSetting[];
}

/** A controller; guests that share one refer to the same object. */
export type ControllerSettings = NodesSettings | SimulatedSettings;

/** Limits of time, in milliseconds. */
export interface SpiTimes {
  /** How long a chip stays selected for what may be the rest of a message. */
  readonly messageTimeout: number;
  /** A transfer that would take longer is refused. */
  readonly maxTransfer: number;
}
