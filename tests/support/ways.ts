/**
 * The two ways in which guests are served.
 *
 * @module
 */

/** How, and the number of guests of a daemon that does so. */
export const WAYS = [["by the main thread", 1], ["by a thread of its own", 2]] as const;

/** A list of so many devices. */
export function listOf(device: string, count: number, separator = ":"): string {
  return Array(count).fill(device).join(separator);
}
