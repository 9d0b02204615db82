/**
 * One executable for all programs: which of them it is follows from the name by which it was
 * called, or else from its first argument.
 *
 * @module
 */

import metadata from "../deno.json" with { type: "json" };
import { readBeginning } from "../ffi/file.ts";
import type { Permissions } from "./permissions.ts";
import { chooseElsewhere, type Program, start } from "./program.ts";

/** The name of the executable itself, with which the names of all programs begin. */
const NAME = "vhost-device";
/** The longest path: PATH_MAX. */
const LONGEST_PATH = 4096;

/** Loads a program's module. */
export type Load = () => Promise<{ readonly program: Program }>;

/** A program, and what is left for it. */
export interface Choice {
  readonly name: string;
  readonly args: readonly string[];
}

/**
 * Decides what is to run.
 *
 * @param names of the programs
 * @param calledAs the first word of the command line, for example a path of a link
 * @param args the other words
 */
export function choose(
  names: readonly string[],
  calledAs: string,
  args: readonly string[],
): Choice | undefined {
  const link = calledAs.slice(calledAs.lastIndexOf("/") + 1);
  if (names.includes(link)) return { name: link, args };
  const [first, ...rest] = args;
  const name = [first, `${NAME}-${first}`].find((name) => names.includes(name));
  return name === undefined ? undefined : { name, args: rest };
}

/** The name by which this process was called: Deno itself knows only where links lead to. */
function calledAs(): string {
  const line = readBeginning("/proc/self/cmdline", LONGEST_PATH);
  const end = line.indexOf(0);
  return new TextDecoder().decode(end < 0 ? line : line.subarray(0, end));
}

function helpText(names: readonly string[]): string {
  return [
    `${NAME}: virtual devices for virtual machines, all programs in one`,
    "",
    `Usage: ${NAME} PROGRAM [OPTION]...`,
    "       PROGRAM [OPTION]...    by a link of that name",
    "",
    "Programs:",
    ...names.map((name) => `  ${name.replace(`${NAME}-`, "").padEnd(8)}${name}`),
    "",
    `What a program does is told by its own help, for example ${NAME} ${
      names[0].replace(`${NAME}-`, "")
    } --help.`,
  ].join("\n");
}

/** Where no program was named. */
function explain(names: readonly string[], args: readonly string[]): never {
  if (["-h", "--help"].includes(args[0])) {
    console.log(helpText(names));
    Deno.exit(0);
  }
  if (["-V", "--version"].includes(args[0])) {
    console.log(`${NAME} ${metadata.version}`);
    Deno.exit(0);
  }
  const what = args.length === 0 ? "no program is named" : `there is no program '${args[0]}'`;
  const short = names.map((name) => name.replace(`${NAME}-`, ""));
  console.error(`${NAME}: ${what}; say ${NAME} and one of ${short.join(", ")}`);
  Deno.exit(2);
}

/**
 * Runs the program that is meant.
 *
 * @param programs by name
 * @param granted what this executable may do
 * @param entry the `import.meta.url` of the module that calls this
 */
export async function runOneOf(
  programs: Readonly<Record<string, Load>>,
  granted: Permissions,
  entry: string,
): Promise<void> {
  const names = Object.keys(programs);
  const choice = choose(names, calledAs(), Deno.args);
  if (choice === undefined) explain(names, Deno.args);
  chooseElsewhere();
  const { program } = await programs[choice.name]();
  await start(program, entry, choice.args, granted);
}
