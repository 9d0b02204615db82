import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { UsageError } from "../../../lib/errors.ts";
import { readGuests } from "../../../lib/gpio/config.ts";
import { readDeviceList } from "../../../lib/gpio/options.ts";
import type { GpioChoice } from "../../../lib/gpio/settings.ts";
import type { SimulatedLine } from "../../../lib/gpio/simulated/line.ts";

/** The guests of a configuration file. */
function guests(text: string): GpioChoice[] {
  const { guests } = ConfigNode.parse("f.yaml", text).mapping(["guests"]);
  assert(guests !== undefined);
  return readGuests(guests);
}

/** The one simulated chip of a configuration file. */
function simulated(text: string) {
  const indented = text.split("\n").map((line) => `      ${line}`).join("\n");
  const [chip] = guests(`guests:\n  - simulated:\n${indented}\n`);
  assert(chip.kind === "simulated");
  return chip;
}

function refuses(read: () => unknown, message: string | RegExp): void {
  const error = assertThrows(read, UsageError);
  if (typeof message === "string") assertStrictEquals(error.message, message);
  else assertMatch(error.message, message);
}

function plain(count: number): SimulatedLine[] {
  return Array.from({ length: count }, (_, line) => ({
    name: `dummy${line}`,
    direction: 0,
    value: 0,
  }));
}

Deno.test("sN is a simulated chip with N lines", () => {
  assertEquals(readDeviceList("s2"), [{ kind: "simulated", lines: plain(2), wires: [] }]);
  const counts = (list: string) => readDeviceList(list).map(({ lines }) => lines?.length);
  assertEquals(counts("s8:s4:s4"), [8, 4, 4]);
  assertEquals(counts("s1:s65535"), [1, 65535]);
});

Deno.test("simulated chips and chips of the host can be mixed", () => {
  const kinds = readDeviceList("s1:0:gpiochip3[4,7]").map(({ kind }) => kind);
  assertEquals(kinds, ["simulated", "host", "host"]);
});

const refusedLists: Record<string, RegExp> = {
  "": /^device list '': an entry is empty, expected entries like/,
  "s8:": /^device list 's8:': an entry is empty/,
  "s0": /'s0' has 0 lines, a chip has 1 to 65535$/,
  "s65536": /'s65536' has 65536 lines, a chip has 1 to 65535$/,
  "s": /'s' has no number of lines, expected/,
  "s8[0]": /'s8\[0\]' picks lines of a simulated chip; write s8 alone$/,
  "s-1": /'s-1' is no device, expected/,
  "s 8": /'s 8' is no device/,
  "s1.5": /'s1\.5' is no device/,
  "s8,8": /'s8,8' is no device/,
  "S8": /'S8' is no device/,
  "-1": /'-1' is no device/,
};

Deno.test("device lists that make no sense are refused", async (t) => {
  for (const [list, message] of Object.entries(refusedLists)) {
    await t.step(`'${list}'`, () => refuses(() => readDeviceList(list), message));
  }
});

Deno.test("what is nearly sN can still be a label, in quotes", () => {
  assertEquals(readDeviceList('"S8"').map(({ kind }) => kind), ["host"]);
});

Deno.test("a file gives a simulated chip by its number of lines", () => {
  assertEquals(guests("guests: [{ simulated: 3 }, { simulated: { lines: 2 } }]"), [
    { kind: "simulated", lines: plain(3), wires: [] },
    { kind: "simulated", lines: plain(2), wires: [] },
  ]);
});

Deno.test("a file describes lines one by one", () => {
  const { lines } = simulated(
    "lines:\n- { name: led, direction: output, value: 1 }\n- { direction: input }\n- {}",
  );
  assertEquals(lines, [
    { name: "led", direction: 1, value: 1 },
    { name: "", direction: 2, value: 0 },
    { name: "", direction: 0, value: 0 },
  ]);
});

Deno.test("wires lead from lines to lines, by name or number", () => {
  const { wires } = simulated(
    "lines: [{ name: a }, { name: b }, {}]\nwires: [{ from: a, to: 2 }, { from: 0, to: b }]",
  );
  assertEquals(wires, [{ from: 0, to: 2 }, { from: 0, to: 1 }]);
});

Deno.test("a chip can be used for several guests by an alias", () => {
  const [first, second] = guests("guests:\n  - &chip { simulated: 2 }\n  - *chip\n");
  assertEquals(first, second);
});

/** What is wrong with a guest, and how it is told. */
const refusedGuests: Record<string, [string, string]> = {
  "no list": [
    "{ simulated: 8 }",
    "guests: expected a list of guests, each with 'chip' or 'simulated', found a mapping",
  ],
  "an empty list": ["[]", "guests: the list is empty, expected one entry per guest"],
  "nothing": [
    "",
    "guests: expected a list of guests, each with 'chip' or 'simulated', found nothing",
  ],
  "a word": [
    "[s8]",
    "guests[0]: expected a mapping with the keys simulated, chip or lines, found 's8'",
  ],
  "a guest without a chip": ["[{}]", "guests[0]: expected a mapping with 'chip' or 'simulated'"],
  "an unknown key": [
    "[{ simulatd: 8 }]",
    "guests[0]: unknown key 'simulatd'; did you mean 'simulated'?",
  ],
  "two chips": [
    "[{ simulated: 8, chip: 0 }]",
    "guests[0].simulated: a guest has either 'chip' or 'simulated', not both",
  ],
  "lines beside a simulated chip": [
    "[{ simulated: 8, lines: [1] }]",
    "guests[0].lines: the lines of a simulated chip go below 'simulated'",
  ],
  "no lines": [
    "[{ simulated: 0 }]",
    "guests[0].simulated: expected a number of lines from 1 to 65535, found 0",
  ],
  "too many lines": [
    "[{ simulated: 65536 }]",
    "guests[0].simulated: expected a number of lines from 1 to 65535, found 65536",
  ],
  "a number in quotes": [
    '[{ simulated: "8" }]',
    "guests[0].simulated: expected a number of lines from 1 to 65535, found '8'; leave out the quotes",
  ],
  "a fraction": [
    "[{ simulated: 1.5 }]",
    "guests[0].simulated: expected a number of lines from 1 to 65535, found 1.5",
  ],
  "a list for a chip": [
    "[{ simulated: [8] }]",
    "guests[0].simulated: expected a number of lines from 1 to 65535, found a list",
  ],
};

Deno.test("guests that make no sense are refused", async (t) => {
  for (const [name, [text, message]] of Object.entries(refusedGuests)) {
    await t.step(name, () => refuses(() => guests(`guests: ${text}\n`), `f.yaml:1: ${message}`));
  }
});

/** What is wrong with a chip, and how it is told, after `f.yaml:3: guests[0].simulated`. */
const refusedChips: Record<string, [string, string]> = {
  "no lines": ["wires: []", ": 'lines' is missing: their number or a list of lines"],
  "an unknown key": ["line: 8", ": unknown key 'line'; did you mean 'lines'?"],
  "an empty list of lines": ["lines: []", ".lines: 0 lines, a chip has 1 to 65535"],
  "a word for lines": [
    "lines: eight",
    ".lines: expected a list of lines or a number of lines from 1 to 65535, found 'eight'",
  ],
  "a word for a line": [
    "lines: [led]",
    ".lines[0]: expected a mapping with the keys name, direction or value, found 'led'",
  ],
  "an unknown key of a line": [
    "lines: [{ nmae: x }]",
    ".lines[0]: unknown key 'nmae'; did you mean 'name'?",
  ],
  "a number for a name": [
    "lines: [{ name: 5 }]",
    ".lines[0].name: expected a name, found 5; put it in quotes: '5'",
  ],
  "a list for a name": ["lines: [{ name: [a] }]", ".lines[0].name: expected a name, found a list"],
  "a name of other characters": [
    "lines: [{ name: grün }]",
    ".lines[0].name: 'grün' is no name, expected printable ASCII characters",
  ],
  "a name with a line end": [
    'lines: [{ name: "a\\nb" }]',
    ".lines[0].name: 'a\nb' is no name, expected printable ASCII characters",
  ],
  "a name twice": [
    "lines: [{ name: a }, { name: a }]",
    ".lines[1].name: the name 'a' is taken by another line of this chip; choose another",
  ],
  "a direction that is none": [
    "lines: [{ direction: inout }]",
    ".lines[0].direction: expected none, input or output, found 'inout'",
  ],
  "a number for a direction": [
    "lines: [{ direction: 1 }]",
    ".lines[0].direction: expected none, input or output, found 1",
  ],
  "a value of 2": [
    "lines: [{ value: 2 }]",
    ".lines[0].value: expected a value from 0 to 1, found 2",
  ],
  "a truth value for a value": [
    "lines: [{ value: true }]",
    ".lines[0].value: expected a value from 0 to 1, found true",
  ],
  "a mapping for wires": [
    "{ lines: 2, wires: { from: 0, to: 1 } }",
    ".wires: expected a list of wires, found a mapping",
  ],
  "a word for a wire": [
    "{ lines: 2, wires: [0-1] }",
    ".wires[0]: expected a mapping with the keys from or to, found '0-1'",
  ],
  "an unknown key of a wire": [
    "{ lines: 2, wires: [{ fron: 0, to: 1 }] }",
    ".wires[0]: unknown key 'fron'; did you mean 'from'?",
  ],
  "a wire with one end": [
    "{ lines: 2, wires: [{ from: 0 }] }",
    ".wires[0]: expected a mapping with both 'from' and 'to'",
  ],
  "a wire to itself": [
    "{ lines: 2, wires: [{ from: 1, to: 1 }] }",
    ".wires[0]: line 1 is wired to itself, expected two lines",
  ],
  "two wires to one line": [
    "{ lines: 3, wires: [{ from: 0, to: 2 }, { from: 1, to: 2 }] }",
    ".wires[1]: line 2 is at the end of two wires, expected at most one",
  ],
  "a wire to a number beyond": [
    "{ lines: 2, wires: [{ from: 0, to: 2 }] }",
    ".wires[0].to: expected a line number from 0 to 1, found 2",
  ],
  "a wire from nothing": [
    "{ lines: 2, wires: [{ from: , to: 1 }] }",
    ".wires[0].from: expected a line's name or number, found nothing",
  ],
  "a wire from a name nearly right": [
    "{ lines: [{ name: led }], wires: [{ from: lde, to: 0 }] }",
    ".wires[0].from: no line of this chip has the name 'lde'; did you mean 'led'?",
  ],
  "a wire from an unknown name": [
    "{ lines: [{ name: led }], wires: [{ from: button, to: 0 }] }",
    ".wires[0].from: no line of this chip has the name 'button'; name it there or use its number",
  ],
};

Deno.test("simulated chips that make no sense are refused", async (t) => {
  for (const [name, [text, message]] of Object.entries(refusedChips)) {
    await t.step(name, () => {
      refuses(() => simulated(text), new RegExp(`^f\\.yaml:[23]: guests\\[0\\]\\.simulated`));
      refuses(() => simulated(text), new RegExp(`${message.replace(/[.[\]?()']/g, "\\$&")}$`));
    });
  }
});
