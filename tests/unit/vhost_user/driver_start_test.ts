import { assertStrictEquals } from "@std/assert";
import { beginsAnew, wasAtWork } from "../../../lib/vhost_user/driver_start.ts";
import type { RingPosition } from "../../../lib/virtio/split_queue.ts";

const LEFT: RingPosition = { available: 0, used: 0, lastHead: 3, lastWritten: 2 };

Deno.test("V5 a driver begins anew where it sets up a ring that runs", () => {
  assertStrictEquals(beginsAnew({ started: true, left: undefined }), true);
  assertStrictEquals(beginsAnew({ started: false, left: LEFT }), false);
});

Deno.test("V5 a ring that starts as it was left is the same driver's, at any index", () => {
  for (const available of [0, 1, 0xffff]) {
    const left = { ...LEFT, available, used: available };
    assertStrictEquals(beginsAnew({ started: true, left }, { ...left }), false);
  }
});

for (const field of ["available", "used", "lastHead", "lastWritten"] as const) {
  Deno.test(`V5 a ring that starts with another ${field} than it was left is another driver's`, () => {
    const found = { ...LEFT, [field]: LEFT[field] + 1 };
    assertStrictEquals(beginsAnew({ started: true, left: LEFT }, found), true);
  });
}

Deno.test("V5 a ring that was never used tells nothing of its driver", () => {
  assertStrictEquals(beginsAnew({ started: true, left: undefined }, LEFT), false);
});

Deno.test("V5 a driver was at work before where its ring begins somewhere else than at its beginning", () => {
  assertStrictEquals(wasAtWork({ ...LEFT, available: 0, used: 0 }), false);
  assertStrictEquals(wasAtWork({ ...LEFT, available: 1, used: 0 }), true);
  assertStrictEquals(wasAtWork({ ...LEFT, available: 0, used: 1 }), true);
});
