/**
 * The lines of one guest: levels, directions and interrupts.
 *
 * @module
 */

import type { RingEvent } from "../events/event_ring.ts";
import { GPIO_INTERRUPT } from "../events/kinds.ts";
import { PropertyError } from "../simulation/check_value.ts";
import type { Thing } from "../simulation/thing.ts";
import type { Track } from "../trace/track.ts";
import type { Level, VcdWriter, Wire } from "../trace/vcd.ts";
import { IRQ_EDGE_FALLING, IRQ_EDGE_RISING } from "./protocol.ts";

/** A wire that never has two levels at one time: readers would take the last for both. */
class Trace {
  readonly #vcd: VcdWriter;
  readonly #wire: Wire;
  #level: Level;
  #time = 0;

  constructor(vcd: VcdWriter, name: string, level: Level) {
    this.#vcd = vcd;
    this.#wire = vcd.wire(name, level);
    this.#level = level;
  }

  set(time: number, level: Level): void {
    if (level === this.#level) return;
    this.#level = level;
    this.#time = Math.max(Math.floor(time), this.#vcd.time, this.#time + 1);
    this.#vcd.change(this.#time, this.#wire, level);
  }
}

/** The wires of one line. */
interface LineTraces {
  readonly value: Trace;
  /** 1 for an output. */
  readonly output: Trace;
  /** Which edges the guest waits for. */
  readonly rising: Trace;
  readonly falling: Trace;
  /** 1 from an interrupt until the guest is ready for the next. */
  readonly interrupt: Trace;
}

function level(value: unknown): Level {
  return value === 0 || value === 1 ? value : "x";
}

/** A property as it is now; `undefined` where it cannot be told. */
function now(thing: Thing, property: string): unknown {
  try {
    return thing.get(property);
  } catch (error) {
    if (error instanceof PropertyError) return undefined;
    throw error;
  }
}

/** Draws the lines of one guest. */
export class LinesTrack implements Track {
  readonly kinds = 1 << GPIO_INTERRUPT;
  readonly #traces = new Map<Thing, LineTraces>();

  /** @param things the lines, in order */
  constructor(readonly things: readonly Thing[]) {}

  declare(vcd: VcdWriter, name: (wire: string) => string): void {
    this.things.forEach((thing, number) => {
      const title = thing.name === `${number}` ? `line${number}` : thing.name;
      this.#traces.set(thing, {
        value: new Trace(vcd, name(title), level(now(thing, "value"))),
        output: new Trace(vcd, name(`${title}_output`), 0),
        rising: new Trace(vcd, name(`${title}_rising`), 0),
        falling: new Trace(vcd, name(`${title}_falling`), 0),
        interrupt: new Trace(vcd, name(`${title}_interrupt`), 0),
      });
    });
    this.gap(0);
  }

  event(time: number, { first: line, second: given }: RingEvent): boolean {
    this.#traces.get(this.things[line])!.interrupt.set(time, given === 1 ? 1 : 0);
    return true;
  }

  changed(time: number, thing: Thing, property: string, value: number): void {
    this.#set(time, thing, property, thing.changedTo(property, value));
  }

  gap(time: number): void {
    for (const thing of this.things) {
      for (const property of ["value", "direction", "interrupt"]) {
        this.#set(time, thing, property, now(thing, property));
      }
    }
  }

  #set(time: number, thing: Thing, property: string, value: unknown): void {
    const { value: trace, output, rising, falling, interrupt } = this.#traces.get(thing)!;
    switch (property) {
      case "value":
        return trace.set(time, level(value));
      case "direction":
        return output.set(time, value === "output" ? 1 : 0);
      case "interrupt": {
        const edges = ["none", "rising", "falling", "both"].indexOf(String(value));
        rising.set(time, edges & IRQ_EDGE_RISING ? 1 : 0);
        falling.set(time, edges & IRQ_EDGE_FALLING ? 1 : 0);
        if (edges <= 0) interrupt.set(time, 0);
      }
    }
  }
}
