/**
 * The table of options in the guide to each program, `docs/TYPE.md`, between the marks
 * `<!-- options -->` and `<!-- /options -->`.
 *
 * @module
 */

import type { OptionSpec } from "../../lib/input/options.ts";
import { ROOT } from "../programs.ts";
import { allOptions, type Program } from "./programs.ts";

const BEGIN = "<!-- options -->";
const END = "<!-- /options -->";

function row(option: OptionSpec): [string, string] {
  const value = option.value === undefined ? "" : ` ${option.value}`;
  const short = option.short === undefined ? "" : `-${option.short}, `;
  const syntax = `${short}--${option.name}${value}`.replaceAll("|", "\\|");
  return [`\`${syntax}\``, option.help.replaceAll("|", "\\|")];
}

function table(rows: readonly [string, string][]): string[] {
  const all: [string, string][] = [["option", "meaning"], ...rows];
  const widths = [0, 1].map((column) => Math.max(...all.map((cells) => [...cells[column]].length)));
  const line = (cells: readonly string[], fill: string) =>
    `| ${cells.map((cell, i) => cell + fill.repeat(widths[i] - [...cell].length)).join(" | ")} |`;
  return [line(all[0], " "), line(["", ""], "-"), ...rows.map((cells) => line(cells, " "))];
}

/** The guide to a program, where there is one. */
export function guideOf({ type }: Program): URL | undefined {
  const path = new URL(`docs/${type}.md`, ROOT);
  try {
    return Deno.statSync(path).isFile ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The guide to a program with the table as it has to be.
 *
 * @throws {Error} if it has no marks
 */
export function withOptions(guide: string, program: Program): string {
  const begin = guide.indexOf(BEGIN);
  const end = guide.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`docs/${program.type}.md has no ${BEGIN} … ${END}`);
  const block = [BEGIN, "", ...table(allOptions(program).map(row)), ""].join("\n");
  return guide.slice(0, begin) + block + "\n" + guide.slice(end);
}
