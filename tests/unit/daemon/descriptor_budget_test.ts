import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type DescriptorNeeds, shareDescriptors } from "../../../lib/daemon/descriptor_budget.ts";
import { RuntimeError } from "../../../lib/errors.ts";

/** How many descriptors a message may have. */
function message(needs: DescriptorNeeds): number {
  return shareDescriptors(needs).message;
}

Deno.test("V13 where there is plenty, a front-end may hand over as much as fits a message", () => {
  assertEquals(message({ limit: 524_288, open: 40, devices: [0, 0] }), 253);
  assertEquals(message({ limit: 1024, open: 40, devices: [0] }), 253);
});

Deno.test("V13 otherwise guests share alike what is left of the daemon's own needs", () => {
  // 32 for the daemon, and for each guest 24 for its thread and 16 for its front-end.
  const share = (limit: number, ...devices: number[]) => message({ limit, open: 40, devices });
  assertEquals(share(72 + 4 * 40 + 4 * 50, 0, 0, 0, 0), 50);
  assertEquals(share(72 + 4 * 40 + 4 * 50 + 3, 0, 0, 0, 0), 50);
  assertEquals(share(72 + 2 * 40 + 64 + 2 * 50, 64, 0), 50);
});

Deno.test("V13 where guests cannot be served with what there is, that is said", () => {
  const needed = 72 + 2 * (40 + 8);
  assertEquals(message({ limit: needed, open: 40, devices: [0, 0] }), 8);
  const error = assertThrows(
    () => message({ limit: needed - 1, open: 40, devices: [0, 0] }),
    RuntimeError,
  );
  assertMatch(
    error.message,
    /^2 guests need 168 open files, the limit is 167; raise it \(.*ulimit -Hn\)/,
  );
});

Deno.test("V13 control clients together have a share, too, and guests keep theirs", () => {
  const shares = (limit: number, controlled = true) =>
    shareDescriptors({ limit, open: 40, devices: [0, 0], controlled });
  assertEquals(shares(524_288), { message: 253, clients: 256 });
  assertEquals(shares(72 + 2 * 40 + 3 * 50), { message: 50, clients: 50 });
  assertEquals(shares(72 + 2 * 40 + 3 * 50, false), { message: 75, clients: 0 });
  assertThrows(() => shares(72 + 2 * 40 + 3 * 8 - 1), RuntimeError, "2 guests need 176 open");
});
