import { assertEquals } from "@std/assert";
import { WiredLine } from "../../../lib/control/wired_line.ts";
import type { PinState } from "../../../lib/simulation/pins.ts";

/** A pin that is active-low, or active-high. */
function low(calls: boolean, changed = false): PinState {
  return { name: "interrupt", calls, level: calls ? 0 : 1, changed };
}

function high(calls: boolean, changed = false): PinState {
  return { name: "interrupt", calls, level: calls ? 1 : 0, changed };
}

/** What the line is told, one level after another, until there is nothing more. */
function tell(line: WiredLine): number[] {
  const levels: number[] = [];
  for (let level = line.next(); level !== undefined; level = line.next()) {
    levels.push(level);
    line.told(true);
  }
  return levels;
}

function levelWith(...pins: PinState[]): number[] {
  const line = new WiredLine("line");
  line.drive(pins);
  return tell(line);
}

Deno.test("a line has the level of its pin", () => {
  assertEquals([low(false), low(true), high(false), high(true)].map((pin) => levelWith(pin)), [
    [1],
    [0],
    [0],
    [1],
  ]);
});

Deno.test("of several pins any that calls is seen, and a low level wins", () => {
  assertEquals(levelWith(low(false), low(true)), [0]);
  assertEquals(levelWith(low(true), low(false)), [0]);
  assertEquals(levelWith(high(false), high(true), high(false)), [1]);
  assertEquals(levelWith(high(true), low(true)), [0]);
  assertEquals(levelWith(low(false), high(true)), [1]);
});

Deno.test("a line is told only what is new", () => {
  const line = new WiredLine("line");
  line.drive([low(false)]);
  assertEquals(tell(line), [1]);
  line.drive([low(true, true)]);
  assertEquals(tell(line), [0]);
  line.drive([low(true)]);
  assertEquals(tell(line), []);
});

Deno.test("a pin that was quick is seen as an edge", () => {
  const line = new WiredLine("line");
  line.drive([high(true)]);
  assertEquals(tell(line), [1]);
  line.drive([high(true, true)]);
  assertEquals(tell(line), [0, 1]);
  line.drive([high(true)]);
  assertEquals(tell(line), []);
});

Deno.test("a quick pin is not seen where another one calls all the time", () => {
  const line = new WiredLine("line");
  line.drive([low(true), low(false)]);
  assertEquals(tell(line), [0]);
  line.drive([low(true), low(false, true)]);
  assertEquals(tell(line), []);
});

Deno.test("one level is told after another, and the last one in the end", () => {
  const line = new WiredLine("line");
  line.drive([low(false)]);
  assertEquals([line.next(), line.next()], [1, undefined]);
  for (const calls of [true, false, true]) line.drive([low(calls, true)]);
  assertEquals(line.next(), undefined);
  line.told(true);
  assertEquals(tell(line), [0]);
  line.drive([low(false, true)]);
  assertEquals(line.next(), 1);
  line.drive([low(true, true)]);
  line.drive([low(false, true)]);
  line.told(true);
  // It has called in between.
  assertEquals(tell(line), [0, 1]);
});

Deno.test("what was refused is told again, and so is all after a new beginning", () => {
  const line = new WiredLine("line");
  line.drive([low(true)]);
  assertEquals(line.next(), 0);
  line.told(false);
  assertEquals(line.next(), 0);
  line.forget();
  assertEquals(tell(line), [0]);
});
