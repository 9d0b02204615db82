import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { readArguments } from "../../../lib/input/arguments.ts";
import { type OptionSpec, optionSyntax } from "../../../lib/input/options.ts";
import { readInteger } from "../../../lib/text/numbers.ts";
import { anyOf, closest } from "../../../lib/text/words.ts";
import { UsageError } from "../../../lib/errors.ts";
import { SLOWNESS } from "../../support/wait.ts";

const options: OptionSpec[] = [
  { name: "socket-path", short: "s", value: "PATH", help: "" },
  { name: "socket-count", short: "c", value: "N", help: "" },
  { name: "color", value: "WHEN", choices: ["always", "never"], help: "" },
  { name: "help", short: "h", help: "" },
  { name: "version", short: "V", help: "" },
];

const accepted: Record<string, [string[], Record<string, string | true>]> = {
  "nothing": [[], {}],
  "a long option and its value": [["--socket-path", "x"], { "socket-path": "x" }],
  "a long option with =": [["--socket-path=x"], { "socket-path": "x" }],
  "a value with = in it": [["--socket-path=a=b"], { "socket-path": "a=b" }],
  "a short option and its value": [["-s", "x"], { "socket-path": "x" }],
  "a short option with its value attached": [["-sx"], { "socket-path": "x" }],
  "a short option with =": [["-s=x"], { "socket-path": "x" }],
  "a short option with a value that begins with =": [["-s==x"], { "socket-path": "=x" }],
  "a value of its own that begins with =": [["-s", "=x"], { "socket-path": "=x" }],
  "a value that begins with a dash, with =": [["--socket-path=-x"], { "socket-path": "-x" }],
  "a dash as a value": [["-s", "-"], { "socket-path": "-" }],
  "a negative number as a value": [["-c", "-1"], { "socket-count": "-1" }],
  "an empty-looking value": [["-s", " "], { "socket-path": " " }],
  "switches together": [["-hV"], { help: true, version: true }],
  "a switch and an option with a value together": [["-hsx"], { help: true, "socket-path": "x" }],
  "one of several choices": [["--color", "never"], { color: "never" }],
  "-- at the end": [["--help", "--"], { help: true }],
};

Deno.test("arguments are read in every form", async (t) => {
  for (const [name, [args, values]] of Object.entries(accepted)) {
    await t.step(name, () => assertEquals({ ...readArguments(args, options) }, values));
  }
});

const refused: Record<string, [string[], RegExp]> = {
  "an unknown option": [["--sokcet-path", "x"], /'--sokcet-path'; did you mean '--socket-path'\?/],
  "an unknown short option": [["-x"], /unknown option '-x'; see --help/],
  "an argument by itself": [["x"], /unexpected argument 'x'/],
  "an argument after --": [["--", "-h"], /unexpected argument '-h'/],
  "an option given twice": [["-sx", "--socket-path=x"], /'--socket-path' is given twice/],
  "a switch given twice": [["-h", "-h"], /'-h' is given twice/],
  "a switch with a value": [["--help=x"], /'--help' takes no value, but 'x' is given/],
  "no value": [["--socket-path"], /'--socket-path' has no value; write --socket-path PATH/],
  "an option instead of a value": [["-s", "-h"], /'-s' has no value, '-h' follows it/],
  "an empty value": [["-s", ""], /'-s' has an empty value; write -s PATH/],
  "a choice that is none": [
    ["--color", "x"],
    /'--color' has the value 'x', expected always or never/,
  ],
};

Deno.test("arguments that make no sense are refused", async (t) => {
  for (const [name, [args, message]] of Object.entries(refused)) {
    await t.step(name, () => {
      assertMatch(assertThrows(() => readArguments(args, options), UsageError).message, message);
    });
  }
});

Deno.test("options are shown as people type them", () => {
  assertEquals(options.slice(2).map(optionSyntax), [
    "    --color WHEN",
    "-h, --help",
    "-V, --version",
  ]);
});

Deno.test("the word that was probably meant is found", () => {
  const words = ["socket-path", "socket-count", "fd", "list", "log-level"];
  const found = Object.fromEntries(
    ["socketpath", "Socket-Path", "lst", "log", "count", "fdd", "x", "", "frobnicate"]
      .map((word) => [word, closest(word, words)]),
  );
  assertEquals(found, {
    "socketpath": "socket-path",
    "Socket-Path": "socket-path",
    "lst": "list",
    "log": "log-level",
    "count": "socket-count",
    "fdd": "fd",
    "x": undefined,
    "": undefined,
    "frobnicate": undefined,
  });
});

Deno.test("integers are decimal or hexadecimal, and nothing else is one", () => {
  assertEquals(["0", "8", "007", "0x1f", "0XFF"].map(readInteger), [0, 8, 7, 31, 255]);
  for (
    const text of ["", " ", " 1", "1 ", "-1", "+1", "1.0", "1e1", "0x", "0b1", "x", "٣", "1_0"]
  ) {
    assertEquals(readInteger(text), undefined, text);
  }
  assertStrictEquals(readInteger("9007199254740991"), 2 ** 53 - 1);
  assertEquals(readInteger("9007199254740992"), undefined);
});

Deno.test("alternatives are listed as in a sentence", () => {
  assertEquals([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(anyOf), [
    "",
    "a",
    "a or b",
    "a, b or c",
  ]);
});

Deno.test("it takes no time to see that nothing like a very long word is known", () => {
  const words = Array.from({ length: 1000 }, (_, number) => `line-${number}`);
  const begin = performance.now();
  assertStrictEquals(closest("x".repeat(1 << 20), words), undefined);
  assertEquals(performance.now() - begin < 1000 * SLOWNESS, true);
});
