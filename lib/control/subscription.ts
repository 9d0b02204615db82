/**
 * What one client wants to be told, and how far it has come.
 *
 * @module
 */

import type { Thing } from "../simulation/thing.ts";
import type { ControlConnection } from "./connection.ts";
import { type ControlEvent, eventLine } from "./protocol.ts";

/** An event but for its sequence number. */
export type BareEvent = ControlEvent extends infer Event
  ? Event extends ControlEvent ? Omit<Event, "sequence"> : never
  : never;

/** A subscription. */
export class Subscription {
  #sequence = 0;
  #missed = 0;

  /**
   * @param things `undefined` for all
   * @param transactions true for what goes over buses, too
   */
  constructor(
    readonly connection: ControlConnection,
    readonly things: ReadonlySet<Thing> | undefined,
    readonly transactions: boolean,
  ) {}

  /** True if changes of that thing are wanted. */
  wants(thing: Thing): boolean {
    return this.things === undefined || this.things.has(thing);
  }

  /** Sends an event, or counts it where the client does not keep up. */
  tell(event: BareEvent): void {
    if (!this.connection.hasRoom) {
      this.miss(1);
      return;
    }
    if (this.#missed > 0) {
      const { time } = event;
      // The numbers of those that were missed are its number and those after it.
      const count = this.#missed;
      const sequence = this.#sequence - count;
      this.#missed = 0;
      this.connection.send(eventLine({ sequence, time, kind: "missed", count }));
    }
    this.connection.send(eventLine({ sequence: this.#sequence++, ...event } as ControlEvent));
  }

  /** Some events cannot be told. */
  miss(count: number): void {
    this.#missed += count;
    this.#sequence += count;
  }
}
