/**
 * Pins by which parts call for attention, as others see them.
 *
 * @module
 */

/** What a pin does. */
export interface PinState {
  /** The property that it is. */
  readonly name: string;
  readonly calls: boolean;
  /** Its level: 1 is high. */
  readonly level: 0 | 1;
  /** True if it has changed since somebody last asked, be it back to what it was. */
  readonly changed: boolean;
}

/** A pin that is wired. */
export interface Wire {
  /** The property that the pin is. */
  readonly pin: string;
  /** The names of the lines, as the control socket of the GPIO daemon knows them. */
  readonly lines: readonly string[];
}

/** The pins of one part, for the one thread that passes them on. */
export interface PartPins {
  /** Those that lead somewhere. */
  readonly wires: readonly Wire[];
  /** Of all its pins. */
  take(): PinState[];
  /** Signals this eventfd from now on when there is something to take or to look at. */
  wakeAt(eventfd: number): void;
  /**
   * Looks at the pins, for time has gone by.
   *
   * @returns when to do so again, on the clock of `monotonicTime()`
   * @throws {PropertyError} if a guest has its bus for so long
   */
  look(): number;
}
