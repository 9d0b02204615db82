/**
 * The tables in the guide to each program, `docs/TYPE.md`, between marks: those of its options
 * between `<!-- options -->` and `<!-- /options -->`, those of what it simulates between
 * `<!-- parts -->` and `<!-- /parts -->`.
 *
 * @module
 */

import type { OptionSpec } from "../../lib/input/options.ts";
import { ROOT } from "../programs.ts";
import { partsTables } from "./parts.ts";
import { allOptions, type Program } from "./programs.ts";
import { table } from "./table.ts";

function row(option: OptionSpec): [string, string] {
  const value = option.value === undefined ? "" : ` ${option.value}`;
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return [`\`${short}--${option.name}${value}\``, option.help];
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

function withBlock(guide: string, name: string, lines: readonly string[], what: string): string {
  const [first, last] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const begin = guide.indexOf(first);
  const end = guide.indexOf(last);
  if (begin < 0 || end < begin) throw new Error(`${what} has no ${first} … ${last}`);
  return guide.slice(0, begin) + [first, "", ...lines, ""].join("\n") + "\n" + guide.slice(end);
}

/**
 * The guide to a program with the tables as they have to be.
 *
 * @throws {Error} if it has no marks
 */
export function withTables(guide: string, program: Program): string {
  const what = `docs/${program.type}.md`;
  const options = table(["option", "meaning"], allOptions(program).map(row));
  const text = withBlock(guide, "options", options, what);
  if (program.parts.length === 0) return text;
  return withBlock(text, "parts", partsTables(program.parts), what);
}
