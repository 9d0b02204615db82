/**
 * What is said of a controller, on the command line or in the configuration file.
 *
 * @module
 */

import type { SimulatedSettings } from "./simulated/simulated_controller.ts";

/** A controller of nodes of this host. */
export interface NodesSettings {
  readonly kind: "nodes";
  readonly paths: readonly string[];
  /** Chip selects with a NOR flash. */
  readonly flash: readonly number[];
}

/** A controller; guests that share one refer to the same object. */
export type ControllerSettings = NodesSettings | SimulatedSettings;
