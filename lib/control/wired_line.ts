/**
 * A line that pins are wired to, and what it is to be told.
 *
 * @module
 */

import type { PinState } from "../simulation/pins.ts";

/** A level. */
export type Level = 0 | 1;

/**
 * The level of a line that several pins drive: a pin that calls wins over those at rest, and one
 * that calls with a low level over one with a high one, as with open drains.
 */
function levelOf(pins: readonly Pick<PinState, "calls" | "level">[]): Level {
  const calling = pins.filter(({ calls }) => calls);
  const counted = calling.length > 0 ? calling : pins.slice(0, 1);
  return counted.some(({ level }) => level === 0) ? 0 : 1;
}

/** True if the line had another level in between, whatever it is now. */
function wasOther(pins: readonly PinState[]): boolean {
  const before = pins.map(({ calls, level, changed }) =>
    changed ? { calls: !calls, level: 1 - level as Level } : { calls, level }
  );
  return levelOf(before) !== levelOf(pins);
}

/**
 * One line. It is told one level after another, each once the one before has arrived: however fast
 * its pins are, it ends up with the right level, and has seen an edge where there were some.
 */
export class WiredLine {
  #level: Level = 0;
  #known = false;
  /** The level has been another one since it was told last. */
  #pulsed = false;
  /** What it was told last; `undefined` if that may be forgotten. */
  #told: Level | undefined;
  #isWaiting = false;

  constructor(readonly name: string) {}

  /** What its pins do now. */
  drive(pins: readonly PinState[]): void {
    const level = levelOf(pins);
    if (this.#known) {
      // It is, again, what it was told last, and has not been told what it was in between.
      const isAgain = level === this.#level ? wasOther(pins) : level === this.#told;
      if (isAgain) this.#pulsed = true;
    }
    this.#known = true;
    this.#level = level;
  }

  /** What to tell it now; `undefined` for nothing. From then on it waits for {@linkcode told}. */
  next(): Level | undefined {
    if (this.#isWaiting) return undefined;
    let level = this.#level;
    if (this.#told === level) {
      if (!this.#pulsed) return undefined;
      level = 1 - level as Level;
    }
    this.#pulsed = false;
    this.#told = level;
    this.#isWaiting = true;
    return level;
  }

  /** What it was told has arrived, or was refused. */
  told(accepted: boolean): void {
    this.#isWaiting = false;
    if (!accepted) this.#told = undefined;
  }

  /** Whoever was told has gone. */
  forget(): void {
    this.#isWaiting = false;
    this.#pulsed = false;
    this.#told = undefined;
  }
}
