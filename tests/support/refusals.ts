/**
 * Command lines that a program is to refuse, and how: in one line that says what is wrong and what
 * to do about it.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { command } from "./daemon.ts";
import { TemporaryFolder } from "./temporary_folder.ts";
import { PATIENCE } from "./wait.ts";

/** How a program ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface RunOptions {
  /** Shell commands that come first. */
  readonly prepare?: string;
  /** A command that runs the program, with its arguments. */
  readonly wrapper?: readonly string[];
  /** A program to run instead, with the same command line. */
  readonly executable?: string;
}

/** How many programs run at a time. */
const AT_A_TIME = 4;

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  { prepare = ":", wrapper = [], executable }: RunOptions = {},
): Promise<Outcome> {
  const start = executable === undefined ? command(program) : [executable];
  const child = new Deno.Command("bash", {
    args: ["-c", `${prepare}; exec "$@"`, "bash", ...wrapper, ...start, ...args],
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), 3 * PATIENCE);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(limit);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Does something for each item, a few at a time, and returns the results in order. */
export async function inBatches<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]);
    }
  }));
  return results;
}

/** A command line that is refused. */
export interface Refusal extends RunOptions {
  /** What is wrong with it. */
  readonly name: string;
  readonly program?: string;
  readonly args: readonly string[];
  /** 2, wrong usage, unless something else is said. */
  readonly code?: 1 | 2;
  /** What the line has to mention: the offending value, … */
  readonly value: string | RegExp;
  /** … and what to do. */
  readonly remedy: string | RegExp;
}

/** Checks that `outcome` is a refusal as it is to be. */
export function assertRefused(outcome: Outcome, refusal: Omit<Refusal, "args" | "name">): void {
  const { program = "vhost-device-gpio", code = 2, value, remedy } = refusal;
  const { stdout, stderr } = outcome;
  assertMatch(stderr, /^[^\n]+\n$/, `not one line on standard error: ${JSON.stringify(outcome)}`);
  assert(stderr.startsWith(`${program}: `), `the line does not name the program: ${stderr}`);
  for (const part of [value, remedy]) {
    const there = typeof part === "string" ? stderr.includes(part) : part.test(stderr);
    assert(there, `the line does not say ${part}: ${stderr}`);
  }
  assertNotMatch(stderr, /\bat (file|async|\S+ \()|internal error|undefined|NaN|os error/);
  assertStrictEquals(outcome.code, code, `exit code ${outcome.code}: ${stderr}`);
  assertEquals(stdout, "");
}

/**
 * Registers a test with a step for each refusal.
 *
 * @param refusals are made for a folder that is there during the test
 */
export function testRefusals(
  name: string,
  refusals: (folder: TemporaryFolder) => readonly Refusal[],
): void {
  Deno.test(name, async (t) => {
    using folder = new TemporaryFolder();
    const all = refusals(folder);
    const outcomes = await inBatches(
      all,
      ({ program = "vhost-device-gpio", args, ...options }) => run(program, args, options),
    );
    for (const [index, refusal] of all.entries()) {
      await t.step(refusal.name, () => assertRefused(outcomes[index], refusal));
    }
  });
}
