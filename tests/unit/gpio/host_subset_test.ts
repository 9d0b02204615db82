/** Which lines of a chip a guest gets, and what they are called. */

import { assertEquals, assertMatch, assertThrows, fail } from "@std/assert";
import { RuntimeError, UsageError } from "../../../lib/errors.ts";
import type { HostSettings, LineChoice } from "../../../lib/gpio/host/settings.ts";
import { chooseLines, refuseOverlap } from "../../../lib/gpio/host/choose_lines.ts";

const never = (message: string): void => fail(message);

function pick(line: number | string, rest: Partial<LineChoice> = {}): LineChoice {
  return { line, access: "read-write", ...rest };
}

function chip(...names: string[]) {
  return { title: 'gpiochip0 "test"', names };
}

/** Numbers and names of what is chosen. */
function choose(names: string[], choices?: LineChoice[], warn = never): [number, string][] {
  return chooseLines(chip(...names), choices, warn).map(({ offset, name }) => [offset, name]);
}

Deno.test("without a choice all lines are there, in the host's order", () => {
  assertEquals(choose(["a", "", "c"]), [[0, "a"], [1, ""], [2, "c"]]);
});

Deno.test("chosen lines have the order of the choice", () => {
  assertEquals(choose(["a", "b", "c"], [pick(2), pick("a")]), [[2, "c"], [0, "a"]]);
});

Deno.test("a name of one's own wins over the host's, and an empty one hides it", () => {
  const choices = [pick(0, { name: "x" }), pick(1, { name: "" })];
  assertEquals(choose(["a", "b"], choices), [[0, "x"], [1, ""]]);
});

Deno.test("a host's name that is given to another line is dropped with a warning", () => {
  const warnings: string[] = [];
  const lines = choose(["a", "b"], [pick(0), pick(1, { name: "a" })], (w) => warnings.push(w));
  assertEquals(lines, [[0, ""], [1, "a"]]);
  assertEquals(warnings.length, 1);
});

Deno.test("the same name on the host is kept for the first line only", () => {
  const warnings: string[] = [];
  const lines = choose(["nc", "x", "nc", "nc"], undefined, (warning) => warnings.push(warning));
  assertEquals(lines, [[0, "nc"], [1, "x"], [2, ""], [3, ""]]);
  assertMatch(warnings.join(), /no name for lines 2 and 3 of gpiochip0 "test"/);
});

Deno.test("G8 a name that is not printable ASCII is dropped with a warning", () => {
  for (const name of ["grün", "tab\t", "\u007f", "\ufffd"]) {
    const warnings: string[] = [];
    assertEquals(choose([name], undefined, (warning) => warnings.push(warning)), [[0, ""]]);
    assertMatch(warnings.join(), /no name for line 0 of gpiochip0 "test": .*ASCII/);
  }
});

Deno.test("many lines make one warning of bounded length", () => {
  const warnings: string[] = [];
  choose(new Array(1000).fill("nc"), undefined, (warning) => warnings.push(warning));
  assertEquals(warnings.length, 1);
  assertMatch(warnings[0], /1, 2, 3, 4, 5, 6, 7, 8 and 991 more/);
});

Deno.test("rules stay with their line", () => {
  const rules = { access: "output", bias: "pull-up", safe: 1 } as const;
  const [, line] = chooseLines(chip("a", "b"), [pick(0), pick(1, rules)], never);
  assertEquals(line, { offset: 1, name: "b", ...rules });
});

Deno.test("a line that is not there is the host's fault, with what there is", () => {
  assertEquals(
    assertThrows(() => choose(["a", "b"], [pick(2)]), RuntimeError).message,
    'gpiochip0 "test" has no line 2; its lines are 0 to 1',
  );
});

Deno.test("a name that two lines have does not pick one", () => {
  assertEquals(
    assertThrows(() => choose(["x", "x"], [pick("x")]), Error).message,
    `lines 0 and 1 of gpiochip0 "test" are both named 'x'; use a number`,
  );
});

Deno.test("a line picked twice is refused, by name and by number", () => {
  assertMatch(
    assertThrows(() => choose(["a", "b"], [pick(1), pick("b")]), UsageError).message,
    /^line 1 of .* is picked twice/,
  );
});

function guest(guest: number, chip: string, ...offsets: number[]) {
  const lines = offsets.map((offset) => ({ offset, name: "", access: "read-write" as const }));
  const settings: HostSettings = { kind: "host", path: "", chip, label: "", lines };
  return { guest, settings };
}

Deno.test("guests may share a chip, but no line", () => {
  refuseOverlap([guest(0, "gpiochip0", 0, 1), guest(2, "gpiochip0", 2, 3)]);
  const both = () => refuseOverlap([guest(0, "gpiochip0", 0, 1), guest(2, "gpiochip0", 3, 1)]);
  assertMatch(
    assertThrows(both, UsageError).message,
    /^guests 0 and 2 would both get line 1 of gpiochip0; /,
  );
});

Deno.test("the same line of two chips is not the same", () => {
  refuseOverlap([guest(0, "gpiochip0", 1), guest(1, "gpiochip1", 1)]);
});
