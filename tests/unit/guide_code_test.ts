import assert from "node:assert/strict";
import { documents } from "../support/documents.ts";
import { filesBelow, ROOT } from "../support/tree.ts";

const sources = ["cmd/", "lib/", "examples/"].flatMap((folder) => [...filesBelow(folder)])
  .filter((path) => path.endsWith(".ts"))
  .map((path) => Deno.readTextFileSync(new URL(path, ROOT)));

Deno.test("the TypeScript that guides show is in the sources, word for word", () => {
  const blocks = documents.flatMap(({ path, blocks }) =>
    blocks.filter(({ language }) => language === "ts").map(({ text }) => ({ path, text }))
  );
  assert.ok(blocks.length >= 5, `${blocks.length} were found`);
  const wrong = blocks.filter(({ text }) => !sources.some((source) => source.includes(text)));
  assert.deepEqual(wrong, []);
});
