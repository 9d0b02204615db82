import { assertEquals } from "@std/assert";
import { UnmappingPace } from "../../../lib/virtio/unmapping_pace.ts";

/** A pace of 500 a second, on a clock that only goes on while it sleeps. */
function paced(perSecond = 500) {
  const time = { now: 1000, slept: 0 };
  const pace = new UnmappingPace(perSecond, () => time.now, (milliseconds) => {
    time.now += milliseconds;
    time.slept += milliseconds;
  });
  return { pace, time };
}

Deno.test("as much memory as anybody needs is unmapped without a pause", () => {
  const { pace, time } = paced();
  for (let count = 0; count < 8; count++) {
    pace.pause();
    pace.unmapped(1);
  }
  pace.pause();
  assertEquals(time.slept, 0);
});

Deno.test("beyond that, unmapping comes down to its pace", () => {
  const { pace, time } = paced();
  pace.unmapped(8);
  for (let count = 0; count < 100; count++) {
    pace.unmapped(1);
    pace.pause();
  }
  assertEquals(time.slept, 200);
});

Deno.test("no pause is long, and what is left over is made up for by the next", () => {
  const { pace, time } = paced();
  pace.unmapped(8 + 12);
  pace.pause();
  assertEquals(time.slept, 16);
  pace.pause();
  assertEquals(time.slept, 24);
});

Deno.test("time that passes gives everything back, and no more than that", () => {
  const { pace, time } = paced();
  pace.unmapped(8 + 100);
  time.now += 1e6;
  pace.unmapped(8);
  pace.pause();
  assertEquals(time.slept, 0);
  pace.unmapped(1);
  pace.pause();
  assertEquals(time.slept, 2);
});

Deno.test("a guest that has the daemon for itself is never slowed down", () => {
  const { pace, time } = paced(Infinity);
  pace.unmapped(1e6);
  pace.pause();
  assertEquals(time.slept, 0);
});
