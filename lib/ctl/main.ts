/**
 * The program's way from its arguments to its exit code.
 *
 * @module
 */

import { RuntimeError, UsageError } from "../errors.ts";
import type { OptionSpec } from "../input/options.ts";
import { keepOnly, type Permissions, union } from "../permissions.ts";
import type { Program } from "../program.ts";
import { examples, PROGRAM, SUMMARY, VERSION } from "./about.ts";
import { readAsked } from "./command_line.ts";
import { Daemons } from "./daemons.ts";
import { ReaderGone, TimedOut } from "./endings.ts";
import { helpText, verbHelpText, verbSyntax } from "./help.ts";
import { allOptions } from "./options.ts";
import { put } from "./output.ts";
import { isAlone } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** What all commands need: sockets are reached by way of C. */
const OWN: Permissions = { ffi: true };
/** What any command needs; each gives up what it does not need itself. */
const ALL = union([OWN, ...verbs.map(({ permissions = {} }) => permissions)]);

const EXIT_TIMED_OUT = 124;

async function main(entry: string, args: readonly string[]): Promise<number> {
  const asked = readAsked(args);
  if (asked.kind === "version") put(`${PROGRAM} ${VERSION}`);
  if (asked.kind === "help") {
    put(asked.verb === undefined ? helpText() : verbHelpText(asked.verb));
  }
  if (asked.kind !== "run") return 0;
  const { verb, invocation } = asked;
  keepOnly(union([OWN, verb.permissions ?? {}]), ALL);
  if (verb.connects === false) return await verb.prepare(invocation)(entry) ?? 0;
  const run = verb.prepare(invocation);
  using daemons = new Daemons(invocation.sockets);
  return await run(daemons) ?? 0;
}

async function exitCode(entry: string, args: readonly string[]): Promise<number> {
  try {
    return await main(entry, args);
  } catch (error) {
    if (error instanceof ReaderGone) return 0;
    const { message } = error as Error;
    const expected = error instanceof UsageError || error instanceof RuntimeError ||
      error instanceof TimedOut;
    console.error(`${PROGRAM}: ${expected ? message : `internal error: ${message}`}`);
    if (error instanceof TimedOut) return EXIT_TIMED_OUT;
    return error instanceof UsageError ? 2 : 1;
  }
}

/** A command, for documentation. */
export interface DescribedCommand {
  readonly name: string;
  readonly syntax: string;
  readonly help: string;
  readonly details: string;
  /** True if it can do without daemons that run already. */
  readonly isAlone: boolean;
}

/** A program that is given commands; what its documentation is made from. */
export interface Tool extends Program {
  readonly summary: string;
  readonly commands: readonly DescribedCommand[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly { readonly args: string; readonly remark: string }[];
}

/** The program. */
export const ctl: Tool = {
  name: PROGRAM,
  permissions: ALL,
  summary: SUMMARY,
  commands: verbs.map((verb) => ({
    ...verb,
    syntax: verbSyntax(verb),
    isAlone: isAlone(verb),
  })),
  options: allOptions,
  examples,
  run: async (entry, args) => Deno.exit(await exitCode(entry, args)),
};
