/**
 * What a simulated line is, and how it is described.
 *
 * @module
 */

import type { Declaration, Properties, Settings } from "../../simulation/property.ts";
import { DIRECTION_IN, DIRECTION_NONE, DIRECTION_OUT } from "../protocol.ts";

/** The properties of a line. */
export const lineProperties = {
  name: {
    type: "text",
    set: "start",
    what: "a name",
    default: "",
    help: "what the guest is told it is called: unique, in printable ASCII characters",
  },
  direction: {
    type: "choice",
    set: "start",
    choices: ["none", "input", "output"],
    default: "none",
    help: "what it is until the guest sets it",
  },
  value: {
    type: "integer",
    set: "both",
    what: "a value",
    from: 0,
    to: 1,
    default: 0,
    setWhile: { property: "driven-by", is: "outside" },
    help: "its level: what an output drives, or what is found where nothing drives it",
  },
  interrupt: {
    type: "choice",
    set: "never",
    choices: ["none", "rising", "falling", "both"],
    help: "the edges that the guest waits for",
  },
  "driven-by": {
    type: "choice",
    set: "never",
    choices: ["outside", "guest", "wire"],
    help: "what gives it its level: the guest, a wire from another line, or what it is set to",
  },
} as const satisfies Properties;

/** A line as a thing. */
export const lineDeclaration: Declaration = {
  name: "line",
  help: "a GPIO line",
  properties: lineProperties,
};

/** The direction that each of the property's choices stands for. */
export const DIRECTIONS = {
  none: DIRECTION_NONE,
  input: DIRECTION_IN,
  output: DIRECTION_OUT,
} as const;

/** A line as it is before the guest touches it. */
export interface SimulatedLine {
  /** Empty for none. */
  readonly name: string;
  /** As in the protocol. */
  readonly direction: number;
  /** What an output drives, or the level that an input has where no wire drives it. */
  readonly value: number;
}

/** A line as it is described. */
export function lineOf({ name, direction, value }: Settings<typeof lineProperties>): SimulatedLine {
  return { name, direction: DIRECTIONS[direction], value };
}

/** A wire between two lines, by number. */
export interface Wire {
  readonly from: number;
  readonly to: number;
}

/** A simulated chip for one guest. */
export interface SimulatedSettings {
  readonly kind: "simulated";
  readonly lines: readonly SimulatedLine[];
  readonly wires: readonly Wire[];
}

/** Lines as the reference simulates them: `dummy0`, `dummy1`, … */
export function plainLines(count: number): SimulatedLine[] {
  return Array.from(
    { length: count },
    (_, line) => ({ name: `dummy${line}`, direction: DIRECTION_NONE, value: 0 }),
  );
}
