import { assertEquals, assertThrows } from "@std/assert";
import type { DescribedProperty } from "../../../lib/ctl/described.ts";
import { readValue, showValue, splitAssignment } from "../../../lib/ctl/values.ts";
import { UsageError } from "../../../lib/errors.ts";

function property(type: DescribedProperty["type"], more: object = {}): DescribedProperty {
  return { name: "it", type, set: "both", help: "", ...more };
}

const level = property("integer", { from: 0, to: 1 });
const celsius = property("number", { from: -55, to: 125, unit: "°C" });
const register = property("integer", { from: 0, to: 255, base: 16 });
const flag = property("boolean");
const choice = property("choice", { choices: ["input", 8, 16], unit: "bit" });
const numbers = property("numbers", { count: 3 });

Deno.test("values are read as the property has them, and shown so that they can be read again", () => {
  const cases: [DescribedProperty, string, unknown, string][] = [
    [level, "1", 1, "1"],
    [level, "off", 0, "0"],
    [level, "Active", 1, "1"],
    [level, "7", 7, "7"],
    [celsius, "-12.5", -12.5, "-12.5"],
    [celsius, "85 °C", 85, "85"],
    [celsius, "+.5°C", 0.5, "0.5"],
    [register, "0x1f", 31, "0x1f"],
    [register, "-0x10", -16, "0x-10"],
    [flag, "on", true, "true"],
    [flag, "0", false, "false"],
    [choice, "input", "input", "input"],
    [choice, "16", 16, "16"],
    [choice, "8bit", 8, "8"],
    [choice, "none", "none", "none"],
    [numbers, "0,2", [0, 2], "0,2"],
    [numbers, "all", [0, 1, 2], "0,1,2"],
    [numbers, "none", [], "none"],
    [property("text"), "a b", "a b", "a b"],
  ];
  for (const [property, text, value, shown] of cases) {
    assertEquals(readValue("it", property, text), value as never, text);
    if (text !== "-0x10") assertEquals(showValue(property, value), shown, text);
  }
  assertEquals(showValue(flag, undefined), "");
});

Deno.test("values that are nothing of the kind are refused", () => {
  const cases: [DescribedProperty, string, RegExp][] = [
    [level, "up", /^it=up: expected a whole number from 0 to 1$/],
    [celsius, "hot", /^it=hot: expected a number from -55 to 125 °C$/],
    [celsius, "on", /expected a number/],
    [celsius, "", /expected a number/],
    [celsius, "1e3", /expected a number/],
    [celsius, "constructor", /expected a number/],
    [flag, "constructor", /expected true or false/],
    [flag, "2", /expected true or false/],
    [numbers, "1,,2", /expected numbers with commas/],
    [property("bytes"), "1", /use the commands 'read' and 'write'/],
  ];
  for (const [property, text, message] of cases) {
    const error = assertThrows(() => readValue("it", property, text), UsageError);
    assertEquals(message.test(error.message), true, `${text}: ${error.message}`);
  }
});

Deno.test("an assignment has a name, and everything after the first equals sign is its value", () => {
  assertEquals(splitAssignment("a.b=c=d"), { name: "a.b", value: "c=d" });
  assertEquals(splitAssignment("a="), { name: "a", value: "" });
  for (const text of ["a", "=1", ""]) {
    assertThrows(() => splitAssignment(text), UsageError, "write NAME=VALUE");
  }
});
