/**
 * The files of the project, as far as they are kept in its repository.
 *
 * @module
 */

/** The project's folder. */
export const ROOT = new URL("../../", import.meta.url);

const IGNORED = [".git", ...Deno.readTextFileSync(new URL(".gitignore", ROOT)).split("\n")]
  .map((line) => line.replaceAll("/", ""))
  .filter((line) => line !== "");

/** Paths below a folder, from the project's folder. */
export function* filesBelow(folder = ""): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (folder === "" && IGNORED.includes(name)) continue;
    if (isDirectory) yield* filesBelow(`${folder}${name}/`);
    else yield `${folder}${name}`;
  }
}
