import { assertEquals, assertThrows } from "@std/assert";
import type { DescribedProperty, DescribedThing } from "../../../lib/ctl/described.ts";
import {
  findProperty,
  findThing,
  isThing,
  labelsOf,
  type Named,
  shownThing,
} from "../../../lib/ctl/names.ts";
import { UsageError } from "../../../lib/errors.ts";

const value: DescribedProperty = { name: "value", type: "integer", set: "both", help: "" };
const direction: DescribedProperty = { name: "direction", type: "choice", set: "start", help: "" };
const contents: DescribedProperty = { name: "contents", type: "bytes", set: "both", help: "" };

function thing(
  name: string,
  alias: string | undefined,
  guests: number[],
  properties: DescribedProperty[] = [direction, value],
): DescribedThing {
  const rest = { part: "", help: "", place: "", faults: [] };
  return { name, ...(alias !== undefined && { alias }), guests, properties, ...rest };
}

const gpio: Named = {
  label: "gpio",
  things: [
    thing("0/lid", "0", [0]),
    thing("1/lid", "0", [1]),
    thing("relay", "1", [0]),
    thing("fan.speed", "1", [1]),
  ],
};
const i2c: Named = {
  label: "i2c",
  things: [
    thing("lid", "0x50", [0, 2], [contents]),
    thing("relay", "0x48", [0, 2], [direction, contents]),
    thing("bus", undefined, [0, 2], [direction, { ...direction, name: "stuck" }]),
    thing("0x51", undefined, [0, 2], [contents]),
  ],
};
const both = [gpio, i2c];

Deno.test("names of things, from the shortest to the longest", () => {
  const cases: [string, string, string][] = [
    ["1/lid", "gpio", "1/lid"],
    ["gpio:0/lid", "gpio", "0/lid"],
    ["i2c:lid", "i2c", "lid"],
    ["2/lid", "i2c", "lid"],
    ["0x50", "i2c", "lid"],
    ["2/0x50", "i2c", "lid"],
    ["gpio:relay", "gpio", "relay"],
    ["i2c:0/0x48", "i2c", "relay"],
    ["bus", "i2c", "bus"],
    ["1/1", "gpio", "fan.speed"],
  ];
  for (const [written, label, name] of cases) {
    const { daemon, thing } = findThing(both, written);
    assertEquals([daemon.label, thing.name], [label, name], written);
  }
});

Deno.test("things are shown by the shortest name that leads to them", () => {
  for (const daemon of both) {
    for (const thing of daemon.things) {
      const shown = shownThing(both, { daemon, thing });
      assertEquals(findThing(both, shown), { daemon, thing }, shown);
    }
  }
  const shown = both.flatMap((daemon) =>
    daemon.things.map((thing) => shownThing(both, { daemon, thing }))
  );
  assertEquals(shown, [
    ...["gpio:0/lid", "1/lid", "gpio:relay", "fan.speed"],
    ...["i2c:lid", "i2c:relay", "bus", "0x51"],
  ]);
});

Deno.test("names of properties: the main one, or one that follows a dot", () => {
  const cases: [string, string][] = [
    ["1/lid", "1/lid"],
    ["1/lid.value", "1/lid"],
    ["gpio:0/lid.direction", "0/lid.direction"],
    ["fan.speed", "fan.speed"],
    ["fan.speed.direction", "fan.speed.direction"],
    ["2/lid", "lid.contents"],
    ["0x50.contents", "lid.contents"],
    ["bus.stuck", "bus.stuck"],
  ];
  for (const [written, name] of cases) {
    assertEquals(findProperty(both, written).name, name, written);
    assertEquals(findProperty(both, written).written, written);
  }
});

Deno.test("names that nothing or too much has are explained", () => {
  const cases: [string, RegExp][] = [
    ["lid", /more than one 'lid'; choose from gpio:0\/lid, 1\/lid, i2c:lid$/],
    ["lid.direction", /more than one 'lid'/],
    ["0/lid", /choose from gpio:0\/lid, i2c:lid$/],
    ["spi:lid", /there is no 'spi:lid'; did you mean 'i2c:lid'\?/],
    ["buss", /there is no 'buss'; did you mean 'bus'\?/],
    ["buss.stuck", /did you mean 'bus'\?/],
    ["xyzzy", /there is no 'xyzzy'; see what 'info' lists/],
    ["", /there is no ''; see/],
    [":", /there is no ':'/],
    ["bus", /'bus' has several properties; choose from bus\.direction, bus\.stuck$/],
    ["bus.stack", /'bus' has no property 'stack'; it has direction, stuck$/],
  ];
  for (const [written, message] of cases) {
    const error = assertThrows(() => findProperty(both, written), UsageError);
    assertEquals(message.test(error.message), true, error.message);
  }
  assertEquals(["lid", "bus", "bus.stuck", "spi:lid"].map((name) => isThing(both, name)), [
    ...[true, true, false, false],
  ]);
});

Deno.test("daemons of the same kind are numbered", () => {
  const programs = ["gpio", "i2c", "gpio"].map((type) => `vhost-device-${type}`);
  assertEquals(labelsOf(programs), ["gpio1", "i2c", "gpio2"]);
  assertEquals(labelsOf(["vhost-device-spi"]), ["spi"]);
});
