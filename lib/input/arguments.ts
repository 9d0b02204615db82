/**
 * The grammar of the command line: arguments, read by a table of options.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { anyOf, closest } from "../text/words.ts";
import type { OptionSpec, OptionValues } from "./options.ts";

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
