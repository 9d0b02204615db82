/** What of the page works without a browser. */

import { assertEquals } from "@std/assert";
import { readInteger, showValue, spaced } from "../../../../lib/ctl/panel/page/format.js";
import { History } from "../../../../lib/ctl/panel/page/history.js";
import { bytesOf, Memory } from "../../../../lib/ctl/panel/page/memory.js";
import { fillPixels } from "../../../../lib/ctl/panel/page/picture.js";

Deno.test("panel: a history keeps what is shown of it, however much there was", () => {
  const history = new History();
  for (let time = 0; time < 200_000; time++) history.add(time, time % 2);
  const { times, values } = history;
  // A minute, and the change before it.
  if (times[0] > 200_000 - 60_000 && times.length < 20_000) throw new Error(`${times.length}`);
  assertEquals([times.at(-1), values.at(-1), times.length], [199_999, 1, values.length]);
  assertEquals([history.changedSince(199_999), history.changedSince(200_000)], [true, false]);
  // What is told late is not drawn backwards.
  history.add(5, 0);
  assertEquals(history.times.at(-1), 199_999);
});

Deno.test("panel: of bytes that were written those are marked that are others than before", () => {
  const memory = new Memory();
  memory.bytes = new Uint8Array(16);
  memory.isStale = false;
  const marked = () =>
    Array.from({ length: 32 }, (_, at) => at).filter((at) => memory.changedAt(at) !== undefined);
  memory.change(4, 4, bytesOf("00010002"), 1);
  assertEquals(marked(), [5, 7]);
  assertEquals([...memory.bytes.subarray(4, 8)], [0, 1, 0, 2]);
  assertEquals(memory.isStale, false);
  // What is not known is taken for changed, and read again where it is looked at.
  memory.marks = [];
  memory.change(14, 6, bytesOf("00"), 2);
  assertEquals(marked(), [14, 15, 16, 17, 18, 19]);
  assertEquals(memory.isStale, true);
});

Deno.test("panel: pictures of one, eight and 24 bits a pixel", () => {
  const pixels = (bytes: number[], width: number, height: number, bits: 1 | 8 | 24) => {
    const filled = new Uint8ClampedArray(4 * width * height);
    fillPixels(Uint8Array.from(bytes), { width, height, bits }, filled);
    return Array.from(
      { length: width * height },
      (_, at) => [...filled.subarray(4 * at, 4 * at + 4)],
    );
  };
  const lit = (rows: number[][]) => rows.map(([, , blue]) => blue);
  // A row begins with a byte of its own.
  assertEquals(lit(pixels([0b1010_0000, 0b0100_0000], 3, 2, 1)), [255, 0, 255, 0, 255, 0]);
  assertEquals(lit(pixels([0, 128, 255], 3, 1, 8)), [0, 128, 255]);
  assertEquals(pixels([1, 2, 3, 4, 5, 6], 1, 2, 24), [[1, 2, 3, 255], [4, 5, 6, 255]]);
});

Deno.test("panel: values as people read them", () => {
  const number = { name: "x", type: "number", set: "both", help: "" } as const;
  assertEquals(showValue(number, 36.0625), "36.0625");
  assertEquals(showValue(number, 0.1 + 0.2), "0.3");
  assertEquals(showValue({ ...number, base: 16 }, 10), "0x0a");
  assertEquals(showValue(number, undefined), "–");
  assertEquals(showValue(number, []), "none");
  assertEquals(spaced("0a0b0c"), "0a 0b 0c");
  assertEquals([readInteger("0x10"), readInteger(" 7 "), readInteger("x")], [16, 7, undefined]);
});
