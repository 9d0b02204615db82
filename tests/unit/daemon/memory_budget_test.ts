import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { checkMemory } from "../../../lib/daemon/memory_budget.ts";
import { RuntimeError } from "../../../lib/errors.ts";

const MEBIBYTE = 2 ** 20;
const check = (mebibytes: number, guests: number, observed = false) =>
  checkMemory({ limit: mebibytes * MEBIBYTE, guests, observed });

Deno.test("where memory is not limited, or there is plenty, nothing is said", () => {
  assertEquals(check(Infinity, 256), undefined);
  assertEquals(check(48, 1), undefined);
  assertEquals(check(92, 1, true), undefined);
});

Deno.test("memory that is enough only for little work is warned of", () => {
  assertMatch(
    check(47, 1)!,
    /^1 guest may come to need 48 MiB .* busy, .* limit is 47 MiB: .*; raise it/,
  );
  assertMatch(check(96, 3)!, /^3 guests may come to need 122 MiB/);
});

Deno.test("where memory is not enough for all guests, that is said", () => {
  const message = (...args: Parameters<typeof check>) =>
    assertThrows(() => check(...args), RuntimeError).message;
  assertMatch(
    message(96, 8),
    /^8 guests need 144 MiB of memory, the .* limit is 96 MiB; raise it .*, or serve fewer guests$/,
  );
  assertMatch(message(31, 1), /^1 guest needs 32 MiB/);
  assertMatch(message(59, 1, true), /^1 guest needs 60 MiB/);
});
