/**
 * What is said of a real chip and its lines: by the user, and once it is known what is meant.
 *
 * @module
 */

import type { LineBias, LineDrive } from "../../../ffi/libgpiod.ts";
import type { Access } from "./access.ts";

/** What can be chosen for a line's resistors and drivers. */
export const BIASES = ["disabled", "pull-up", "pull-down"] as const;
export const DRIVES = ["push-pull", "open-drain", "open-source"] as const;

/** What an output does once the guest has let go of it: drives this, or goes on as it is. */
export type SafeState = 0 | 1 | "keep";

/** What is fixed for a line, whoever has it. */
export interface LineRules {
  readonly access: Access;
  /** As the host has it where not given. */
  readonly bias?: LineBias | undefined;
  readonly drive?: LineDrive | undefined;
  readonly activeLow?: boolean | undefined;
  /** The line is given back to the host where not given. */
  readonly safe?: SafeState | undefined;
}

/** A line as its user has picked it. */
export interface LineChoice extends LineRules {
  /** Its number on the chip, or the host's name for it. */
  readonly line: number | string;
  /** What the guest is told instead of the host's name. */
  readonly name?: string | undefined;
}

/** A chip by its number, or by the path, name or label that this text is. */
export type ChipReference = number | string;

/** A chip as its user has picked it. */
export interface ChipChoice {
  readonly kind: "host";
  readonly chip: ChipReference;
  /** All lines where not given. */
  readonly lines?: readonly LineChoice[] | undefined;
}

/** A line of a guest's chip. */
export interface HostLineSettings extends LineRules {
  /** The line's number on the host's chip. */
  readonly offset: number;
  /** Empty for none. */
  readonly name: string;
}

/** A guest's chip, made of lines of one chip of the host. */
export interface HostSettings {
  readonly kind: "host";
  /** Of the character device. */
  readonly path: string;
  /** The kernel's name of the chip, and its driver's. */
  readonly chip: string;
  readonly label: string;
  readonly lines: readonly HostLineSettings[];
}

/** The safe states that are to be driven when the daemon ends, for people; `undefined` for none. */
export function dutyAtEnd(lines: readonly HostLineSettings[]): string | undefined {
  const states = lines.flatMap(({ safe }, line) =>
    safe === undefined || safe === "keep" ? [] : [`${line} (${safe})`]
  );
  if (states.length === 0) return undefined;
  return `driving the safe ${states.length === 1 ? "state of line" : "states of lines"} ` +
    states.join(", ");
}
