/**
 * Something that can be seen from outside: a text on a console, or what properties are.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import {
  type Condition,
  findCondition,
  type FoundCondition,
  readConditions,
  showCondition,
  showState,
} from "./conditions.ts";
import { type Matcher, readMatcher } from "./matcher.ts";
import { type Reading, StepFailure, type StepOptions } from "./step.ts";
import { showEnding } from "./processes.ts";
import type { Stage } from "./stage.ts";
import type { World } from "./world.ts";

/** A text that is printed. */
export interface ConsoleClaim {
  readonly kind: "console";
  readonly shown: string;
  readonly matcher: Matcher;
  /** Whose console it is. */
  readonly console: string;
}

/** What properties are, all at the same time. */
export interface PropertyClaim {
  readonly kind: "properties";
  readonly shown: string;
  readonly conditions: readonly Condition[];
}

/** Either. */
export type Claim = ConsoleClaim | PropertyClaim;

/** Reads properties. */
export function readPropertyClaim(node: ConfigNode, options: StepOptions): PropertyClaim {
  options.on?.fail("it is for texts of a console, and these are properties");
  const conditions = readConditions(node);
  return { kind: "properties", shown: conditions.map(showCondition).join(" "), conditions };
}

/** Reads a mapping as properties, and anything else as a text. */
export function readClaim(node: ConfigNode, options: StepOptions, reading: Reading): Claim {
  if (node.isMapping) return readPropertyClaim(node, options);
  const matcher = readMatcher(node);
  const console = reading.console(options.on, node);
  const where = options.on === undefined ? "" : ` from ${console}`;
  return { kind: "console", shown: `${matcher.shown}${where}`, matcher, console };
}

/**
 * Finds what it names.
 *
 * @throws {UsageError} for a name that is none
 */
export function checkClaim(world: World, claim: Claim): void {
  if (claim.kind === "properties") find(world, claim);
}

/** The properties of a claim. */
export function find(world: World, claim: PropertyClaim): readonly FoundCondition[] {
  return claim.conditions.map((condition) => findCondition(world, condition));
}

/** What of them does not hold, for people. */
export function unmet(world: World, found: readonly FoundCondition[]): string {
  return found.filter((it) => !it.holds(world.state(it.property).value))
    .map((it) => showState(it, world.state(it.property).value)).join(", ");
}

/** What properties have been while they were looked at, beside what they are. */
export class Seen {
  readonly #values = new Map<FoundCondition, unknown[]>();

  /** Looks at them once more. */
  look(world: World, found: readonly FoundCondition[]): void {
    for (const one of found) {
      const { value } = world.state(one.property);
      const values = this.#values.get(one) ?? [];
      this.#values.set(one, values);
      if (values.length === 0 || JSON.stringify(values.at(-1)) !== JSON.stringify(value)) {
        values.push(value);
      }
    }
  }

  /** For people: what those are that do not hold, and what they were. */
  show(world: World, found: readonly FoundCondition[]): string {
    return found.filter((it) => !it.holds(world.state(it.property).value)).map((it) => {
      const values = this.#values.get(it) ?? [];
      const before = values.slice(0, -1).map((value) => showState(it, value).split(" is ")[1]);
      const changes = before.length === 0
        ? ", and was all the time"
        : `, after ${before.slice(-5).join(", ")}${before.length > 5 ? " and others" : ""}`;
      return showState(it, world.state(it.property).value) + changes;
    }).join("; ");
  }
}

/**
 * Sees to it that there is still a guest that can do something, if there was one.
 *
 * @throws {StepFailure} where all have ended that were not asked to
 */
export function checkGuests(stage: Stage, expected: string): void {
  const guests = stage.scenario.starts
    .filter((start) => start.kind === "command" && start.console !== undefined)
    .map(({ name }) => stage.processes.find(name));
  const [first] = guests;
  if (first === undefined) return;
  if (guests.some((guest) => guest?.ended === undefined || guest.isDismissed)) return;
  throw new StepFailure(
    expected,
    `'${first.name}' has ended with ${showEnding(first.ended!)} without it`,
  );
}

/**
 * Sees to it that a console can still print something.
 *
 * @throws {StepFailure} where its program has ended
 */
export function checkAlive(stage: Stage, name: string, expected: string): void {
  const { ended } = stage.processes.get(name);
  if (ended === undefined) return;
  throw new StepFailure(expected, `'${name}' has ended with ${showEnding(ended)} without it`);
}
