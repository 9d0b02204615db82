/**
 * Ends of the program besides success and failure.
 *
 * @module
 */

/** The time was up; its message says what was seen instead. Exit code 124, as of timeout(1). */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
}

/** Whoever read standard output has gone: nothing that is still to be said is of interest. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}
