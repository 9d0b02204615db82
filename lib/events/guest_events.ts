/**
 * The events of all guests in the order of their times, for all who observe them.
 *
 * @module
 */

import { clearEventfd } from "../../ffi/eventfd.ts";
import { EventReader, type EventRingMemory, type RingEvent } from "./event_ring.ts";

/** How long events are read before other descriptors get their turn, in milliseconds. */
const TURN_LIMIT = 10;

/** Is told of events. */
export interface EventObserver {
  /** Which kinds it wants, as a mask of `1 << kind`. */
  readonly kinds: number;
  /** How many bytes of an event's data it wants. */
  readonly dataLimit: number;
  /** @param event is another one after the call */
  onEvent(guest: number, event: RingEvent): void;
  /** Events of a guest were left out; those that can be placed are in {@linkcode RingEvent.skipped}, too. */
  onLeftOut(guest: number, count: number): void;
  /** What has happened so far will be told, unless there is no time. */
  onDrain?(): void;
  /** @param isAll false if there was no time for everything that was there at {@linkcode onDrain} */
  onDrained?(isAll: boolean): void;
}

/** What the thread offers to those who come back later. */
export interface Later {
  after(milliseconds: number, action: () => void): void;
}

/** Reads the rings of all guests. */
export class GuestEvents {
  /** The eventfd(2) that wakes the reader: {@linkcode onWake} is to be called then. */
  readonly wake: number;
  /** What has to be added to the times of events for milliseconds since 1970. */
  readonly timeOrigin: number;

  readonly #rings: readonly EventReader[];
  /** By guest, whether its ring's event has not been told yet. */
  readonly #found: boolean[];
  readonly #later: Later;
  readonly #delay: number;
  readonly #observers: EventObserver[] = [];
  #scheduled = false;

  /**
   * @param rings by guest; all have the same eventfd(2) to wake their reader
   * @param delay how long events are gathered before they are read, in milliseconds: less often
   * awake, the reader costs guests less
   */
  constructor(rings: readonly EventRingMemory[], later: Later, delay: number) {
    this.wake = rings[0].wake;
    this.timeOrigin = rings[0].timeOrigin;
    this.#rings = rings.map((ring) => new EventReader(ring));
    this.#found = rings.map(() => false);
    this.#later = later;
    this.#delay = delay;
  }

  /** Tells that observer, too, of everything from now on. */
  add(observer: EventObserver): void {
    this.#observers.push(observer);
    this.want();
  }

  /** An observer wants something else than before. */
  want(): void {
    let kinds = 0;
    let dataLimit = 0;
    for (const observer of this.#observers) {
      kinds |= observer.kinds;
      dataLimit = Math.max(dataLimit, observer.dataLimit);
    }
    for (const ring of this.#rings) ring.want(kinds, dataLimit);
  }

  /** There are events. */
  onWake(): void {
    clearEventfd(this.wake);
    this.soon();
  }

  /** Tells of the events that there are, after they were gathered. */
  soon(): void {
    if (this.#delay > 0) this.#schedule(this.#delay);
    else this.drain();
  }

  /**
   * Tells of the events that there are; where they come all the time, of the rest a little later.
   *
   * @param milliseconds after which it is later
   */
  drain(milliseconds = TURN_LIMIT): void {
    const limit = performance.now() + milliseconds;
    let isAll = true;
    for (const observer of this.#observers) observer.onDrain?.();
    do {
      for (let guest = this.#earliest(); guest >= 0; guest = this.#earliest()) {
        const { event } = this.#rings[guest];
        for (const observer of this.#observers) {
          if (observer.kinds & (1 << event.kind)) observer.onEvent(guest, event);
        }
        this.#found[guest] = false;
        if (performance.now() > limit) {
          this.#schedule(0);
          isAll = false;
          break;
        }
      }
      this.#tellLeftOut();
    } while (!this.#scheduled && !this.#sleep());
    for (const observer of this.#observers) observer.onDrained?.(isAll);
  }

  #schedule(milliseconds: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#later.after(milliseconds, () => {
      this.#scheduled = false;
      this.drain();
    });
  }

  /** The guest with the event that comes next, or -1. */
  #earliest(): number {
    let earliest = -1;
    for (let guest = 0; guest < this.#rings.length; guest++) {
      const ring = this.#rings[guest];
      this.#found[guest] ||= ring.next();
      if (!this.#found[guest]) continue;
      if (earliest < 0 || ring.event.time < this.#rings[earliest].event.time) earliest = guest;
    }
    return earliest;
  }

  #tellLeftOut(): void {
    this.#rings.forEach((ring, guest) => {
      const count = ring.takeLeftOut();
      if (count === 0) return;
      for (const observer of this.#observers) observer.onLeftOut(guest, count);
    });
  }

  /** @returns false if there are events already */
  #sleep(): boolean {
    return this.#rings.every((ring) => ring.sleep());
  }
}
