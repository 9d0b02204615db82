/**
 * The texts of `--help`.
 *
 * @module
 */

import { type OptionSpec, optionSyntax } from "../input/options.ts";
import { examples, PROGRAM, SUMMARY } from "./about.ts";
import { allOptions, controlOption, generalOptions, verbOptions } from "./options.ts";
import { alignedLines } from "./table.ts";
import { isAlone, type Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

const STATUS = "Exit status: 0, 1 for a failure, 2 for wrong usage, 124 where the time is up.";

function optionLines(options: readonly OptionSpec[]): string[] {
  return alignedLines(options.map((option) => [optionSyntax(option), option.help]), "  ");
}

/** Words in lines of a decent length. */
function wrapped(text: string, width = 100): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A command with its operands. */
export function verbSyntax({ name, operands }: Verb): string {
  return `${name} ${operands}`.trimEnd();
}

/** The options of a command, those of all commands included. */
export function optionsOf(verb: Verb): readonly OptionSpec[] {
  const own = verbOptions.filter(({ name }) => verb.options.includes(name));
  return [controlOption, ...own, ...generalOptions];
}

/** The help of the whole program. */
export function helpText(): string {
  return [
    `${PROGRAM}: ${SUMMARY}`,
    "",
    `Usage: ${PROGRAM} --control PATH COMMAND [OPERAND]... [OPTION]...`,
    "",
    "Commands:",
    ...alignedLines(verbs.map((verb) => [verbSyntax(verb), verb.help]), "  "),
    "",
    "Options:",
    ...optionLines(allOptions),
    "",
    "Names are those that 'info' lists: a THING, or one of its properties, as in",
    "sensor.temperature; gpio:lid is the lid of the daemon for GPIO, 1/lid that of guest 1.",
    "",
    "Examples:",
    ...examples.map(({ args, remark }) => `  ${PROGRAM} ${args}\n      ${remark}`),
    "",
    STATUS,
  ].join("\n");
}

/** The help of a command. */
export function verbHelpText(verb: Verb): string {
  return [
    `${PROGRAM} ${verb.name}: ${verb.help}`,
    "",
    `Usage: ${PROGRAM}${isAlone(verb) ? "" : " --control PATH"} ${verbSyntax(verb)} [OPTION]...`,
    "",
    ...wrapped(verb.details),
    "",
    "Options:",
    ...optionLines(optionsOf(verb)),
  ].join("\n");
}
