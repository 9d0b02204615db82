/**
 * What is said of an adapter, on the command line or in the configuration file.
 *
 * @module
 */

import type { AdapterChoice } from "./host/find_adapters.ts";
import type { SimulatedAdapterDescription } from "./simulated/simulated_adapter.ts";

/** An adapter that the guests are to have. */
export type AdapterRequest =
  /** One of this host. */
  | {
    readonly kind: "host";
    readonly choice: AdapterChoice;
    readonly addresses: readonly number[];
  }
  /** One that is made up. */
  | (SimulatedAdapterDescription & { readonly kind: "simulated" });

/** An adapter as people speak of it. */
export function adapterText(choice: AdapterChoice): string {
  return typeof choice === "number" ? `${choice}` : `'${choice}'`;
}
