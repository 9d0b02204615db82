/**
 * How a guest's device is taken down, and what is said where that does not succeed.
 *
 * @module
 */

/** How long a device has to end after a signal, in milliseconds. */
export const STOP_LIMIT = 150;
/**
 * The same where it has something to do at the end that must not be left out, and where whoever
 * takes it down is ended with it: on a slow machine that takes its time.
 */
export const LONG_STOP_LIMIT = 1000;

/**
 * Of a guest whose device has not ended in time.
 *
 * @param duty what it has to do at the end, for people; `undefined` for nothing
 * @param limit the time, in milliseconds
 */
export function lateText(duty: string | undefined, limit: number): string {
  const what = duty === undefined ? "a request may be half done" : `${duty} was not done`;
  return `does not end within ${limit} ms: ${what}, and its device is left as it is`;
}

/** Why the daemon fails whose devices had something to do, and did not get it done. */
export function undoneText(guests: readonly number[]): string {
  return `${guests.length === 1 ? "guest" : "guests"} ${guests.join(", ")} could not be taken ` +
    "down in good order; see the log for what was left undone";
}

/** Of a guest whose thread has come to an early end. */
export function brokenText(reason: string): string {
  return `is no longer served: ${reason}`;
}

/** Why a daemon ends that has no guest any more. */
export const NOBODY_LEFT = "no guest is left to be served; start the daemon again";
