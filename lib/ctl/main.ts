/**
 * The program's way from its arguments to its exit code.
 *
 * @module
 */

import { RuntimeError, UsageError } from "../errors.ts";
import type { OptionSpec } from "../input/options.ts";
import type { Permissions } from "../permissions.ts";
import type { Program } from "../program.ts";
import { examples, PROGRAM, SUMMARY, VERSION } from "./about.ts";
import { readAsked } from "./command_line.ts";
import { Daemons } from "./daemons.ts";
import { ReaderGone, TimedOut } from "./endings.ts";
import { helpText, verbHelpText, verbSyntax } from "./help.ts";
import { allOptions } from "./options.ts";
import { put } from "./output.ts";
import { verbs } from "./verbs.ts";

/** Sockets are reached by way of C: files and the network are not for Deno to touch. */
const PERMISSIONS: Permissions = { ffi: true };

const EXIT_TIMED_OUT = 124;

function main(args: readonly string[]): number {
  const asked = readAsked(args);
  if (asked.kind === "version") put(`${PROGRAM} ${VERSION}`);
  if (asked.kind === "help") {
    put(asked.verb === undefined ? helpText() : verbHelpText(asked.verb));
  }
  if (asked.kind !== "run") return 0;
  const run = asked.verb.prepare(asked.invocation);
  using daemons = new Daemons(asked.sockets);
  return run(daemons) ?? 0;
}

function exitCode(args: readonly string[]): number {
  try {
    return main(args);
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
  permissions: PERMISSIONS,
  summary: SUMMARY,
  commands: verbs.map((verb) => ({ ...verb, syntax: verbSyntax(verb) })),
  options: allOptions,
  examples,
  run: (_entry, args) => Deno.exit(exitCode(args)),
};
