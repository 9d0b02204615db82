/**
 * Interrupts, told to whoever observes the guest.
 *
 * @module
 */

import type { EventWriter } from "../events/event_ring.ts";
import { GPIO_INTERRUPT } from "../events/kinds.ts";

/** Tells of the interrupts of one guest. */
export class GpioEvents {
  readonly #writer: EventWriter;

  constructor(writer: EventWriter) {
    this.#writer = writer;
  }

  /** The guest is told of an interrupt of a line, or is ready for the next. */
  interrupt(line: number, given: boolean): void {
    if (!this.#writer.wants(GPIO_INTERRUPT)) return;
    this.#writer.write(GPIO_INTERRUPT, line, given ? 1 : 0, 0, 0);
  }
}
