/**
 * From the lines that a user has picked to those of a chip: which ones, in which order, under which
 * names. Knows nothing of where a chip's lines come from.
 *
 * @module
 */

import { RuntimeError, UsageError } from "../../errors.ts";
import type { HostLineSettings, HostSettings, LineChoice } from "./settings.ts";
import { isLineName } from "../protocol.ts";

/** The lines of a chip of the host. */
export interface ChipLines {
  /** For messages, for example `gpiochip0 "pinctrl-bcm2711"`. */
  readonly title: string;
  /** By line number; empty where a line has none. Need not be unique. */
  readonly names: readonly string[];
}

/** `1, 2 and 3`, or `1, 2, 3 and 41 more` */
function enumerate(items: readonly (number | string)[]): string {
  const shown = items.length > 8 ? [...items.slice(0, 8), `${items.length - 8} more`] : items;
  const last = shown.at(-1);
  return shown.length < 2 ? `${last}` : `${shown.slice(0, -1).join(", ")} and ${last}`;
}

function findLine(chip: ChipLines, line: number | string): number {
  if (typeof line === "number") {
    if (line < chip.names.length) return line;
    throw new RuntimeError(
      `${chip.title} has no line ${line}; its lines are 0 to ${chip.names.length - 1}`,
    );
  }
  const offset = chip.names.indexOf(line);
  if (offset < 0) {
    throw new RuntimeError(`${chip.title} has no line named '${line}'; --list shows their names`);
  }
  const again = chip.names.indexOf(line, offset + 1);
  if (again < 0) return offset;
  throw new RuntimeError(
    `lines ${offset} and ${again} of ${chip.title} are both named '${line}'; use a number`,
  );
}

/** The names that a guest is told: those it was given, and the host's where they will do. */
function chooseNames(
  chip: ChipLines,
  choices: readonly LineChoice[],
  offsets: readonly number[],
  warn: (message: string) => void,
): string[] {
  const taken = new Set(choices.map(({ name }) => name));
  const unfit: number[] = [];
  const repeated: number[] = [];
  const names = choices.map(({ name }, index) => {
    if (name !== undefined) return name;
    const own = chip.names[offsets[index]];
    if (own === "") return "";
    if (!isLineName(own)) {
      unfit.push(offsets[index]);
      return "";
    }
    if (taken.has(own)) {
      repeated.push(offsets[index]);
      return "";
    }
    taken.add(own);
    return own;
  });
  const complain = (lines: readonly number[], why: string) => {
    if (lines.length === 0) return;
    const which = `${lines.length === 1 ? "line" : "lines"} ${enumerate(lines)} of ${chip.title}`;
    warn(`the guest is told no name for ${which}: ${why}; give one with 'name'`);
  };
  complain(unfit, "the host's is not printable ASCII");
  complain(repeated, "the host's is that of another line, too");
  return names;
}

/**
 * The lines of a guest's chip.
 *
 * @param choices all lines where undefined
 * @param warn is told what the guest will not see
 * @throws {UsageError} if a line was picked twice
 * @throws {RuntimeError} if the chip does not have a line
 */
export function chooseLines(
  chip: ChipLines,
  choices: readonly LineChoice[] | undefined,
  warn: (message: string) => void,
): HostLineSettings[] {
  const all = choices ??
    chip.names.map((_, line): LineChoice => ({ line, access: "read-write" }));
  const offsets = all.map(({ line }) => findLine(chip, line));
  offsets.forEach((offset, index) => {
    if (offsets.indexOf(offset) === index) return;
    throw new UsageError(`line ${offset} of ${chip.title} is picked twice for the same guest`);
  });
  const names = chooseNames(chip, all, offsets, warn);
  return all.map(({ line: _line, ...rules }, index) => ({
    ...rules,
    offset: offsets[index],
    name: names[index],
  }));
}

/**
 * Refuses guests that would get the same line.
 *
 * @throws {UsageError} naming the guests and the line
 */
export function refuseOverlap(
  guests: readonly { readonly guest: number; readonly settings: HostSettings }[],
): void {
  const owners = new Map<string, number>();
  for (const { guest, settings } of guests) {
    for (const { offset } of settings.lines) {
      const line = `line ${offset} of ${settings.chip}`;
      const owner = owners.get(line);
      if (owner !== undefined) {
        throw new UsageError(
          `guests ${owner} and ${guest} would both get ${line}; ` +
            "give each a chip of its own, or lines of its own as in -l '0[0-3]:0[4-7]'",
        );
      }
      owners.set(line, guest);
    }
  }
}
