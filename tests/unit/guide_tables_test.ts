import { assert, assertStrictEquals } from "@std/assert";
import { guideOf, withTables } from "../../tools/docs/guides.ts";
import { findPrograms } from "../../tools/docs/programs.ts";

for (const program of await findPrograms()) {
  const path = guideOf(program);
  if (path === undefined) continue;

  Deno.test(`docs/${program.type}.md: the tables are up to date`, () => {
    const guide = Deno.readTextFileSync(path);
    assertStrictEquals(guide, withTables(guide, program), "run: make guides");
  });

  Deno.test(`docs/${program.type}.md: has all parts, with all of their properties`, () => {
    const guide = Deno.readTextFileSync(path);
    for (const { name, properties } of program.parts) {
      assert(guide.includes(`\`${name}\``) || program.parts.length === 1, name);
      const keys = Object.keys(properties);
      // Like ones in a row may be told of by the first and the last of them.
      const runs = [...guide.matchAll(/^\| `([\w-]+)` to `([\w-]+)` /gm)];
      const isInRun = (key: string) =>
        runs.some(([, first, last]) =>
          keys.includes(first) && keys.indexOf(first) <= keys.indexOf(key) &&
          keys.indexOf(key) <= keys.indexOf(last)
        );
      for (const key of keys) assert(guide.includes(`| \`${key}\``) || isInRun(key), key);
    }
  });
}
