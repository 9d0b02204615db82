import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { descriptorShare } from "../../../lib/daemon/descriptor_budget.ts";
import { RuntimeError } from "../../../lib/errors.ts";

Deno.test("V13 where there is plenty, a front-end may hand over as much as fits a message", () => {
  assertEquals(descriptorShare({ limit: 524_288, open: 40, devices: [0, 0] }), 253);
  assertEquals(descriptorShare({ limit: 1024, open: 40, devices: [0] }), 253);
});

Deno.test("V13 otherwise guests share alike what is left of the daemon's own needs", () => {
  // 32 for the daemon, and for each guest 24 for its thread and 16 for its front-end.
  const share = (limit: number, ...devices: number[]) =>
    descriptorShare({ limit, open: 40, devices });
  assertEquals(share(72 + 4 * 40 + 4 * 50, 0, 0, 0, 0), 50);
  assertEquals(share(72 + 4 * 40 + 4 * 50 + 3, 0, 0, 0, 0), 50);
  assertEquals(share(72 + 2 * 40 + 64 + 2 * 50, 64, 0), 50);
});

Deno.test("V13 where guests cannot be served with what there is, that is said", () => {
  const needed = 72 + 2 * (40 + 8);
  assertEquals(descriptorShare({ limit: needed, open: 40, devices: [0, 0] }), 8);
  const { message } = assertThrows(
    () => descriptorShare({ limit: needed - 1, open: 40, devices: [0, 0] }),
    RuntimeError,
  );
  assertMatch(
    message,
    /^2 guests need 168 open files, the limit is 167; raise it \(.*ulimit -Hn\)/,
  );
});
