/**
 * What a step of a scenario is.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import type { Stage } from "./stage.ts";
import type { World } from "./world.ts";

/** A step as it is read. */
export interface StepBody {
  /** For people, for example `expect relay=1 within 5 s`. */
  readonly title: string;
  /**
   * Finds what it names, before the first step is done.
   *
   * @throws {UsageError} for a name that is none
   */
  check?(world: World): void;
  /**
   * Does it.
   *
   * @throws {StepFailure} if what was expected does not come
   */
  run(stage: Stage): Promise<void>;
}

/** A step, and where it is in the file. */
export interface Step extends StepBody {
  readonly line: number;
}

/** What is known of the rest of the file where a step is read. */
export interface Reading {
  /** How long something is waited for, in milliseconds, where a step does not say. */
  readonly within: number;
  /**
   * What prints the console that is meant.
   *
   * @param on the option that names it, if it is given
   * @param node for messages if it is not
   */
  console(on: ConfigNode | undefined, node: ConfigNode): string;
  /** The name of something that is started. */
  started(node: ConfigNode): string;
  /** Steps within a step. */
  steps(node: ConfigNode): readonly Step[];
  /** The path of a file that is named. */
  path(node: ConfigNode): string;
}

/** What stands beside a step's own key, by its name. */
export type StepOptions = Readonly<Partial<Record<string, ConfigNode>>>;

/** A kind of steps. */
export interface StepKind {
  /** Its key. */
  readonly name: string;
  /** Further keys. */
  readonly options: readonly string[];
  /**
   * Reads one.
   *
   * @param value of its key
   * @throws {UsageError} for what makes no sense
   */
  read(value: ConfigNode, options: StepOptions, reading: Reading): StepBody;
}

/** What was expected did not come. */
export class StepFailure extends Error {
  override readonly name = "StepFailure";

  /**
   * @param expected what was
   * @param seen what came instead
   */
  constructor(readonly expected: string, readonly seen: string) {
    super(`expected ${expected}; ${seen}`);
  }
}
