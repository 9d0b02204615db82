/** What the example of a configuration file has to say of real chips. */

import { assertEquals } from "@std/assert";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { readGuests } from "../../../lib/gpio/config.ts";

/** Each guest's chip and its lines, as the guest will know them. */
function read(text: string): unknown[] {
  const guests = readGuests(ConfigNode.parse("gpio.yaml", text).mapping(["guests"]).guests!);
  return guests.map((guest) =>
    guest.kind === "host"
      ? [guest.chip, guest.lines?.map(({ line, name }) => name ?? line)]
      : guest.lines.map(({ name }) => name)
  );
}

const file = new URL("../../../examples/gpio.yaml", import.meta.url);
const example = Deno.readTextFileSync(file);

Deno.test("the example is one guest with simulated lines", () => {
  assertEquals(read(example), [
    ["led-red", "led-green", "relay", "relay-sense", "lid", ""],
  ]);
});

Deno.test("what the example has in comments is right as well, without them", () => {
  const hidden = example.slice(example.indexOf("# guests:")).replaceAll(/^# /gm, "");
  assertEquals(read(hidden), [
    [0, [4, "relay", "door", "power-good"]],
    ["INT3450:00", [0, 1, "LED"]],
  ]);
});
