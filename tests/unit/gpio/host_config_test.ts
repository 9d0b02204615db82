/** Real chips in the configuration file. */

import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { UsageError } from "../../../lib/errors.ts";
import { readGuests } from "../../../lib/gpio/config.ts";

/** Reads one guest, whose text begins in line 2 of the file. */
function read(guest: string) {
  const file = ConfigNode.parse("gpio.yaml", `guests:\n${guest}`);
  return readGuests(file.mapping(["guests"]).guests!)[0];
}

/** Without what was not given. */
function plain(guest: string): unknown {
  return JSON.parse(JSON.stringify(read(guest)));
}

const chipForms: [written: string, chip: number | string][] = [
  ["0", 0],
  ["/dev/gpiochip3", "/dev/gpiochip3"],
  ["gpiochip0", "gpiochip0"],
  ["pinctrl-bcm2711", "pinctrl-bcm2711"],
  ["INT3450:00", "INT3450:00"],
  ['"pinctrl:xyz"', "pinctrl:xyz"],
  ["s8", "s8"],
  ['"0"', "0"],
];

for (const [written, chip] of chipForms) {
  Deno.test(`chip: ${written} is ${typeof chip} ${chip}`, () => {
    assertEquals(plain(`  - chip: ${written}`), { kind: "host", chip });
  });
}

Deno.test("lines are numbers, names or mappings, in the order in which they are written", () => {
  assertEquals(plain(`  - { chip: 0, lines: [4, led, { line: 2 }, { line: key }] }`), {
    kind: "host",
    chip: 0,
    lines: [
      { line: 4, access: "read-write" },
      { line: "led", access: "read-write" },
      { line: 2, access: "read-write" },
      { line: "key", access: "read-write" },
    ],
  });
});

Deno.test("everything that can be said of a line is read", () => {
  const guest = `
  - chip: 0
    lines:
      - line: 17
        name: led
        access: output
        bias: pull-up
        drive: open-drain
        active-low: true
        safe: 0`;
  assertEquals(plain(guest), {
    kind: "host",
    chip: 0,
    lines: [{
      line: 17,
      name: "led",
      access: "output",
      bias: "pull-up",
      drive: "open-drain",
      activeLow: true,
      safe: 0,
    }],
  });
});

const safeForms: [written: string, safe: number | string][] = [["0", 0], ["1", 1], [
  "keep",
  "keep",
]];
for (const [written, safe] of safeForms) {
  Deno.test(`safe: ${written} is read`, () => {
    const { lines } = plain(`  - { chip: 0, lines: [{ line: 1, safe: ${written} }] }`) as {
      lines: { safe: unknown }[];
    };
    assertStrictEquals(lines[0].safe, safe);
  });
}

const refused: [name: string, guest: string, message: RegExp][] = [
  ["an unknown key of a guest", "- { chip: 0, linse: [1] }", /unknown key 'linse'; did you mean/],
  ["an unknown key of a line", "- { chip: 0, lines: [{ line: 1, acces: input }] }", /'access'/],
  ["a chip and a simulated one", "- { chip: 0, simulated: 8 }", /either 'chip' or 'simulated'/],
  ["lines beside a simulated chip", "- { simulated: 8, lines: [1] }", /below 'simulated'/],
  ["lines without a chip", "- { lines: [1] }", /expected a mapping with 'chip' or 'simulated'/],
  ["a list as chip", "- { chip: [0] }", /expected a chip's number, path, name or label/],
  ["an empty chip", '- { chip: "" }', /found an empty one/],
  ["a negative chip", "- { chip: -1 }", /from 0 to/],
  ["lines that are no list", "- { chip: 0, lines: 4 }", /expected a list of lines, found 4/],
  ["an empty list of lines", "- { chip: 0, lines: [] }", /leave it out to get the whole chip/],
  ["a line without its number", "- { chip: 0, lines: [{ name: x }] }", /'line' is missing/],
  ["a line that is a truth value", "- { chip: 0, lines: [true] }", /a line's number or name/],
  ["a line that is not whole", "- { chip: 0, lines: [1.5] }", /a line's number or name/],
  ["a name that is a number", "- { chip: 0, lines: [{ line: 1, name: 5 }] }", /expected a name/],
  ["a name beyond ASCII", "- { chip: 0, lines: [{ line: 1, name: ü }] }", /printable ASCII/],
  [
    "a name that comes twice",
    "- { chip: 0, lines: [{ line: 1, name: x }, { line: 2, name: x }] }",
    /the name 'x' is taken/,
  ],
  [
    "an unknown access",
    "- { chip: 0, lines: [{ line: 1, access: rw }] }",
    /expected read-write, input, output or read-only, found 'rw'/,
  ],
  [
    "an unknown bias",
    "- { chip: 0, lines: [{ line: 1, bias: up }] }",
    /expected disabled, pull-up or pull-down/,
  ],
  [
    "an unknown drive",
    "- { chip: 0, lines: [{ line: 1, drive: od }] }",
    /expected push-pull, open-drain or open-source/,
  ],
  [
    "an active-low that is no truth value",
    "- { chip: 0, lines: [{ line: 1, active-low: 1 }] }",
    /expected true or false/,
  ],
  ["a safe of 2", "- { chip: 0, lines: [{ line: 1, safe: 2 }] }", /expected 0, 1 or keep, found 2/],
  ["a safe input", "- { chip: 0, lines: [{ line: 1, access: input, safe: 0 }] }", /for outputs/],
  [
    "the drive of an input",
    "- { chip: 0, lines: [{ line: 1, access: input, drive: push-pull }] }",
    /for outputs/,
  ],
  [
    "the bias of what is only to be read",
    "- { chip: 0, lines: [{ line: 1, access: read-only, bias: pull-up }] }",
    /would change the line/,
  ],
];

for (const [name, guest, message] of refused) {
  Deno.test(`${name} is refused with file and line`, () => {
    const error = assertThrows(() => read(`\n  ${guest}`), UsageError);
    assertMatch(error.message, /^gpio\.yaml:3: guests/);
    assertMatch(error.message, message);
  });
}
