import { assert, assertEquals } from "@std/assert";
import { documents } from "../support/documents.ts";
import { filesBelow, ROOT } from "../support/tree.ts";

/** Guides format what they show as if it stood by itself. */
function unindented(text: string): string {
  return text.replaceAll(/^ +/gm, "");
}

const sources = [...filesBelow("examples/device/")].map((path) =>
  unindented(Deno.readTextFileSync(new URL(path, ROOT)))
);

Deno.test("what the guide to writing a device shows is in the example, word for word", () => {
  const guide = documents.find(({ path }) => path === "docs/writing-a-device.md")!;
  const blocks = guide.blocks.filter(({ language }) => language === "ts");
  assert(blocks.length >= 5, `${blocks.length} were found`);
  const wrong = blocks.filter(({ text }) =>
    !sources.some((source) => source.includes(unindented(text)))
  );
  assertEquals(wrong, []);
});
