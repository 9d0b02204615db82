/**
 * What a guest gets: as its user has picked it, and once it is known what is meant.
 *
 * @module
 */

import type { ChipChoice, HostSettings } from "./host/settings.ts";
import type { SimulatedSettings } from "./simulated/simulated_chip.ts";

/** One guest's chip. */
export type GpioSettings = SimulatedSettings | HostSettings;

/** One guest's chip as its user has picked it. */
export type GpioChoice = SimulatedSettings | ChipChoice;
