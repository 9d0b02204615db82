/**
 * Small changes of the sources that tests have to notice.
 *
 * @module
 */

/** One change. */
export interface Mutation {
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Paths of the tests that notice it, if not those of the whole file. */
  readonly tests?: readonly string[];
  /** What is in the names of those of them that do, where all would take long. */
  readonly only?: string;
  /** Why no test can notice it. */
  readonly survives?: string;
}

/** The changes of one file. */
export interface MutatedFile {
  /** From the project's folder. */
  readonly path: string;
  /** Paths of the tests that notice them, from the project's folder. */
  readonly tests: readonly string[];
  readonly mutations: readonly Mutation[];
}

/**
 * Changes a file's text.
 *
 * @returns the new text, or `undefined` where what is to be changed is not there exactly once
 */
export function mutate(text: string, { find, replace }: Mutation): string | undefined {
  const parts = text.split(find);
  return parts.length === 2 ? parts.join(replace) : undefined;
}

/** A change for people, in one line. */
export function showMutation({ find, replace }: Mutation): string {
  const line = (text: string) => text.trim().replaceAll(/\s+/g, " ");
  return replace.trim() === "" ? `without ${line(find)}` : `${line(find)} → ${line(replace)}`;
}
