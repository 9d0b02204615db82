/**
 * Cases that run inside a guest, one after the other, and are tests outside of it.
 *
 * @module
 */

import { assert, fail } from "@std/assert";
import { type GuestBoot, guestOutput } from "../../support/uml.ts";

/** One behaviour, named by a sentence. */
export interface Case {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}

interface Result {
  readonly name: string;
  readonly error?: string;
}

/** Runs the cases and prints what became of each: a line of JSON. For the inside. */
export async function runCases(cases: readonly Case[]): Promise<void> {
  for (const { name, run } of cases) {
    let result: Result = { name };
    try {
      await run();
    } catch (error) {
      result = { name, error: (error as Error).stack ?? String(error) };
    }
    console.log(JSON.stringify(result));
  }
}

const project = new URL("../../../", import.meta.url).pathname.replace(/\/$/, "");
const cache = Deno.env.get("DENO_DIR") ??
  `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;

/** Runs one of the project's modules inside a guest and returns what it prints. */
export async function runModule(
  module: URL,
  boot: GuestBoot = {},
  args: readonly string[] = [],
): Promise<string> {
  const deno = Deno.execPath();
  const folder = deno.slice(0, deno.lastIndexOf("/"));
  const program = `/opt/deno/${deno.slice(folder.length + 1)}`;
  return await guestOutput(
    `${program} run --quiet --allow-all ${module.pathname} ${args.join(" ")}`,
    {
      ...boot,
      options: [
        ...["-m", "1G", "-M", `${folder}:/opt/deno`, "-M", project, "-M", `${cache}:/deno:cow`],
        ...["-e", "DENO_DIR=/deno", "-e", "DENO_NO_UPDATE_CHECK=1"],
        ...(boot.options ?? []),
      ],
    },
  );
}

/**
 * Makes a test of each case. The first to run has all of them run in a guest.
 *
 * @param boot runs the cases' module in a guest and returns what it printed
 * @returns has the cases run, unless they have
 */
export function testCases(
  cases: readonly Case[],
  boot: () => Promise<string>,
): () => Promise<unknown> {
  let results: Promise<Map<string, Result>> | undefined;
  const run = () => results ??= parse();
  const parse = async () => {
    const output = await boot();
    const lines = output.split("\n").filter((line) => line.startsWith("{"));
    return new Map(lines.map((line) => JSON.parse(line) as Result).map((it) => [it.name, it]));
  };
  for (const { name } of cases) {
    Deno.test(name, async () => {
      const result = (await run()).get(name);
      assert(result !== undefined, "the guest did not come to this case");
      if (result.error !== undefined) fail(result.error);
    });
  }
  return run;
}
