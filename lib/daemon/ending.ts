/**
 * How a guest's device is taken down, and what is said where that does not succeed.
 *
 * @module
 */

/** How long a device has to end after a signal, in milliseconds. */
export const STOP_LIMIT = 150;
/** The same where it has something to do at the end that must not be left out. */
export const DUTY_LIMIT = 1000;

/** @param duty what the device has to do at the end, for people; `undefined` for nothing */
export function limitOf(duty: string | undefined): number {
  return duty === undefined ? STOP_LIMIT : DUTY_LIMIT;
}

/** Of a guest whose device has not ended in time. */
export function lateText(duty: string | undefined): string {
  return duty === undefined
    ? `does not end within ${STOP_LIMIT} ms: a request may be half done, and its device is ` +
      "left as it is"
    : `does not end within ${DUTY_LIMIT} ms: ${duty} was not done, and its device is left as it is`;
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
