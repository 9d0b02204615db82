/**
 * The lines of a GPIO expander as properties: each is a level that somebody outside can give it
 * while the guest does not drive it.
 *
 * @module
 */

import { PropertyError } from "../../simulation/check_value.ts";
import type { LiveProperty } from "../../simulation/part.ts";
import type { NumberProperty, SetWhile } from "../../simulation/property.ts";

/** What an expander does with its lines, by the line's number; with the bus locked. */
export interface ExpanderLines {
  level(state: DataView, line: number): number;
  /** Why nobody outside can set the line as things are; `undefined` if they can. */
  refusal(state: DataView, line: number): string | undefined;
  setOutside(state: DataView, line: number, level: number): void;
}

/** A line as it is declared; 0 or 1. */
export type LineProperty = NumberProperty & {
  readonly type: "integer";
  readonly set: "both";
  readonly default: number;
};

/**
 * Lines as properties.
 *
 * @param names by line
 * @param usual the level that a line has where nothing drives it
 * @param free what a property with a bit for each line says of those that can be set
 */
export function lineProperties<Name extends string>(
  names: readonly Name[],
  usual: number,
  free: SetWhile,
): Readonly<Record<Name, LineProperty>> {
  const entries = names.map((name, line) => [name, {
    type: "integer",
    set: "both",
    what: "a level",
    from: 0,
    to: 1,
    default: usual,
    setWhile: { ...free, bit: line },
    help: `the level of ${name.toUpperCase()}, the chip's line ${line}`,
  }]);
  return Object.fromEntries(entries) as Record<Name, LineProperty>;
}

/** How those properties are read and set. */
export function liveLines(
  names: readonly string[],
  lines: ExpanderLines,
): Readonly<Record<string, LiveProperty<unknown>>> {
  return Object.fromEntries(names.map((name, line) => [name, {
    get: (state: DataView) => lines.level(state, line),
    set(state: DataView, value: number) {
      const refusal = lines.refusal(state, line);
      if (refusal !== undefined) throw new PropertyError(refusal);
      lines.setOutside(state, line, value);
    },
  }]));
}

/** Sets or clears a bit of a byte of the state. */
export function setBit(state: DataView, at: number, bit: number, value: number): void {
  const others = state.getUint8(at) & ~(1 << bit);
  state.setUint8(at, others | value << bit);
}
