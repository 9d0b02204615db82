/**
 * The grammar of the command line: tables of options, and arguments read by them.
 *
 * Help text, man page, completions and README are made from the same tables.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { UsageError } from "./usage_error.ts";

/** One option. */
export interface OptionSpec {
  /** The long form, without dashes. */
  readonly name: string;
  /** The one-letter form, without dash. */
  readonly short?: string;
  /** What stands for its value in texts; absent for a switch. */
  readonly value?: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  /** True if the value is the path of an existing file. */
  readonly file?: boolean;
  /** One line for `--help`, without a full stop. */
  readonly help: string;
  /** A paragraph for the manual, where the line does not say it all. */
  readonly details?: string;
}

/** What was given: a string for an option with a value, true for a switch. */
export type OptionValues = Readonly<Record<string, string | true | undefined>>;

/** An option as people type it, for example `-s, --socket-path PATH`. */
export function optionSyntax(option: OptionSpec): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const value = option.value === undefined ? "" : ` ${option.value}`;
  return `${short}--${option.name}${value}`;
}

/** The number of edits that turn one word into the other, as far as it is below `limit`. */
function distance(from: string, to: string, limit: number): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return Math.min(row[to.length], limit);
}

/** The candidate that `word` was probably meant to be, or `undefined`. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  // A word of one letter is one edit away from everything.
  const limit = Math.min(word.length, Math.max(2, Math.floor(word.length / 3)) + 1);
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: distance(word, candidate, limit) }))
    .sort((a, b) => a.edits - b.edits);
  if (ranked.length > 0 && ranked[0].edits < limit) return ranked[0].candidate;
  return word.length < 3 ? undefined : candidates.find((candidate) => candidate.includes(word));
}

function unknownOption(raw: string, options: readonly OptionSpec[]): UsageError {
  const guess = closest(raw.replace(/^-+/, ""), options.map(({ name }) => name));
  const hint = guess === undefined ? "see --help" : `did you mean '--${guess}'?`;
  return new UsageError(`unknown option '${raw}'; ${hint}`);
}

function unexpected(argument: string, options: readonly OptionSpec[]): UsageError {
  // Documents on the web and word processors make one long dash of two short ones.
  const dash = /^[\u2010-\u2015\u2212]+(\w[\w-]*)/.exec(argument);
  if (dash !== null) {
    const name = closest(dash[1], options.map(({ name }) => name)) ?? dash[1];
    return new UsageError(
      `unexpected argument '${argument}' begins with a typographic dash; write '--${name}'`,
    );
  }
  return new UsageError(
    `unexpected argument '${argument}'; values follow their options, see --help`,
  );
}

/**
 * Reads arguments: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE` and `-n=VALUE`.
 *
 * @throws {UsageError} for an unknown, repeated or incomplete option, and for anything else
 */
export function readArguments(
  args: readonly string[],
  options: readonly OptionSpec[],
): OptionValues {
  const byName = new Map(options.map((option) => [option.name, option]));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(options.map(({ name, short, value }) => [name, {
      type: value === undefined ? "boolean" as const : "string" as const,
      ...(short === undefined ? {} : { short }),
    }])),
    strict: false,
    tokens: true,
  });
  const values: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      throw unexpected(token.value, options);
    }
    const option = byName.get(token.name);
    if (option === undefined) throw unknownOption(token.rawName, options);
    const shown = token.rawName;
    if (values[option.name] !== undefined) {
      throw new UsageError(`option '${shown}' is given twice; give it once`);
    }
    if (option.value === undefined) {
      if (token.value !== undefined) {
        throw new UsageError(
          `option '${shown}' takes no value, but '${token.value}' is given; leave that out`,
        );
      }
      values[option.name] = true;
      continue;
    }
    let value = token.value;
    if (value === undefined) {
      throw new UsageError(`option '${shown}' has no value; write ${shown} ${option.value}`);
    }
    // No option is a digit: that is a negative number, and whoever reads the value will say so.
    if (!token.inlineValue && /^-[^\d]/.test(value)) {
      throw new UsageError(
        `option '${shown}' has no value, '${value}' follows it; write ${shown} ${option.value}, ` +
          `or --${option.name}=${option.value} for a value that begins with a dash`,
      );
    }
    if (token.inlineValue && !shown.startsWith("--") && value.startsWith("=")) {
      value = value.slice(1);
    }
    if (value === "") {
      throw new UsageError(`option '${shown}' has an empty value; write ${shown} ${option.value}`);
    }
    if (option.choices !== undefined && !option.choices.includes(value)) {
      throw new UsageError(
        `option '${shown}' has the value '${value}', expected ${anyOf(option.choices)}`,
      );
    }
    values[option.name] = value;
  }
  return values;
}

/** `a, b or c` */
export function anyOf(words: readonly string[]): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`;
}

/**
 * Reads a whole number, decimal or hexadecimal with `0x`.
 *
 * @returns `undefined` for anything else, negative numbers and fractions included
 */
export function readInteger(text: string): number | undefined {
  if (!/^(\d+|0[xX][0-9a-fA-F]+)$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}
