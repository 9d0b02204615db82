import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import { PropertyError } from "../../../lib/simulation/check_value.ts";
import { monotonicTime } from "../../../ffi/clock.ts";
import { i2cParts } from "../../../lib/i2c/simulated/parts.ts";
import { pause } from "../../support/wait.ts";
import { OnBus } from "../../support/on_bus.ts";

/** How far a clock is from the host's, in seconds. */
function ahead(chip: OnBus): number {
  return (Date.parse(chip.get("time") as string) - Date.now()) / 1000;
}

function assertNear(found: number, expected: number): void {
  // A loaded machine takes some time.
  assert(Math.abs(found - expected) < 60, `${found} s, not ${expected} s`);
}

const CLOCKS = [
  // By part: the first register of the time, and what it holds on 31 December 2099, a Thursday.
  { part: "ds1307", first: 0, last: [0x59, 0x59, 0x23, 0x05, 0x31, 0x12, 0x99] },
  { part: "pcf8563", first: 2, last: [0x59, 0x59, 0x23, 0x31, 0x04, 0x12, 0x99] },
];

for (const { part, first, last } of CLOCKS) {
  Deno.test(`${part}: it has the host's time, and runs on from one that it is given`, () => {
    assertNear(ahead(new OnBus(part)), 0);
    const chip = new OnBus(part, "time: 2001-02-03T04:05:06Z");
    assertNear(ahead(chip), (Date.UTC(2001, 1, 3, 4, 5, 6) - Date.now()) / 1000);
    chip.set("time", "2030-01-01 00:00:00");
    assertNear(ahead(chip), (Date.UTC(2030, 0, 1) - Date.now()) / 1000);
    const before = chip.get("time") as string;
    assert(/^2030-01-01T00:0\d:\d\dZ$/.test(before), before);
  });

  Deno.test(`${part}: a time that there is not is refused`, () => {
    const chip = new OnBus(part);
    for (const time of ["2030-02-30T00:00:00Z", "1999-12-31T23:59:59Z", "noon", "", 5]) {
      assertThrows(() => chip.set("time", time), PropertyError, "expected a time in UTC");
    }
    assertThrows(() => new OnBus(part, "time: 2100-01-01T00:00:00Z"), UsageError, "2000 to 2099");
  });

  Deno.test(`${part}: its registers are the time in decimals`, () => {
    const chip = new OnBus(part);
    chip.transaction([[0, first === 0 ? 0x80 : 0x20]]);
    chip.set("time", "2099-12-31T23:59:59Z");
    const stop = first === 0 ? 0x80 : 0;
    const registers = chip.transaction([[first], 7]) as number[];
    assertEquals(registers, [last[0] | stop, ...last.slice(1)]);
    chip.set("time", "2000-02-29T00:09:10Z");
    const leap = first === 0
      ? [0x10 | stop, 0x09, 0x00, 0x03, 0x29, 0x02, 0x00]
      : [0x10, 0x09, 0x00, 0x29, 0x02, 0x02, 0x00];
    assertEquals(chip.transaction([[first], 7], 0, 1), leap);
  });

  Deno.test(`${part}: it runs on from what is written to its registers`, () => {
    const chip = new OnBus(part);
    chip.transaction([[first, ...last]]);
    assertNear(ahead(chip), (Date.UTC(2099, 11, 31, 23, 59, 59) - Date.now()) / 1000);
    // Minutes alone leave the rest as it is.
    chip.transaction([[first, 0x00]]);
    chip.transaction([[first + 1, 0x30]]);
    const time = chip.get("time") as string;
    assert(/^2099-12-31T23:3\d:\d\dZ$/.test(time), time);
  });

  Deno.test(`${part}: after the last year comes the first, and nonsense is no time, but no harm`, () => {
    const chip = new OnBus(part, "time: 2099-12-31T23:59:59Z");
    // A wait would be a second long: the clock stands instead, and the month is one further.
    chip.transaction([[first, ...last.map((byte) => byte === 0x12 ? 0x13 : byte)]]);
    const time = chip.get("time") as string;
    assert(time.startsWith("2000-01-31T23:59:59") || time.startsWith("2000-02-01T00:0"), time);
    chip.transaction([[first, ...Array(7).fill(0xff)]]);
    assert(/^20\d\d-\d\d-\d\dT/.test(chip.get("time") as string));
    chip.transaction([[first], 16]);
  });

  Deno.test(`${part}: a weekday is what the guest says it is, and goes on from there`, () => {
    const chip = new OnBus(part, "time: 2026-11-26T12:00:00Z");
    const at = first === 0 ? 3 : 6;
    const base = first === 0 ? 1 : 0;
    assertEquals(chip.transaction([[at], 1]), [4 + base]);
    chip.transaction([[at, 0 + base]]);
    assertEquals(chip.transaction([[at], 1]), [0 + base]);
    chip.set("time", "2026-11-28T12:00:00Z");
    assertEquals(chip.transaction([[at], 1]), [2 + base]);
  });
}

Deno.test("DS1307: a clock that is stopped stands still, and runs on from there", () => {
  const chip = new OnBus("ds1307", "{ stopped: true, time: 2020-01-01T00:00:00Z }");
  assertStrictEquals(chip.get("time"), "2020-01-01T00:00:00Z");
  assertEquals(chip.transaction([[0], 1]), [0x80]);
  chip.transaction([[0, 0x30]]);
  assertStrictEquals(chip.get("stopped"), false);
  const time = chip.get("time") as string;
  assertNear(Date.parse(time) / 1000, Date.UTC(2020, 0, 1, 0, 0, 30) / 1000);
  assert(Date.parse(time) >= Date.UTC(2020, 0, 1, 0, 0, 30), time);
});

Deno.test("DS1307: hours can be those of a clock with hands", () => {
  const chip = new OnBus("ds1307", "{ stopped: true, time: 2020-01-01T13:00:00Z }");
  const hours = (byte: number) => {
    chip.transaction([[2, byte]]);
    return [
      (chip.transaction([[2], 1]) as number[])[0],
      (chip.get("time") as string).slice(11, 13),
    ];
  };
  assertEquals(hours(0x52), [0x52, "00"]);
  assertEquals(hours(0x72), [0x72, "12"]);
  assertEquals(hours(0x61), [0x61, "13"]);
  assertEquals(hours(0x51), [0x51, "11"]);
  assertEquals(hours(0x20), [0x20, "20"]);
});

Deno.test("DS1307: it has 56 bytes of RAM behind its registers, and after them come the first again", () => {
  const chip = new OnBus("ds1307", "{ stopped: true, time: 2020-01-01T00:00:00Z, ram: { 55: 7 } }");
  assertEquals(chip.transaction([[0x3f], 2]), [7, 0x80]);
  chip.transaction([[0x08, 1, 2]]);
  assertEquals([...chip.thing.read("ram", 0, 3)], [1, 2, 0]);
  assertEquals(chip.transaction([[0x07, 0xff], [0x07], 2]), [0x93, 1]);
});

Deno.test("PCF8563: it says that its supply was too low until it is set", () => {
  const chip = new OnBus("pcf8563", "voltage-low: true");
  assertEquals((chip.transaction([[2], 1]) as number[])[0] & 0x80, 0x80);
  chip.transaction([[2, 0x15]]);
  assertStrictEquals(chip.get("voltage-low"), false);
  assertEquals((chip.transaction([[2], 1]) as number[])[0] & 0x80, 0);
  chip.set("voltage-low", true);
  assertEquals((chip.transaction([[2], 1]) as number[])[0] & 0x80, 0x80);
});

Deno.test("PCF8563: its century is kept, and so is the alarm", () => {
  const chip = new OnBus("pcf8563", "time: 2020-06-01T00:00:00Z");
  chip.transaction([[7, 0x86]]);
  assertEquals(chip.transaction([[7], 1]), [0x86]);
  assertEquals(chip.transaction([[9], 8]), [0x80, 0x80, 0x80, 0x80, 0x80, 3, 0, 0]);
  chip.transaction([[9, 0x30, 0x12]]);
  assertEquals(chip.transaction([[9], 2]), [0x30, 0x12]);
});

Deno.test("PCF8563: the guest can stop it", () => {
  const chip = new OnBus("pcf8563", "time: 2020-06-01T00:00:00Z");
  chip.transaction([[0, 0x20]]);
  assertStrictEquals(chip.get("stopped"), true);
  chip.set("time", "2021-06-01T00:00:00Z");
  assertStrictEquals(chip.get("time"), "2021-06-01T00:00:00Z");
});

Deno.test("PCF8563: the alarm calls when its minute begins, until its flag is cleared", () => {
  const chip = new OnBus("pcf8563", "time: 2024-02-29T12:29:59Z");
  const minuteIsOver = () => {
    chip.set("time", "2024-02-29T12:29:59Z");
    pause(1050);
  };
  // At half past twelve; the interrupt is not enabled.
  chip.transaction([[9, 0x30, 0x12, 0x80, 0x80]]);
  minuteIsOver();
  assertEquals([chip.transaction([[1], 1]), chip.get("interrupt")], [[0x08], false]);
  chip.transaction([[1, 0x0a]]);
  assertEquals([chip.transaction([[1], 1]), chip.get("interrupt")], [[0x0a], true]);
  chip.transaction([[1, 0x02]]);
  assertEquals([chip.transaction([[1], 1]), chip.get("interrupt")], [[0x02], false]);
  // A flag that is not set cannot be, and the minute has begun before.
  chip.transaction([[1, 0x0e]]);
  assertEquals([chip.transaction([[1], 1]), chip.get("interrupt")], [[0x02], false]);
  // Nor is there an alarm where all of it is left out.
  chip.transaction([[9, 0x80, 0x80]]);
  minuteIsOver();
  assertEquals(chip.transaction([[1], 1]), [0x02]);
  chip.transaction([[9, 0x30, 0x12]]);
  // Whoever sets the clock to the minute is not called.
  chip.set("time", "2024-02-29T12:30:00Z");
  assertStrictEquals(chip.get("interrupt"), false);
});

Deno.test("PCF8563: all parts of an alarm have to fit that are not left out", () => {
  const { due, get } = i2cParts.get("pcf8563").live!.interrupt;
  const state = (alarm: number[], control = 0x02) => {
    const chip = new OnBus("pcf8563", "time: 2024-02-28T23:59:00Z");
    chip.transaction([[9, ...alarm]]);
    chip.transaction([[1, control]]);
    return chip.state;
  };
  const minutes = (alarm: number[], control?: number) => {
    const memory = state(alarm, control);
    assertStrictEquals(get(memory, {}), false);
    return Math.round((due!(memory, {}) - monotonicTime()) / 60_000);
  };
  // 28 February 2024 is a Wednesday.
  assertStrictEquals(minutes([0x01, 0x80, 0x80, 0x80]), 2);
  assertStrictEquals(minutes([0x01, 0x01, 0x80, 0x80]), 62);
  assertStrictEquals(minutes([0x80, 0x80, 0x29, 0x80]), 1);
  assertStrictEquals(minutes([0x80, 0x80, 0x80, 0x04]), 1);
  assertStrictEquals(minutes([0x58, 0x23, 0x29, 0x04]), 24 * 60 - 1);
  // Another day: it is looked at again in one.
  assertStrictEquals(minutes([0x58, 0x23, 0x29, 0x03]), 24 * 60 + 1);
  assertStrictEquals(minutes([0x80, 0x80, 0x80, 0x80]), Infinity);
  assertStrictEquals(minutes([0x01, 0x80, 0x80, 0x80], 0x00), Infinity);
});
