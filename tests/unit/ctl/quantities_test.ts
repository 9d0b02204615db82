import { assertEquals, assertThrows } from "@std/assert";
import { showEvent, showMoment } from "../../../lib/ctl/events.ts";
import { Hold } from "../../../lib/ctl/hold.ts";
import { readCount, readRange, readTime, showTime } from "../../../lib/ctl/quantities.ts";
import { alignedLines } from "../../../lib/ctl/table.ts";
import { UsageError } from "../../../lib/errors.ts";

Deno.test("times have a unit, or are milliseconds", () => {
  const cases: [string, number][] = [
    ["50", 50],
    ["50ms", 50],
    ["1.5s", 1500],
    ["500 us", 0.5],
    ["2m", 120_000],
    ["2min", 120_000],
    ["1h", 3_600_000],
    ["0", 0],
  ];
  for (const [text, time] of cases) assertEquals(readTime("for", text), time, text);
  for (const text of ["", "s", "-1s", "1d", "1 constructor", "1s2", "1e3", ".s"]) {
    assertThrows(() => readTime("for", text), UsageError, `'--for' has the value '${text}'`);
  }
  assertEquals([40, 999, 1000, 1500].map(showTime), ["40 ms", "999 ms", "1 s", "1.5 s"]);
});

Deno.test("ranges of bytes have a beginning, an end, or both", () => {
  assertEquals(readRange("0x10:16"), { at: 16, length: 16 });
  assertEquals(readRange(":4"), { at: 0, length: 4 });
  assertEquals(readRange("4:"), { at: 4 });
  for (const text of ["", "4", "a:4", "4:b", "1:2:3", "-1:2"]) {
    assertThrows(() => readRange(text), UsageError, "expected AT:LENGTH");
  }
});

Deno.test("counts are whole numbers from somewhere on", () => {
  assertEquals(readCount("count", "3", 1), 3);
  for (const text of ["0", "1.5", "x", "-1"]) {
    assertThrows(() => readCount("count", text, 1), UsageError, "a whole number from 1 on");
  }
});

Deno.test("columns are aligned by characters, and no line ends in blanks", () => {
  assertEquals(
    alignedLines([["a", "°C", "x"], ["bcd", "", ""], ["e", "1", ""]], "  "),
    ["  a    °C  x", "  bcd", "  e    1"],
  );
  assertEquals(alignedLines([]), []);
});

Deno.test("something holds once it has done so for long enough without a break", () => {
  const hold = new Hold(100);
  assertEquals([hold.longest(0), hold.isDone(0), hold.left(0)], [undefined, false, Infinity]);
  hold.see(true, 10);
  hold.see(true, 50);
  assertEquals([hold.left(60), hold.isDone(109)], [50, false]);
  hold.see(false, 90);
  assertEquals([hold.longest(500), hold.isDone(500), hold.left(500)], [80, false, Infinity]);
  hold.see(true, 600);
  assertEquals([hold.longest(650), hold.isDone(699), hold.isDone(700)], [80, false, true]);
  // That it ended later, and is told together with that, changes nothing.
  hold.see(false, 710);
  assertEquals(hold.isDone(2000), true);
  const atOnce = new Hold(0);
  atOnce.see(true, 5);
  atOnce.see(false, 5);
  assertEquals(atOnce.isDone(5), true);
});

Deno.test("events as lines", () => {
  assertEquals(showMoment(0.25), "1970-01-01T00:00:00.250000Z");
  assertEquals(showMoment(1700000000.999999), "2023-11-14T22:13:20.999999Z");
  const head = { sequence: 0, time: 0 };
  assertEquals(
    showEvent({ ...head, kind: "property", name: "x", value: 1 }, "i2c:x", "1"),
    "i2c:x=1",
  );
  assertEquals(
    showEvent({ ...head, kind: "property", name: "e", at: 8, length: 300, data: "0102" }, "e", ""),
    "e 8:300=0102... (300 bytes)",
  );
  assertEquals(showEvent({ ...head, kind: "missed", count: 3 }, "", ""), "3 events were missed");
  const messages = [{ write: "00" }, { read: "ff", length: 300 }];
  assertEquals(
    showEvent(
      { ...head, kind: "transaction", guest: 1, place: "address 0x50", messages, ok: false },
      "",
      "",
    ),
    "guest 1, address 0x50: write 00, read ff... (300 bytes), failed",
  );
});
