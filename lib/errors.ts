/**
 * The two ways in which a daemon gives up, by who can mend it.
 *
 * @module
 */

/** Wrong usage: what was wrong with which value, and what to do about it. Exit code 2. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/** A failure at run time, explained in terms of the configuration. Exit code 1. */
export class RuntimeError extends Error {
  override readonly name: string = "RuntimeError";
}
