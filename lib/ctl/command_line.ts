/**
 * What the command line asks for.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { readCommandLine } from "../input/arguments.ts";
import { closest } from "../text/words.ts";
import { PROGRAM } from "./about.ts";
import { optionsOf, verbSyntax } from "./help.ts";
import { allOptions, controlOption } from "./options.ts";
import { type Invocation, isAlone, type Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** What is to be done. */
export type Asked =
  | { readonly kind: "help"; readonly verb: Verb | undefined }
  | { readonly kind: "version" }
  | {
    readonly kind: "run";
    readonly verb: Verb;
    readonly invocation: Invocation;
  };

function findVerb(word: string): Verb {
  const verb = verbs.find(({ name }) => name === word);
  if (verb !== undefined) return verb;
  const names = verbs.map(({ name }) => name);
  const guess = closest(word, names);
  const hint = guess === undefined ? `there are ${names.join(", ")}` : `did you mean '${guess}'?`;
  throw new UsageError(`there is no command '${word}'; ${hint}`);
}

/**
 * Reads arguments.
 *
 * @throws {UsageError} for what makes no sense
 */
export function readAsked(args: readonly string[]): Asked {
  const { values: options, lists, operands: [word, ...operands] } = readCommandLine(
    args,
    allOptions,
  );
  if (options.version) return { kind: "version" };
  if (options.help) {
    return { kind: "help", verb: word === undefined ? undefined : findVerb(word) };
  }
  if (word === undefined) {
    const names = verbs.map(({ name }) => name).join(", ");
    throw new UsageError(`no command is given; say one of ${names}, or --help`);
  }
  const verb = findVerb(word);
  for (const { name } of lists.keys()) {
    if (optionsOf(verb).some((option) => option.name === name)) continue;
    throw new UsageError(`option '--${name}' is not for '${verb.name}'; see ${help(verb)}`);
  }
  if (operands.length < verb.least) {
    throw new UsageError(`'${verb.name}' lacks an operand; write ${verbSyntax(verb)}`);
  }
  if (operands.length > verb.most) {
    throw new UsageError(
      `'${verb.name}' does not take '${operands[verb.most]}'; write ${verbSyntax(verb)}`,
    );
  }
  const sockets = lists.get(controlOption) ?? [];
  if (sockets.length === 0 && !isAlone(verb)) {
    throw new UsageError(
      "no daemon is named; add -c and the path that is given to the daemon's --control",
    );
  }
  const again = sockets.find((path, index) => sockets.indexOf(path) !== index);
  if (again !== undefined) {
    throw new UsageError(`option '-c' names socket '${again}' twice; name it once`);
  }
  const invocation = { operands, options, sockets, json: options.json === true };
  return { kind: "run", verb, invocation };
}

function help(verb: Verb): string {
  return `${PROGRAM} ${verb.name} --help`;
}
