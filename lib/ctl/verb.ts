/**
 * What a command of `vhost-device-ctl` is.
 *
 * @module
 */

import type { OptionValues } from "../input/options.ts";
import type { Daemons } from "./daemons.ts";

/** What a command was told. */
export interface Invocation {
  readonly operands: readonly string[];
  readonly options: OptionValues;
  /** True if machines read what comes out. */
  readonly json: boolean;
}

/** A command. */
export interface Verb {
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
  /**
   * Checks what it was told, before anybody is connected to.
   *
   * @returns what is to be done then, and its exit code if that is not 0
   * @throws {UsageError} for what makes no sense
   */
  prepare(invocation: Invocation): (daemons: Daemons) => number | void;
}
