/**
 * What a guest gets: as its user has picked it, and once it is known what is meant.
 *
 * @module
 */

import type { WatchedChip } from "./host/line_state.ts";
import type { ChipChoice, HostSettings } from "./host/settings.ts";
import type { SimulatedSettings } from "./simulated/line.ts";
import type { PoweredChip } from "./simulated/lines.ts";

/** One guest's chip. */
export type GpioSettings = PoweredChip | WatchedChip;

/** The same before it has what its threads share. */
export type ResolvedChip = SimulatedSettings | HostSettings;

/** One guest's chip as its user has picked it. */
export type GpioChoice = SimulatedSettings | ChipChoice;
