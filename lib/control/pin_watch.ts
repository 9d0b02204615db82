/**
 * Watches the pins by which parts call for attention: what guests and clients do to them, and time.
 *
 * @module
 */

import { monotonicTime } from "../../ffi/clock.ts";
import { EPOLLIN } from "../../ffi/epoll.ts";
import { clearEventfd, createEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { PropertyError } from "../simulation/check_value.ts";
import type { Thing } from "../simulation/thing.ts";
import type { PartPins, PinState } from "../simulation/pins.ts";
import type { ObserverLoop } from "./observer.ts";

/** When to look again at a part whose bus a guest has, in milliseconds. */
const BUSY = 10;

/** A part with pins, and what they do. */
export interface WatchedPart {
  readonly thing: Thing;
  readonly pins: PartPins;
  /** As they were taken last. */
  states: readonly PinState[];
}

interface Watched extends WatchedPart {
  due: number;
}

/** Watches all pins of a daemon. */
export class PinWatch {
  readonly #loop: ObserverLoop;
  readonly #parts: readonly Watched[];
  readonly #wake = createEventfd();
  readonly #onChange: () => void;
  /** When the timer that is set is up. */
  #timer = Infinity;
  #isOpen = true;

  /** @param onChange is called after pins may have changed */
  constructor(loop: ObserverLoop, things: readonly Thing[], onChange: () => void) {
    this.#loop = loop;
    this.#onChange = onChange;
    this.#parts = things.flatMap((thing) =>
      thing.pins === undefined ? [] : [{ thing, pins: thing.pins, states: [], due: 0 }]
    );
    loop.watch(this.#wake, EPOLLIN, { onEvents: () => this.#awake() });
    for (const { pins } of this.#parts) pins.wakeAt(this.#wake);
    this.#look(Infinity);
    this.#take();
  }

  get parts(): readonly WatchedPart[] {
    return this.#parts;
  }

  close(): void {
    this.#isOpen = false;
    for (const { pins } of this.#parts) pins.wakeAt(-1);
    this.#loop.unwatch(this.#wake);
    close(this.#wake);
  }

  #awake(): void {
    clearEventfd(this.#wake);
    // What is due may have come nearer.
    this.#look(Infinity);
    this.#take();
    this.#onChange();
  }

  #take(): void {
    for (const part of this.#parts) part.states = part.pins.take();
  }

  /** Looks at the parts that are due by then, and sets the timer for the next one. */
  #look(until: number): void {
    for (const part of this.#parts) {
      if (part.due > until) continue;
      try {
        part.due = part.pins.look();
      } catch (error) {
        if (!(error instanceof PropertyError)) throw error;
        part.due = monotonicTime() + BUSY;
      }
    }
    const next = Math.min(...this.#parts.map(({ due }) => due));
    if (next >= this.#timer) return;
    this.#timer = next;
    this.#loop.after(Math.max(0, next - monotonicTime()), () => this.#timeIsUp());
  }

  #timeIsUp(): void {
    this.#timer = Infinity;
    // What changes wakes this thread.
    if (this.#isOpen) this.#look(monotonicTime());
  }
}
