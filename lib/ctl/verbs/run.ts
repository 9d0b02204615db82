/**
 * `run`: a scenario, a whole test from one file.
 *
 * @module
 */

import type { Verb } from "../verb.ts";

function path(value: string | true | undefined): string | undefined {
  return value === undefined ? undefined : `${value}`;
}

export const run: Verb = {
  name: "run",
  operands: "FILE",
  least: 1,
  most: 1,
  help: "run a scenario: start daemons and a guest, act, and check what comes of it",
  details: "The file says what is started and what then happens, step by step; the guide to " +
    "scenarios has all of it. Everything that is started is ended. Daemons that run already can " +
    "be named with --control.",
  options: ["junit", "keep"],
  connects: false,
  isAlone: true,
  permissions: {
    // Scenarios, logs and reports may be anywhere.
    read: true,
    write: true,
    run: true,
    // The package yaml looks for them.
    env: ["LOG_STREAM", "LOG_TOKENS"],
  },
  prepare: ({ operands: [file], options, sockets, json }) => async (entry) => {
    // The parser of scenarios is most of the program, and nobody else needs it.
    const { runScenario } = await import("../scenario/run_scenario.ts");
    const { junit, keep } = options;
    return await runScenario({ file, junit: path(junit), keep: path(keep), json, entry, sockets });
  },
};
