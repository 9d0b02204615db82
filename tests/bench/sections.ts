/**
 * What `make bench` measures, in this order.
 *
 * @module
 */

import { control } from "./control.ts";
import { costs } from "./costs.ts";
import { curves } from "./curves.ts";
import { guests } from "./guests.ts";
import { isolation } from "./isolation.ts";
import { linux } from "./linux.ts";
import { memoryTables } from "./memory_table.ts";
import { nodes } from "./nodes.ts";
import { roundTrips } from "./round_trips.ts";
import { start } from "./start.ts";
import { traces } from "./traces.ts";

/** A part of the bench. */
export interface Section {
  readonly name: string;
  readonly title: string;
  /** Measures, prints, and returns what is to be recorded. */
  readonly run: () => Promise<unknown>;
}

export const SECTIONS: readonly Section[] = [
  { name: "round-trips", title: "Round trips, throughput and processor time", run: roundTrips },
  { name: "costs", title: "What requests cost the daemon", run: costs },
  { name: "memory-tables", title: "Changes of the guest's memory", run: memoryTables },
  { name: "guests", title: "Start and memory, by the number of guests", run: guests },
  { name: "start", title: "The start of compiled programs, beside an empty one", run: start },
  { name: "curves", title: "Round trips, by the size of things", run: curves },
  { name: "isolation", title: "A quiet guest beside a busy or a hostile one", run: isolation },
  { name: "traces", title: "With and without a trace", run: traces },
  { name: "control", title: "A client that sets lines", run: control },
  { name: "nodes", title: "On real I2C and SPI nodes, in User-Mode Linux", run: nodes },
  { name: "linux", title: "Through Linux's own drivers", run: linux },
];
