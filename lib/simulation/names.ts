/**
 * Names of simulated things: of parts as their users choose them.
 *
 * @module
 */

/** What {@linkcode isThingName} takes, for messages. */
export const THING_NAME_FORM = "a letter, then letters, digits, '-' and '_'";

/** True for what can be a part's name: none that could be read as an address, a path or a value. */
export function isThingName(name: string): boolean {
  return /^[A-Za-z][\w-]*$/.test(name);
}
