import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { checkValue, PropertyError } from "../../../lib/simulation/check_value.ts";
import type { Properties } from "../../../lib/simulation/property.ts";
import { readSettings, settingKeys } from "../../../lib/simulation/read_settings.ts";

/** A property of each type. */
const properties = {
  on: { type: "boolean", set: "both", default: true, help: "whether it is on" },
  count: { type: "integer", set: "start", from: 1, to: 8, default: 4, help: "how many" },
  warmth: {
    type: "number",
    set: "both",
    what: "a temperature",
    from: -55,
    to: 125,
    unit: "°C",
    help: "how warm it is",
  },
  id: { type: "integer", set: "both", from: 0, to: 0xffff, base: 16, help: "what it says it is" },
  label: { type: "text", set: "both", default: "", help: "what is written on it" },
  file: { type: "path", set: "start", help: "where it is kept" },
  speed: { type: "choice", set: "both", choices: ["slow", "fast", 3], default: "slow", help: "it" },
  made: { type: "time", set: "both", years: [2000, 2099], help: "when it was made" },
  locked: {
    type: "numbers",
    set: "both",
    count: ({ count }) => count as number,
    what: "a register",
    help: "those that do not change",
  },
  values: {
    type: "bytes",
    set: "both",
    count: ({ count }) => count as number,
    what: "a register",
    at: 0,
    excludes: ["file"],
    help: "what they hold",
  },
  seen: { type: "integer", set: "never", from: 0, to: 9, help: "how often it was seen" },
} as const satisfies Properties;

function read(yaml: string) {
  const node = ConfigNode.parse("parts.yaml", yaml);
  return readSettings(properties, node.mapping(settingKeys(properties)));
}

Deno.test("what the file does not say of a thing is what its declaration says", () => {
  assertEquals(read("{}"), {
    on: true,
    count: 4,
    warmth: undefined,
    id: undefined,
    label: "",
    file: undefined,
    speed: "slow",
    made: undefined,
    locked: [],
    values: [],
  });
});

Deno.test("properties of all types can be set in the file", () => {
  const yaml = `
on: false
count: 5
warmth: -3.5
id: 0x1234
label: "12"
speed: 3
made: 2024-02-29 12:34:56
locked: [0, 4]
values: { 0x00: 7, 2: [1, 2, 3] }
`;
  assertEquals(read(yaml), {
    on: false,
    count: 5,
    warmth: -3.5,
    id: 0x1234,
    label: "12",
    file: undefined,
    speed: 3,
    made: "2024-02-29T12:34:56Z",
    locked: [0, 4],
    values: [{ at: 0, bytes: [7] }, { at: 2, bytes: [1, 2, 3] }],
  });
  assertEquals(read("file: kept.bin").file, "kept.bin");
  assertEquals(read("{ count: 3, locked: true }").locked, [0, 1, 2]);
  assertEquals(read("locked: false").locked, []);
});

const refused: readonly [yaml: string, message: RegExp][] = [
  ["on: 1", /^parts\.yaml:1: on: expected true or false, found 1$/],
  ["count: 9", /^parts\.yaml:1: count: expected a whole number from 1 to 8, found 9$/],
  ["count: 1.5", /expected a whole number from 1 to 8, found 1\.5$/],
  ["count: '5'", /expected a whole number from 1 to 8, found '5'; leave out the quotes$/],
  ["warmth: 126", /^parts\.yaml:1: warmth: expected a temperature from -55 to 125 °C, found 126$/],
  ["warmth: warm", /expected a temperature from -55 to 125 °C, found 'warm'$/],
  ["warmth: .nan", /expected a temperature/],
  ["id: 0x10000", /expected a whole number from 0x00 to 0xffff, found 65536$/],
  ["label: 12", /expected a text, found 12; put it in quotes: '12'$/],
  ["file: ''", /file: expected a path, found an empty text$/],
  ["file: 3", /expected a path, found 3/],
  ["speed: faster", /speed: expected slow, fast or 3, found 'faster'$/],
  [
    "made: 2023-02-29T00:00:00Z",
    /made: expected a time in UTC such as 2000-12-31T23:59:59Z, in the years 2000 to 2099, found '2/,
  ],
  ["made: 1999-12-31T23:59:59Z", /in the years 2000 to 2099, found '1999/],
  ["made: 2030-01-01T24:00:00Z", /found '2030-01-01T24:00:00Z'$/],
  ["made: 2030-01-01", /expected a time in UTC/],
  ["made: 2030", /expected a time in UTC.*, found 2030/],
  ["locked: [4]", /locked\[0\]: expected a register from 0 to 3, found 4$/],
  ["locked: 2", /expected a list of registers, true for all or false for none, found 2$/],
  ["values: 3", /values: expected a mapping such as \{ 0x00: 0x12.* from a register to what is/],
  ["values: { 4: 1 }", /values: expected a register from 0 to 3, found 4$/],
  ["values: { 0: 256 }", /values\.0: expected a byte or a list of bytes from 0 to 255, found 256$/],
  ["values: { 0: [1, 300] }", /values\.0\[1\]: expected a byte from 0 to 255, found 300$/],
  ["values: { 2: [1, 2, 3] }", /values\.2\[2\]: register 4 is beyond the last one, 3$/],
  ["values: { a: 1 }", /expected a register from 0 to 3, found 'a'$/],
  ["{ file: f, values: {} }", /values: exclude each other: 'file' and 'values'$/],
  ["seen: 3", /unknown key 'seen'/],
  [
    "values:\n  - { at: 0x01, bytes: [0x12, 3] }\n  - { at: 3, bytes: [4] }",
    /values: write it as \{ 0x01: \[0x12, 3\], 3: \[4\] \}, without 'at' and 'bytes'$/,
  ],
];

Deno.test("values that do not fit are refused, with their place", async (t) => {
  for (const [yaml, message] of refused) {
    await t.step(yaml, () => {
      assertMatch(assertThrows(() => read(yaml), UsageError).message, message);
    });
  }
});

const settings = read("count: 4");

Deno.test("values of all types can be set while guests run", () => {
  const check = (name: Exclude<keyof typeof properties, "values">, value: unknown) =>
    checkValue(properties[name], value, settings);
  assertEquals(check("on", false), false);
  assertEquals(check("on", 1), true);
  assertEquals(check("count", 8), 8);
  assertEquals(check("warmth", -0.5), -0.5);
  assertEquals(check("label", ""), "");
  assertEquals(check("speed", 3), 3);
  assertEquals(check("locked", [3]), [3]);
});

const misfits: readonly [Exclude<keyof typeof properties, "values">, unknown, string][] = [
  ["on", "yes", "expected true or false, found 'yes'"],
  ["count", 0, "expected a whole number from 1 to 8, found 0"],
  ["count", 1.5, "expected a whole number from 1 to 8, found 1.5"],
  ["count", "1", "expected a whole number from 1 to 8, found '1'"],
  ["warmth", NaN, "expected a temperature from -55 to 125 °C, found null"],
  ["warmth", undefined, "expected a temperature from -55 to 125 °C, found nothing"],
  ["label", 1, "expected a text, found 1"],
  ["file", "", "expected a path, found ''"],
  ["speed", {}, "expected slow, fast or 3, found {}"],
  ["locked", [4], "expected a list of numbers from 0 to 3, found [4]"],
  ["locked", 1, "expected a list of numbers from 0 to 3, found 1"],
];

Deno.test("values that do not fit are refused while guests run, too", async (t) => {
  for (const [name, value, message] of misfits) {
    await t.step(`${name}: ${JSON.stringify(value)}`, () => {
      assertStrictEquals(
        assertThrows(() => checkValue(properties[name], value, settings), PropertyError).message,
        message,
      );
    });
  }
});
