/**
 * A program of `cmd/`, whichever it is.
 *
 * @module
 */

/** What the module of a program exports as `program`. */
export interface Program {
  /** Its name, which is that of its module, too. */
  readonly name: string;
  /**
   * Runs it to its end, and the process with it.
   *
   * @param entry the `import.meta.url` of the module that the process was started with, which
   * threads are started with as well
   */
  run(entry: string): Promise<void>;
}
