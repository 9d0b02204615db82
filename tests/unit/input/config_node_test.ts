import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { UsageError } from "../../../lib/errors.ts";

/** The value of the key `x` of a file. */
function x(text: string): ConfigNode {
  const { x } = ConfigNode.parse("f.yaml", text).mapping(["x"]);
  assert(x !== undefined);
  return x;
}

function refuses(read: () => unknown, message: string): void {
  assertStrictEquals(assertThrows(read, UsageError).message, message);
}

Deno.test("an excerpt has its value at the same line and column", () => {
  const text = `
a:
  # a remark
  - one: { two: [1, 2], # another
        three: x }
    four: |
      text
    five: last
b: 1
`;
  const [first] = ConfigNode.parse("test", text).mapping(["a", "b"]).a!.list("things");
  const { one } = first.mapping(["one", "four", "five"]);
  assertEquals(
    first.excerpt,
    `\n\n\n${text.split("\n").slice(3, 8).join("\n").replace("-", " ")}\n`,
  );
  assertEquals(one!.excerpt, `\n\n\n         { two: [1, 2], # another\n        three: x }\n`);
  assertEquals([first.line, one!.line], [4, 4]);
  assertThrows(
    () => ConfigNode.parse("copy", one!.excerpt).mapping(["two"]),
    UsageError,
    "copy:5: unknown key 'three'",
  );
});

Deno.test("values are read as what they are", () => {
  assertEquals(x("x: abc").string(), "abc");
  assertEquals(x("x: '5'").string(), "5");
  assertEquals(x("x: 0x50").integer(0, 100), 80);
  assertEquals(x("x: 0x50").word("a number"), "0x50");
  assertEquals(x("x: abc").word("a name"), "abc");
  assertEquals(x("x: true").boolean(), true);
  assertEquals(x("x: b").choice(["a", "b"]), "b");
  assertEquals(x("x: [a, b]").list("names").map((item) => item.string()), ["a", "b"]);
  assertEquals(x("x: [1]").list("numbers")[0].isNumber, true);
  assertEquals(x("x: {}").isMapping, true);
  assertEquals(x("x: []").isList, true);
});

Deno.test("a file that says nothing has no keys", () => {
  for (const text of ["", "\n", "# a comment\n", "---\n", "null\n", "\ufeff"]) {
    assertEquals(ConfigNode.parse("f.yaml", text).mapping(["x"]), {});
  }
});

Deno.test("an alias stands for what it refers to", () => {
  const text = "x:\n  - &a { n: 1 }\n  - *a\n";
  const items = x(text).list("items");
  assertEquals(items.map((item) => item.mapping(["n"]).n?.integer(0, 9)), [1, 1]);
});

const refused: Record<string, [string, (node: ConfigNode) => unknown, string]> = {
  "a number for a text": [
    "x: 5",
    (x) => x.string("a name"),
    "expected a name, found 5; put it in quotes: '5'",
  ],
  "a truth value for a text": [
    "x: true",
    (x) => x.string(),
    "expected a text, found true; put it in quotes: 'true'",
  ],
  "a list for a text": ["x: [1]", (x) => x.string(), "expected a text, found a list"],
  "nothing for a text": ["x:", (x) => x.string(), "expected a text, found nothing"],
  "an empty text for a word": ["x: ''", (x) => x.word("a bus"), "expected a bus, found ''"],
  "a text for a number": [
    "x: eight",
    (x) => x.integer(1, 9),
    "expected a whole number from 1 to 9, found 'eight'",
  ],
  "a number in quotes": [
    "x: '8'",
    (x) => x.integer(1, 9),
    "expected a whole number from 1 to 9, found '8'; leave out the quotes",
  ],
  "a fraction": [
    "x: 1.5",
    (x) => x.integer(1, 9),
    "expected a whole number from 1 to 9, found 1.5",
  ],
  "infinity": [
    "x: .inf",
    (x) => x.integer(1, 9),
    "expected a whole number from 1 to 9, found Infinity",
  ],
  "a number that is too large": [
    "x: 10",
    (x) => x.integer(1, 9),
    "expected a whole number from 1 to 9, found 10",
  ],
  "a mapping for a number": [
    "x: { a: 1 }",
    (x) => x.integer(1, 9),
    "expected a whole number from 1 to 9, found a mapping",
  ],
  "yes for a truth value": ["x: yes", (x) => x.boolean(), "expected true or false, found 'yes'"],
  "1 for a truth value": ["x: 1", (x) => x.boolean(), "expected true or false, found 1"],
  "no choice": ["x: c", (x) => x.choice(["a", "b"]), "expected a or b, found 'c'"],
  "a mapping for a list": [
    "x: { a: 1 }",
    (x) => x.list("names"),
    "expected a list of names, found a mapping",
  ],
  "a list for a mapping": [
    "x: [a]",
    (x) => x.mapping(["a", "b"]),
    "expected a mapping with the keys a or b, found a list",
  ],
  "nothing for a mapping": [
    "x:",
    (x) => x.mapping(["a"]),
    "expected a mapping with the keys a, found nothing",
  ],
};

Deno.test("values of another kind are refused", async (t) => {
  for (const [name, [text, read, message]] of Object.entries(refused)) {
    await t.step(name, () => refuses(() => read(x(text)), `f.yaml:1: x: ${message}`));
  }
});

Deno.test("the place of a value is its line and the way to it", () => {
  const text = "# first\nx:\n  - y: 1\n  - y: [5,\n      six]\n";
  const [, second] = x(text).list("things");
  const [, six] = second.mapping(["y"]).y?.list("numbers") ?? [];
  refuses(
    () => six.integer(0, 9),
    "f.yaml:5: x[1].y[1]: expected a whole number from 0 to 9, found 'six'",
  );
});

Deno.test("a key that there was is refused with what to write now", () => {
  refuses(
    () => ConfigNode.parse("f.yaml", "eman: 1\n").mapping(["name"], { eman: "'name: TEXT'" }),
    "f.yaml:1: there is no key 'eman' any more; write 'name: TEXT'",
  );
});

Deno.test("unknown keys are refused at every level", () => {
  refuses(
    () => ConfigNode.parse("f.yaml", "name: 1\nnaem: 2\n").mapping(["name"]),
    "f.yaml:2: unknown key 'naem'; did you mean 'name'?",
  );
  refuses(
    () => x("x:\n  other: 2\n").mapping(["name", "value"]),
    "f.yaml:2: x: unknown key 'other'; expected name or value",
  );
  refuses(
    () => x("x:\n  <<: { name: 1 }\n").mapping(["name"]),
    "f.yaml:2: x: unknown key '<<'; expected name",
  );
});

const broken: Record<string, [string, string]> = {
  "a key that is given twice": [
    "x: 1\ny: 2\nx: 3\n",
    "f.yaml:3: the key 'x' is given twice; give it once",
  ],
  "a tab": ["x:\n\t- 1\n", "f.yaml:2: a tab is used for indentation; use spaces"],
  "a second document": [
    "x: 1\n---\nx: 1\n",
    "f.yaml:2: a second document begins here; put everything into the first one",
  ],
  "a tag": ["x: !y 1\n", "f.yaml:1: Unresolved tag: !y; leave the tag out"],
  "a mapping within a line": [
    "x: y: z\n",
    "f.yaml:1: not valid YAML: Nested mappings are not allowed in compact mappings",
  ],
};

Deno.test("what is not YAML is refused with its line", async (t) => {
  for (const [name, [text, message]] of Object.entries(broken)) {
    await t.step(name, () => refuses(() => ConfigNode.parse("f.yaml", text), message));
  }
});

Deno.test("an alias without an anchor is refused", () => {
  refuses(() => x("x: *y\n"), "f.yaml:1: x: the alias '*y' comes without an anchor '&y' before it");
});

Deno.test("a list that contains itself is no trouble", () => {
  const [inner] = x("x: &a [*a]\n").list("lists");
  refuses(() => inner.string(), "f.yaml:1: x[0]: expected a text, found a list");
});
