/** The changes that `make mutants` makes to the sources are changes of the sources as they are. */

import { assert, assertEquals } from "@std/assert";
import { mutate, showMutation } from "../mutants/mutation.ts";
import { mutatedFiles } from "../mutants/table.ts";
import { ROOT } from "../support/tree.ts";

for (const { path, tests, mutations } of mutatedFiles) {
  Deno.test(`${path}: what mutants change is there once, and so are the tests`, () => {
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    const lost = mutations.filter((mutation) => mutate(text, mutation) === undefined);
    assertEquals(lost.map(showMutation), []);
    for (const test of [...tests, ...mutations.flatMap(({ tests = [] }) => tests)]) {
      assert(Deno.statSync(new URL(test, ROOT)).isFile);
    }
  });
}

Deno.test("what is there twice, or not at all, cannot be changed", () => {
  const mutation = { find: "a < b", replace: "a <= b" };
  assertEquals(mutate("if (a < b)", mutation), "if (a <= b)");
  assertEquals(mutate("if (a < b || a < b)", mutation), undefined);
  assertEquals(mutate("if (a > b)", mutation), undefined);
});
