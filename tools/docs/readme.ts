/**
 * The README's tables of options, between the marks `<!-- options -->` and `<!-- /options -->`.
 *
 * @module
 */

import { generalOptions, socketOptions } from "../../lib/daemon/common_options.ts";
import type { OptionSpec } from "../../lib/input/options.ts";
import type { Program } from "./programs.ts";

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

function block(programs: readonly Program[]): string {
  return [
    BEGIN,
    "",
    ...programs.flatMap((program) => [
      `Only \`${program.program}\`:`,
      "",
      ...table(program.options.map(row)),
      "",
    ]),
    "All three:",
    "",
    ...table([...socketOptions, ...generalOptions].map(row)),
    "",
    END,
  ].join("\n");
}

/**
 * The README with the tables as they have to be.
 *
 * @throws {Error} if it has no marks
 */
export function withOptions(readme: string, programs: readonly Program[]): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`);
  return readme.slice(0, begin) + block(programs) + readme.slice(end + END.length);
}
