/**
 * From a file to a scenario.
 *
 * @module
 */

import { ConfigNode } from "../../input/config_node.ts";
import { closest } from "../../text/words.ts";
import { readMatcher } from "./matcher.ts";
import { readTimeNode } from "./read_time.ts";
import { CONSOLES, type Scenario, type Start } from "./scenario.ts";
import type { Reading, Step } from "./step.ts";
import { stepKinds } from "./steps.ts";

/** How long something is waited for where nothing else is said, in milliseconds. */
const WITHIN = 10_000;
/** How long all of it may take where nothing else is said, in milliseconds. */
const TIMEOUT = 600_000;

const KEYS = ["name", "within", "timeout", "start", "steps"] as const;
const START_KEYS = [
  "daemon",
  "config",
  "options",
  "command",
  "console",
  "ready",
  "later",
] as const;
/** Variables of commands that no program can be named after. */
const RESERVED = ["console", "folder"];
/** Keys that every step can have. */
const STEP_KEYS = ["name"];

type StartNodes = Partial<Record<(typeof START_KEYS)[number], ConfigNode>>;

function folderOf(file: string): string {
  const at = file.lastIndexOf("/");
  return at < 0 ? "." : file.slice(0, Math.max(at, 1));
}

/** A path as it is meant: from the folder on. */
export function below(folder: string, path: string): string {
  return path.startsWith("/") || folder === "." ? path : `${folder.replace(/\/$/, "")}/${path}`;
}

/**
 * Reads a file.
 *
 * @throws {UsageError} for what makes no sense
 */
export function loadScenario(file: string): Scenario {
  return readScenario(file, ConfigNode.load(file, "scenario", "'run'"));
}

/** Reads what a file has been found to say. */
export function readScenario(file: string, root: ConfigNode): Scenario {
  const { name, within, timeout, start, steps } = root.mapping(KEYS);
  const starts = (start?.entries("a mapping from names to what is started") ?? [])
    .map(({ key, value }) => readStart(key, value));
  if (steps === undefined) root.fail("the key 'steps' is missing: what is to happen");
  const reading = readingOf(
    folderOf(file),
    within === undefined ? WITHIN : readTimeNode(within),
    starts,
  );
  return {
    file,
    folder: folderOf(file),
    name: name?.string("a name") ?? file.replace(/^.*\/|\.ya?ml$/g, ""),
    within: reading.within,
    timeout: timeout === undefined ? TIMEOUT : readTimeNode(timeout),
    starts,
    steps: reading.steps(steps),
  };
}

function readStart(key: ConfigNode, value: ConfigNode): Start {
  const name = key.word("a name");
  if (!/^[a-z][a-z0-9-]*$/.test(name) || RESERVED.includes(name)) {
    key.fail(
      `'${name}' cannot be its name; take small letters, digits and dashes, and none of ` +
        RESERVED.join(", "),
    );
  }
  const nodes = value.mapping(START_KEYS);
  const head = { name, line: key.line, later: nodes.later?.boolean() ?? false };
  const { daemon, config, options, command, console, ready } = nodes;
  if (daemon !== undefined) {
    refuse(nodes, ["command", "console", "ready"], "daemon");
    if (config !== undefined && !config.isMapping) {
      config.fail(
        `expected the configuration itself, a mapping; of a file, write options: --config PATH`,
      );
    }
    return {
      ...head,
      kind: "daemon",
      program: daemon.word("gpio, i2c, spi or the path of a program"),
      config: config?.excerpt,
      options: options?.string("options as for a shell") ?? "",
    };
  }
  if (command === undefined) value.fail("expected 'daemon' or 'command': what is to run");
  refuse(nodes, ["config", "options"], "command");
  return {
    ...head,
    kind: "command",
    command: command.string("a command as for a shell"),
    console: console?.choice(CONSOLES),
    ready: ready && readMatcher(ready),
  };
}

function refuse(nodes: StartNodes, keys: readonly (keyof StartNodes)[], kind: string): void {
  for (const key of keys) nodes[key]?.fail(`it is not for what is started as '${kind}'`);
}

function readingOf(folder: string, within: number, starts: readonly Start[]): Reading {
  const names = starts.map(({ name }) => name);
  const consoles = starts.filter((it) => it.kind === "command" && it.console !== undefined);
  const started = (node: ConfigNode): string => {
    const name = node.word("the name of what is started");
    if (names.includes(name)) return name;
    const guess = closest(name, names);
    const hint = guess === undefined
      ? `there are ${names.join(", ") || "none"}`
      : `did you mean '${guess}'?`;
    return node.fail(`nothing of the name '${name}' is started; ${hint}`);
  };
  const reading: Reading = {
    within,
    started,
    console(on, node) {
      if (on !== undefined) return started(on);
      if (consoles.length === 1) return consoles[0].name;
      return node.fail(
        consoles.length === 0
          ? "there is no console; say 'console: stdio' of what is started, or 'on: NAME' here"
          : `there are several consoles; add 'on' with one of ${
            consoles.map(({ name }) => name).join(", ")
          }`,
      );
    },
    steps: (node) => node.list("steps").map((step) => readStep(step, reading)),
    path: (node) => below(folder, node.string("a path")),
  };
  return reading;
}

const KINDS = stepKinds.map(({ name }) => name);
const OPTIONS = [...new Set(stepKinds.flatMap(({ options }) => options))];

function readStep(node: ConfigNode, reading: Reading): Step {
  const nodes = node.mapping([...new Set([...KINDS, ...STEP_KEYS, ...OPTIONS])]);
  const [kind, second] = stepKinds.filter(({ name }) => nodes[name] !== undefined);
  if (kind === undefined) node.fail(`says nothing to do; add one of ${KINDS.join(", ")}`);
  if (second !== undefined) {
    nodes[second.name]!.fail(`'${kind.name}' is a step by itself; make this the next one`);
  }
  for (const [name, option] of Object.entries(nodes)) {
    if (name === kind.name || [...STEP_KEYS, ...kind.options].includes(name)) continue;
    const known = kind.options.length === 0 ? "none" : kind.options.join(", ");
    option!.fail(`it is not for '${kind.name}', which has ${known}`);
  }
  const body = kind.read(nodes[kind.name]!, nodes, reading);
  return {
    ...body,
    title: nodes.name?.string("a name") ?? body.title,
    line: node.line,
  };
}
