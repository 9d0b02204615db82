/** The demo, and its picture in the README. */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { lineOf } from "../../tools/docs/picture.ts";

const demo = fileURLToPath(new URL("../../scripts/demo.sh", import.meta.url));
const shown = Deno.readTextFileSync(new URL("../../docs/demo.svg", import.meta.url));

/** A line without what differs from run to run. */
function lasting(kind: string, text: string): string {
  return `${kind}: ${text.replace(/^\d+\.\d{9}\b/, "TIME")}`;
}

Deno.test("the demo shows what its picture shows", async () => {
  const { code, stdout } = await new Deno.Command("sh", {
    args: ["-c", 'exec "$0" 2>&1', demo],
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout);
  assertEquals(code, 0, output);
  const lines = output.split("\n").map(lineOf).map(({ kind, text }) => lasting(kind, text));
  const pictured = [...shown.matchAll(/<text class="(\w+)" [^>]*>(.*)<\/text>/g)]
    .filter(([, kind]) => kind !== "bar")
    .map(([, kind, text]) => {
      const plain = text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
      return lasting(kind, plain);
    });
  assert(pictured.length > 20, `${pictured.length} lines`);
  // What the guest prints and what the daemons log take two ways, and come in any order.
  const missing = pictured.filter((line) => !lines.includes(line));
  assertEquals(missing.length, 0, `not shown; run "make picture":\n${missing.join("\n")}`);
});
