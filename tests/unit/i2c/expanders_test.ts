import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { PropertyError } from "../../../lib/simulation/check_value.ts";
import { OnBus } from "../../support/on_bus.ts";

Deno.test("PCF8574: lines are pulled up until somebody pulls them down, or the guest drives them low", () => {
  const chip = new OnBus("pcf8574", "p3: 0");
  assertEquals(chip.transaction([1]), [0xf7]);
  chip.set("p0", 0);
  assertEquals(chip.transaction([1]), [0xf6]);
  chip.transaction([[0x0f]]);
  assertEquals(chip.transaction([2]), [0x06, 0x06]);
  assertStrictEquals(chip.get("latch"), 0x0f);
  assertEquals(["p0", "p1", "p3", "p4"].map((name) => chip.get(name)), [0, 1, 0, 0]);
  assertThrows(() => chip.set("p4", 1), PropertyError, "the guest drives it low");
  chip.transaction([[0xff]]);
  assertEquals(chip.transaction([1]), [0xf6]);
});

Deno.test("PCF8574: each byte of a write is latched, and each of a read is looked at anew", () => {
  const chip = new OnBus("pcf8574");
  chip.transaction([[0x00, 0xaa]]);
  assertEquals(chip.transaction([1], 0, 1), [0xaa]);
});

Deno.test("PCF8574: INT calls for a line that has changed, until it is read, written or changed back", () => {
  const chip = new OnBus("pcf8574");
  assertStrictEquals(chip.get("interrupt"), false);
  for (const over of [() => chip.transaction([1]), () => chip.transaction([[0xff]])]) {
    chip.set("p7", 1 - (chip.get("p7") as number));
    assertStrictEquals(chip.get("interrupt"), true);
    over();
    assertStrictEquals(chip.get("interrupt"), false);
  }
  chip.set("p1", 0);
  assertStrictEquals(chip.get("interrupt"), true);
  chip.set("p1", 1);
  assertStrictEquals(chip.get("interrupt"), false);
});

Deno.test("PCA9535: inputs are what they are given, outputs what the guest drives", () => {
  const chip = new OnBus("pca9535", "{ p00: 1, p17: 1 }");
  assertEquals(chip.transaction([[0], 2]), [0x01, 0x80]);
  assertEquals(chip.transaction([[2], 2]), [0xff, 0xff]);
  assertEquals(chip.transaction([[6], 2]), [0xff, 0xff]);
  // The upper half of each port becomes an output.
  chip.transaction([[2, 0x50, 0xa0]]);
  chip.transaction([[6, 0x0f, 0x0f]]);
  assertEquals(chip.transaction([[0], 2]), [0x51, 0xa0]);
  assertStrictEquals(chip.get("outputs"), 0xf0f0);
  assertEquals(["p04", "p05", "p17"].map((name) => chip.get(name)), [1, 0, 1]);
  assertThrows(() => chip.set("p04", 0), PropertyError, "it is an output");
  chip.set("p12", 1);
  assertEquals(chip.transaction([[1], 1]), [0xa4]);
});

Deno.test("PCA9535: a register's neighbour follows, and then itself again", () => {
  const chip = new OnBus("pca9535");
  chip.transaction([[3, 1, 2, 3]]);
  assertEquals(chip.transaction([[2], 3]), [2, 3, 2]);
  // The number stays from one transaction to the next, of whatever guest.
  chip.transaction([[7]]);
  assertEquals(chip.transaction([1], 0, 1), [0xff]);
  assertEquals(chip.transaction([[0x8b], 1]), [3]);
});

Deno.test("PCA9535: the polarity inverts what is read, not what is driven, and no input register is written", () => {
  const chip = new OnBus("pca9535", "p00: 1");
  chip.transaction([[4, 0x03]]);
  assertEquals(chip.transaction([[0], 1]), [0x02]);
  assertStrictEquals(chip.get("p00"), 1);
  chip.transaction([[0, 0x55]]);
  assertEquals(chip.transaction([[0], 1]), [0x02]);
});

Deno.test("PCA9535: INT calls for inputs, until their own port is read", () => {
  const chip = new OnBus("pca9535", "p10: 0");
  chip.transaction([[6, 0xfe]]);
  assertEquals([chip.get("p00"), chip.get("p10")], [1, 0]);
  assertStrictEquals(chip.get("interrupt"), false);
  chip.set("p10", 1);
  assertStrictEquals(chip.get("interrupt"), true);
  chip.transaction([[0], 1]);
  assertStrictEquals(chip.get("interrupt"), true);
  chip.transaction([[1], 1]);
  assertStrictEquals(chip.get("interrupt"), false);
  chip.set("p10", 0);
  chip.set("p10", 1);
  assertStrictEquals(chip.get("interrupt"), false);
});

Deno.test("PCA9555: lines are pulled up", () => {
  const chip = new OnBus("pca9555", "p01: 0");
  assertEquals(chip.transaction([[0], 2]), [0xfd, 0xff]);
});

for (const [part, drive] of [["pcf8574", [[0xa5]]], ["pca9555", [[6, 0xa5, 0x0f]]]] as const) {
  Deno.test(`${part}: whoever looks at it knows which lines can be set`, () => {
    const chip = new OnBus(part);
    chip.transaction(drive.map((bytes) => [...bytes]));
    let refused = 0;
    for (const { name, setWhile } of chip.thing.describe().properties) {
      if (setWhile === undefined) continue;
      const { property, bit, is } = setWhile;
      const canBeSet = ((chip.get(property) as number) >> bit! & 1) === is;
      if (canBeSet) chip.set(name, 0);
      else assertThrows(() => chip.set(name, 0), PropertyError, "the guest drives it");
      refused += Number(!canBeSet);
    }
    assertStrictEquals(refused, part === "pcf8574" ? 4 : 8);
  });
}
