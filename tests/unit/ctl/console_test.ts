import { assert, assertEquals } from "@std/assert";
import { Console } from "../../../lib/ctl/scenario/console.ts";
import { readMatcher } from "../../../lib/ctl/scenario/matcher.ts";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { SLOWNESS } from "../../support/wait.ts";

function matcher(text: string) {
  return readMatcher(ConfigNode.parse("test", JSON.stringify(text)));
}

Deno.test("a console has the text without what only terminals understand, however it comes", () => {
  const printed =
    "\x1b[1;32mlog\x1b[0min:\r\n\x1b]0;title\x07ro\x1b[?25lot\r\r\nline\rover\x1bMend";
  for (let size = 1; size <= printed.length; size++) {
    const console = new Console();
    for (let at = 0; at < printed.length; at += size) console.append(printed.slice(at, at + size));
    assertEquals(console.tail(10), ["login:", "root", "line\roverend"]);
  }
});

Deno.test("what has been found in a console is not found again", () => {
  const console = new Console();
  console.append("one\ntwo\none\n");
  assert(console.take(matcher("/^one$/")));
  assert(console.take(matcher("one")));
  assert(!console.take(matcher("one")));
  assert(console.has(matcher("/ONE/i"), 0));
  console.append("on");
  assert(!console.has(matcher("one"), console.position));
  console.append("e");
  assert(console.take(matcher("/one(?=$)/")));
});

Deno.test("of a console that prints without end, the last part is kept", () => {
  const console = new Console();
  console.append("begin");
  const begin = console.position;
  for (let count = 0; count < 300; count++) console.append(`${"x".repeat(10_000)}\n`);
  assert(!console.has(matcher("begin"), begin));
  console.append("end\n");
  assert(console.has(matcher("/^end$/"), begin));
  assert(console.take(matcher("end")));
  const { position } = console;
  assert(position > 3_000_000);
  assertEquals(console.tail(1), ["end"]);
});

Deno.test("a console that prints nothing but carriage returns does not hold up whoever reads it", () => {
  const console = new Console();
  const begin = performance.now();
  for (let count = 0; count < 4; count++) console.append(`${"\r".repeat(100_000)}x`);
  assert(performance.now() - begin < 2000 * SLOWNESS);
});
