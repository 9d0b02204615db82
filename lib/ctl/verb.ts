/**
 * What a command of `vhost-device-ctl` is.
 *
 * @module
 */

import type { OptionValues } from "../input/options.ts";
import type { Permissions } from "../permissions.ts";
import type { Daemons } from "./daemons.ts";

/** What a command was told. */
export interface Invocation {
  readonly operands: readonly string[];
  readonly options: OptionValues;
  /** Where the daemons' control sockets are. */
  readonly sockets: readonly string[];
  /** True if machines read what comes out. */
  readonly json: boolean;
}

/** What is done in the end, and its exit code if that is not 0. */
type Ending = number | void | Promise<number | void>;

/** What all commands have. */
interface Common {
  readonly name: string;
  /** Its operands, for texts, for example `NAME=VALUE...`. */
  readonly operands: string;
  /** How many of them it takes, at least and at most. */
  readonly least: number;
  readonly most: number;
  /** One line, without a full stop. */
  readonly help: string;
  /** A paragraph for its own help and the manual. */
  readonly details: string;
  /** The options that it takes beside those of all commands, by name. */
  readonly options: readonly string[];
  /** What it needs besides what all commands need. */
  readonly permissions?: Permissions;
}

/** A command that has to do with daemons, which it is given connected. */
interface ConnectedVerb extends Common {
  readonly connects?: true;
  /**
   * Checks what it was told, before anybody is connected to.
   *
   * @returns what is to be done then
   * @throws {UsageError} for what makes no sense
   */
  prepare(invocation: Invocation): (daemons: Daemons) => Ending;
}

/** A command that connects by itself. */
interface IndependentVerb extends Common {
  readonly connects: false;
  /** True if it can do without daemons that run already. */
  readonly isAlone?: boolean;
  /**
   * The same, but nobody is connected to.
   *
   * @returns what is to be done then, given the `import.meta.url` of the module that the process was
   * started with
   */
  prepare(invocation: Invocation): (entry: string) => Ending;
}

/** A command. */
export type Verb = ConnectedVerb | IndependentVerb;

/** True if it can do without daemons that run already. */
export function isAlone(verb: Verb): boolean {
  return verb.connects === false && verb.isAlone === true;
}
