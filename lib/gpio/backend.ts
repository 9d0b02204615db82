/**
 * The host's side of a GPIO chip, as the device sees it.
 *
 * @module
 */

import type { Poller } from "../virtio/device.ts";

/** Is told of edges on lines for which it asked. */
export interface EdgeListener {
  /** The level of `line` has changed; `rising` says which way. */
  onEdge(line: number, rising: boolean): void;
  /**
   * There was a time in which edges of `line` were not seen. From now on they are again, or, if not
   * `watched`, nobody asks for them any more.
   */
  onInterruption(line: number, watched: boolean): void;
}

/**
 * The lines of a chip, numbered from 0. Directions, and edges as a mask of rising (1) and falling
 * (2), are those of the protocol. No method throws for what a guest asks: failures are results.
 */
export interface GpioBackend {
  readonly lineCount: number;
  /** The lines' names, in order; empty where a line has none. */
  readonly names: readonly string[];
  /** What {@linkcode release} does that must not be left out at the end: see the device's. */
  readonly duty?: string | undefined;

  /** Called once, before anything else. */
  attach(poller: Poller, listener: EdgeListener): void;
  /** The direction of a line, or -1 if the host does not tell. */
  direction(line: number): number;
  /**
   * Takes a line with this direction, or gives it back with `DIRECTION_NONE`.
   *
   * @param value which an output drives from the first moment on
   * @returns false if the host does not allow it
   */
  setDirection(line: number, direction: number, value: number): boolean;
  /** The level of a line: 0 or 1, or -1 if it cannot be read. */
  value(line: number): number;
  /**
   * Sets the level that an output drives.
   *
   * @returns false if the host does not allow it
   */
  setValue(line: number, value: number): boolean;
  /**
   * Asks to be told of these edges of a line that is an input, or of none.
   *
   * @returns false if the host does not allow it
   */
  setEdges(line: number, edges: number): boolean;
  /** The guest has gone or starts anew: gives all lines back. */
  release(): void;
  /** Releases everything held of the host. */
  close(): void;
}
