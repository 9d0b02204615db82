import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import type { PartModel } from "../../../lib/simulation/part.ts";
import { PartList } from "../../../lib/simulation/part_list.ts";

const counter: PartModel = {
  name: "counter",
  help: "counts",
  properties: {
    first: { type: "integer", set: "start", from: 0, to: 255, default: 0, help: "the first count" },
    count: { type: "integer", set: "never", from: 0, to: 255, help: "the count" },
  },
  stateSize: () => 1,
};
const echo: PartModel = { name: "echo", help: "echoes", properties: {}, stateSize: () => 0 };
const list = new PartList([counter, echo]);

function read(yaml: string, names = new Set<string>()) {
  return list.read(ConfigNode.parse("parts.yaml", yaml), ["address"], names);
}

Deno.test("a part is looked up by its name", () => {
  assertStrictEquals(list.get("counter"), counter);
  assertEquals(list.names, ["counter", "echo"]);
  assertThrows(() => list.get("clock"), TypeError);
  assertThrows(() => new PartList([echo, echo]), TypeError);
  assertEquals(list.usual("counter"), {
    part: "counter",
    name: undefined,
    settings: { first: 0 },
  });
});

Deno.test("an entry says what part it is, what it is called, and what its properties are", () => {
  const names = new Set<string>();
  const entry = read("{ part: counter, name: visits, first: 7, address: 3 }", names);
  assertEquals(entry.part, "counter");
  assertEquals(entry.name, "visits");
  assertEquals(entry.settings, { first: 7 });
  assertEquals(entry.own.address?.integer(0, 9), 3);
  assert(names.has("visits"));
  assertEquals(read("{ part: echo }").name, undefined);
});

const refused: readonly [what: string, yaml: string, message: RegExp][] = [
  ["no part", "{ first: 1 }", /'part' is missing/],
  ["an unknown part", "{ part: clock }", /part: expected counter or echo, found 'clock'/],
  ["a key of another part", "{ part: echo, first: 1 }", /unknown key 'first'/],
  ["a property that is only read", "{ part: counter, count: 1 }", /unknown key 'count'/],
  ["a name with a dot", "{ part: echo, name: a.b }", /name: 'a\.b' is no name, expected a letter/],
  ["an address for a name", "{ part: echo, name: '0x50' }", /'0x50' is no name/],
  ["a name that is taken", "{ part: echo, name: taken }", /the name 'taken' is taken by another/],
  [
    "the key chip",
    "{ address: 1, chip: counter }",
    /there is no key 'chip' any more; write part: counter/,
  ],
  ["a word", "echo", /write it as \{ part: echo \}/],
  ["its name as the key", "counter: { first: 5 }", /write it as \{ part: counter, first: 5 \}/],
  ["its name as the key, alone", "echo: {}", /write it as \{ part: echo \}/],
];

Deno.test("entries that make no sense, and those of an old form, are refused", async (t) => {
  for (const [what, yaml, message] of refused) {
    await t.step(what, () => {
      const error = assertThrows(() => read(yaml, new Set(["taken"])), Error);
      assertMatch(error.message, /^parts\.yaml:1: /);
      assertMatch(error.message, message);
    });
  }
});
