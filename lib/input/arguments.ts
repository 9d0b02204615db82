/**
 * The grammar of the command line: arguments, read by a table of options.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
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

/** The arguments in the form that leaves nothing to guess. */
interface Plain {
  /** `--name=VALUE` for each known option, whatever its form was; the others as they were. */
  readonly args: string[];
  /** How each option was written, each time that it was: `--name` or `-n`. */
  readonly written: Map<OptionSpec, string[]>;
}

/** The value of an option that is an argument of its own. */
function separateValue(option: OptionSpec, shown: string, next: string | undefined): string {
  if (next === undefined) {
    throw new UsageError(`option '${shown}' has no value; write ${shown} ${option.value}`);
  }
  // No option is a digit: that is a negative number, and whoever reads the value will say so.
  if (/^-[^\d]/.test(next)) {
    throw new UsageError(
      `option '${shown}' has no value, '${next}' follows it; write ${shown} ${option.value}, ` +
        `or --${option.name}=${option.value} for a value that begins with a dash`,
    );
  }
  return next;
}

/**
 * Brings the forms that options have into one.
 *
 * parseArgs by itself takes `-sPATH` for five switches, the word after a switch for its value if
 * that is `true`, and a value that is empty or begins with a dash for none.
 */
function plainly(args: readonly string[], options: readonly OptionSpec[]): Plain {
  const plain: Plain = { args: [], written: new Map() };
  const rest = [...args];
  const add = (option: OptionSpec, shown: string, attached: string | undefined) => {
    plain.written.set(option, [...plain.written.get(option) ?? [], shown]);
    if (option.value !== undefined) {
      const value = attached ?? separateValue(option, shown, rest.shift());
      plain.args.push(`--${option.name}=${value}`);
    } else if (attached === undefined) {
      plain.args.push(`--${option.name}=true`);
    } else {
      throw new UsageError(
        `option '${shown}' takes no value, but '${attached}' is given; leave that out`,
      );
    }
  };
  while (rest.length > 0 && rest[0] !== "--") {
    const argument = rest.shift()!;
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    const long = options.find((option) => option.name === name);
    if (long !== undefined) {
      add(long, `--${name}`, value);
    } else if (/^-[^-]/.test(argument)) {
      let letters = argument.slice(1);
      while (letters !== "") {
        const [letter] = letters;
        letters = letters.slice(letter.length);
        const option = options.find(({ short }) => short === letter);
        if (option === undefined) throw unknownOption(`-${letter}`, options);
        const isLast = option.value === undefined ? !letters.startsWith("=") : letters === "";
        add(option, `-${letter}`, isLast ? undefined : letters.replace(/^=/, ""));
        if (option.value !== undefined) letters = "";
      }
    } else {
      plain.args.push(argument);
    }
  }
  plain.args.push(...rest);
  return plain;
}

/** What a command line says. */
export interface CommandLine {
  /** Of an option that can be given several times, the last value. */
  readonly values: OptionValues;
  /** All values by option, in their order. */
  readonly lists: ReadonlyMap<OptionSpec, readonly string[]>;
  /** What is no option and no value of one, and everything after `--`. */
  readonly operands: readonly string[];
}

function read(
  args: readonly string[],
  options: readonly OptionSpec[],
  takesOperands: boolean,
): CommandLine {
  const plain = plainly(args, options);
  const names = (isSwitch: boolean) =>
    options.filter(({ value }) => (value === undefined) === isSwitch).map(({ name }) => name);
  const parsed = parseArgs(plain.args, {
    boolean: names(true),
    string: [...names(false), "_"],
    collect: options.map(({ name }) => name),
    unknown: (argument, name) => {
      if (name !== undefined) throw unknownOption(argument.replace(/(?<=\w)=.*/s, ""), options);
      if (!takesOperands || /^[\u2010-\u2015\u2212]/.test(argument)) {
        throw unexpected(argument, options);
      }
    },
  });
  const operands = parsed._.map(String);
  if (!takesOperands) {
    for (const argument of operands) throw unexpected(argument, options);
  }
  const values: Record<string, string | true> = {};
  const lists = new Map<OptionSpec, readonly string[]>();
  for (const [option, [shown, again]] of plain.written) {
    if (again !== undefined && !option.several) {
      throw new UsageError(`option '${again}' is given twice; give it once`);
    }
    const given: (string | true)[] = parsed[option.name];
    for (const value of given) {
      if (value === "") {
        throw new UsageError(
          `option '${shown}' has an empty value; write ${shown} ${option.value}`,
        );
      }
      if (option.choices !== undefined && !option.choices.includes(`${value}`)) {
        throw new UsageError(
          `option '${shown}' has the value '${value}', expected ${anyOf(option.choices)}`,
        );
      }
      values[option.name] = value;
    }
    lists.set(option, given.map(String));
  }
  return { values, lists, operands };
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
  return read(args, options, false).values;
}

/**
 * Reads the command line of a program that takes operands, before, after and between the options.
 *
 * @throws {UsageError} for an unknown, repeated or incomplete option
 */
export function readCommandLine(
  args: readonly string[],
  options: readonly OptionSpec[],
): CommandLine {
  return read(args, options, true);
}
