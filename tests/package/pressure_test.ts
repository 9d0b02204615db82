/**
 * The installed programs with little memory.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { HostileClient } from "../soak/hostile_client.ts";
import { ControlGroup } from "../support/control_group.ts";
import { Daemon } from "../support/daemon.ts";
import { Random } from "../support/random.ts";
import { assertRefused, run } from "../support/refusals.ts";
import { RESULT, SpiGuest } from "../support/spi_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { SHIPPED } from "./build.ts";

const LIMIT = 96 * 2 ** 20;
const PROGRAM = "vhost-device-spi";
const program = `${SHIPPED}/${PROGRAM}`;
/** How long guests are under fire, in milliseconds. */
const SIEGE = 8000;

/** It takes a user and a machine that can limit memory. */
function test(name: string, body: (group: ControlGroup) => Promise<void>): void {
  const possible = ControlGroup.make(LIMIT);
  possible?.[Symbol.dispose]();
  Deno.test({
    name,
    ignore: possible === undefined,
    fn: async () => {
      using group = ControlGroup.make(LIMIT)!;
      await body(group);
    },
  });
}

test("8 guests do not fit into 96 MB: that is said at the start, and nothing is left behind", async (group) => {
  using folder = new TemporaryFolder();
  const args = ["-s", folder.file("socket"), "-c", "8", "-l", "s1"];
  const outcome = await run(PROGRAM, args, { executable: program, prepare: group.join });
  const value = "8 guests need 144 MiB of memory, the control group's limit is 96 MiB";
  assertRefused(outcome, { program: PROGRAM, code: 1, value, remedy: "raise it" });
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

test("2 guests fit into 96 MB, and while one of them is hostile the other loses nothing", async (group) => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1"], {
    count: 2,
    program,
    prepare: group.join,
  });
  using guest = new SpiGuest(daemon.connect(0));
  const random = new Random(3);
  await using hostile = new HostileClient("spi", daemon.socket(1), random, {});
  await hostile.start();
  const end = performance.now() + SIEGE;
  let answers = 0;
  while (performance.now() < end) {
    const bytes = random.bytes(1 + random.below(64));
    const { result, rx } = guest.exchange(bytes);
    assertEquals([result, rx], [RESULT.OK, [...bytes]]);
    answers++;
    // The hostile one's process is read meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await hostile.end();
  assertEquals(hostile.problems, []);
  assert(answers > 100, `only ${answers} answers`);
  using next = new SpiGuest(daemon.connect(1));
  assertEquals(next.exchange([1, 2]).rx, [1, 2]);
});
