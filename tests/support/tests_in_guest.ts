/**
 * Tests that run inside a guest, User-Mode Linux by default: for what needs a kernel of its own.
 *
 * A file of them is a module of `Deno.test` like any other, but not named `…_test.ts`; a test
 * outside boots a guest for it and has a step for each test inside.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type GuestBoot, type GuestOutcome, runInGuest } from "./uml.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What became of one test inside. */
interface Result {
  readonly name: string;
  readonly passed: boolean;
  readonly skipped: boolean;
  /** What it had to say about it. */
  readonly details: string[];
}

/** Reads the output of deno's TAP reporter. */
function readTap(output: string): Result[] {
  const results: Result[] = [];
  for (const line of output.split("\n")) {
    const match = /^(not )?ok \d+ - (.*?)( # SKIP)?$/.exec(line);
    if (match === null) {
      // What a test has to say comes after its result.
      results.at(-1)?.details.push(line);
      continue;
    }
    const [, not, name, skip] = match;
    results.push({ name, passed: not === undefined, skipped: skip !== undefined, details: [] });
  }
  return results;
}

/** How the guest is booted, and what the tests inside have as `Deno.args`. */
export interface InsideOptions extends GuestBoot {
  readonly args?: readonly string[];
  /** Boots another guest. */
  readonly run?: (script: string, boot: GuestBoot) => Promise<GuestOutcome>;
}

/** The program that runs our sources inside a guest, and the options of run.sh that it needs. */
export function denoInGuest(): { readonly deno: string; readonly options: readonly string[] } {
  const deno = Deno.realPathSync(Deno.execPath());
  const caches = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const cache = Deno.env.get("DENO_DIR") ?? `${caches}/deno`;
  return {
    deno,
    options: [
      ...["-m", "1G", "-M", ROOT, "-M", dirname(deno), "-M", `${cache}:cow`],
      ...["-e", `DENO_DIR=${cache}`, "-e", "DENO_NO_UPDATE_CHECK=1"],
    ],
  };
}

/**
 * Runs a file of tests inside a guest.
 *
 * @param file whose path is relative to the project
 * @throws {Error} if no test ran, or the guest did not get to the end
 */
export async function testsInGuest(
  context: Deno.TestContext,
  file: string,
  { args = [], options = [], run = runInGuest, ...boot }: InsideOptions = {},
): Promise<void> {
  const { deno, options: needed } = denoInGuest();
  const script =
    `exec ${deno} test -A --no-check --quiet --no-lock --reporter=tap ${ROOT}${file} -- ` +
    `${args.join(" ")} 2>&1`;
  const { status, output, errors } = await run(script, {
    limit: 180,
    ...boot,
    options: [...needed, ...options],
  });
  const results = readTap(output);
  for (const { name, passed, skipped, details } of results) {
    await context.step({
      name,
      ignore: skipped,
      fn: () => {
        if (!passed) throw new Error(`inside the guest:\n${details.join("\n")}`);
      },
    });
  }
  const failed = results.some(({ passed }) => !passed);
  if (results.length === 0 || (status !== 0 && !failed)) {
    throw new Error(`the tests in the guest ended with ${status}:\n${output}\n${errors}`);
  }
}
