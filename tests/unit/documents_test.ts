import { assert, assertEquals } from "@std/assert";
import { documents } from "../support/documents.ts";

const ROOT = new URL("../../", import.meta.url);
const readme = documents.find(({ path }) => path === "README.md")!;

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, ROOT)) !== undefined;
  } catch {
    return false;
  }
}

for (const { path, links } of documents) {
  Deno.test(`${path}: its links lead somewhere`, () => {
    for (const link of links) {
      assert(exists(link.path), `${link.target}: there is no ${link.path}`);
      if (link.anchor === undefined) continue;
      const anchors = documents.find(({ path }) => path === link.path)?.anchors;
      assert(anchors?.includes(link.anchor), `${link.target}: there is no such heading`);
    }
  });
}

Deno.test("the README links every guide", () => {
  const linked = new Set(readme.links.map(({ path }) => path));
  const missing = documents.map(({ path }) => path).filter((path) =>
    path !== readme.path && !linked.has(path)
  );
  assertEquals(missing, []);
});

Deno.test("the README is short enough to be read", () => {
  const lines = readme.text.split("\n").length - 1;
  assert(lines <= 250, `${lines} lines, of at most 250`);
});
