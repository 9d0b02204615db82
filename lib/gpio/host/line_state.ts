/**
 * What is known of a real chip's lines, as the guest's thread tells those who watch.
 *
 * @module
 */

import { Changes } from "../../simulation/changes.ts";
import type { Properties } from "../../simulation/property.ts";
import type { Simulation, ThingSettings } from "../../simulation/simulation.ts";
import { directionName } from "../protocol.ts";
import type { HostSettings } from "./settings.ts";

// Behind a lock, which is there for readers alone, u8 each by line: the direction, the level plus
// one or 0 where it is not known, and the edges.
const HEADER = 4;
const ARRAYS = 3;

const DIRECTIONS = ["none", "input", "output"];
const EDGES = ["none", "rising", "falling", "both"];

/** The properties of a real line. */
export const hostLineProperties = {
  direction: {
    type: "choice",
    set: "never",
    choices: DIRECTIONS,
    help: "what the guest has made of it",
  },
  value: {
    type: "integer",
    set: "never",
    from: 0,
    to: 1,
    help: "its level, as it was last driven, read or told by an edge; absent where it is not known",
  },
  interrupt: {
    type: "choice",
    set: "never",
    choices: EDGES,
    help: "the edges that the guest waits for",
  },
} as const satisfies Properties;

const places = Object.keys(hostLineProperties);
const DIRECTION_PLACE = places.indexOf("direction");
const VALUE_PLACE = places.indexOf("value");
const INTERRUPT_PLACE = places.indexOf("interrupt");

/** A chip whose lines can be watched; the first has the number `thing`. */
export interface WatchedChip extends HostSettings, ThingSettings {
  readonly memory: SharedArrayBuffer;
}

/** Makes a chip's lines things that can be watched; for the main thread. */
export function watchLines(simulation: Simulation, settings: HostSettings): WatchedChip {
  const count = settings.lines.length;
  const memory = new SharedArrayBuffer(HEADER + ARRAYS * count);
  return { ...settings, memory, ...simulation.things(count) };
}

/** What is known of the lines, as one thread has it. Only the guest's thread changes it. */
export class LineStates {
  readonly #first: number;
  readonly #changes: Changes;
  readonly #directions: Uint8Array;
  readonly #levels: Uint8Array;
  readonly #edges: Uint8Array;

  constructor({ lines, memory, thing, changes }: WatchedChip) {
    const count = lines.length;
    const array = (index: number) => new Uint8Array(memory, HEADER + index * count, count);
    this.#first = thing;
    this.#changes = new Changes(changes);
    this.#directions = array(0);
    this.#levels = array(1);
    this.#edges = array(2);
  }

  /** True if anybody watches. */
  get isHeard(): boolean {
    return this.#changes.isHeard;
  }

  direction(line: number): string {
    return directionName(this.#directions[line]);
  }

  /** The level of a line; `undefined` where it is not known. */
  value(line: number): number | undefined {
    const level = this.#levels[line];
    return level === 0 ? undefined : level - 1;
  }

  interrupt(line: number): string {
    return EDGES[this.#edges[line]];
  }

  /** The guest sets a line's direction, one of the protocol's. */
  setDirection(line: number, direction: number): void {
    if (this.#directions[line] === direction) return;
    this.#directions[line] = direction;
    this.#tell(line, DIRECTION_PLACE, DIRECTIONS.indexOf(directionName(direction)));
  }

  /** A line's level was seen or set; -1 where it is not known any more. */
  setValue(line: number, value: number): void {
    if (this.#levels[line] === value + 1) return;
    this.#levels[line] = value + 1;
    this.#tell(line, VALUE_PLACE, value < 0 ? NaN : value);
  }

  /** The guest waits for these edges. */
  setEdges(line: number, edges: number): void {
    if (this.#edges[line] === edges) return;
    this.#edges[line] = edges;
    this.#tell(line, INTERRUPT_PLACE, edges);
  }

  #tell(line: number, place: number, value: number): void {
    this.#changes.tell(this.#first + line, place, value, 0, 0);
  }
}
