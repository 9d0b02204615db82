import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Processes } from "../../../lib/ctl/scenario/processes.ts";
import type { Reactor } from "../../../lib/ctl/scenario/reactor.ts";
import type { Scenario } from "../../../lib/ctl/scenario/scenario.ts";
import { Stage } from "../../../lib/ctl/scenario/stage.ts";
import type { World } from "../../../lib/ctl/scenario/world.ts";

/** A stage on which there is nothing. */
function emptyStage(): Stage {
  const nothing = {} as unknown;
  return new Stage(
    nothing as Scenario,
    { entry: "", folder: "", logs: "" },
    nothing as Reactor,
    () => nothing as World,
    () => nothing as Processes,
  );
}

Deno.test("what is waited for is looked at with each change, and no more once it is there", async () => {
  const stage = emptyStage();
  const answers = [false, false, true];
  const over = stage.until(10_000, () => answers.shift()!);
  stage.changed();
  stage.changed();
  stage.changed();
  assertStrictEquals(await over, true);
  assertEquals(answers, []);
});

Deno.test("what is waited for is not looked at again where one change comes in the middle of another", async () => {
  const stage = emptyStage();
  let isNested = false;
  let looks = 0;
  const other = stage.until(10_000, () => {
    if (isNested) return true;
    isNested = looks > 0;
    if (isNested) stage.changed();
    return isNested;
  });
  const over = stage.until(10_000, () => ++looks > 1);
  stage.changed();
  assertStrictEquals(await other && await over, true);
  assertStrictEquals(looks, 2);
});

Deno.test("what is there is not looked at again by a timer that had come due before", async () => {
  const stage = emptyStage();
  let looks = 0;
  const { clearTimeout } = globalThis;
  // As Deno 2.5 has it, of a timer that is due.
  globalThis.clearTimeout = () => {};
  try {
    const over = stage.until(10_000, () => ++looks > 1 || 1);
    stage.changed();
    assertStrictEquals(await over, true);
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    globalThis.clearTimeout = clearTimeout;
  }
  assertStrictEquals(looks, 2);
});
