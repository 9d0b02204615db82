/**
 * Whether something is there.
 *
 * @module
 */

/** True if there is anything at a path, be it a link that leads nowhere. */
export function exists(path: string | URL): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
