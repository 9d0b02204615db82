/**
 * What a trace shows of one guest.
 *
 * @module
 */

import type { RingEvent } from "../events/event_ring.ts";
import type { Thing } from "../simulation/thing.ts";
import type { VcdWriter } from "./vcd.ts";

/** The wires of one guest, and what they do as it works. Times are nanoseconds since the start. */
export interface Track {
  /** The kinds of events that it draws, as a mask of `1 << kind`. */
  readonly kinds: number;
  /** The things whose properties it draws. */
  readonly things?: readonly Thing[];

  /**
   * Declares its wires; called once, before all else.
   *
   * @param name makes the guest's name of a wire
   */
  declare(vcd: VcdWriter, name: (wire: string) => string): void;
  /** Draws an event. @returns false if nothing can be made of it */
  event(time: number, event: RingEvent): boolean;
  /** A property of one of its things has changed. */
  changed?(time: number, thing: Thing, property: string, value: number): void;
  /** Events were left out: what comes next may have nothing to do with what was before. */
  gap(time: number): void;
}
