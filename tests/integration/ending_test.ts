import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { Daemon, type DaemonOptions } from "../support/daemon.ts";
import { fragileProgram } from "../support/module_program.ts";
import { Guest } from "../support/guest.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { SLOWNESS, until } from "../support/wait.ts";

const PROGRAM = "vhost-device-fragile";
const scripts = new TemporaryFolder();
const executable = fragileProgram(scripts.file("fragile"));
globalThis.addEventListener("unload", () => scripts[Symbol.dispose]());

async function start(devices: string, args: string[] = []): Promise<Daemon> {
  const options: DaemonOptions = { program: executable, count: devices.split(",").length };
  const daemon = await Daemon.start(PROGRAM, ["-l", devices, ...args], options);
  daemon.untilLogged(/ at /);
  return daemon;
}

const POLLING = [[], ["--poll-us", "1000000"]];

for (const args of POLLING) {
  const how = args.length === 0 ? "that sleeps" : "that looks for work without sleeping";
  Deno.test(`V18 a thread ${how} takes its device down at SIGTERM`, async () => {
    await using daemon = await start("slow", args);
    using guest = new Guest(daemon.connect());
    assertEquals([...guest.request([1, 2, 3], 3).response], [1, 2, 3]);
    const { code } = await daemon.stop();
    assertEquals(code, 0);
    assertMatch(
      daemon.log,
      /front-end gone: the daemon stops; .*\n.* info {2}guest 0: the device is closed\n$/,
    );
  });
}

Deno.test("V18 a device that does not get done what it has to is named, and the exit code is 1", async () => {
  await using daemon = await start("stuck,slow,stuck,good");
  const { code, milliseconds } = await daemon.stop();
  assertEquals(code, 1);
  assert(milliseconds >= 1000, `${milliseconds} ms`);
  assertMatch(daemon.log, /info {2}guest 1: the device is closed\n/);
  for (const guest of [0, 2]) {
    assertMatch(
      daemon.log,
      new RegExp(`error guest ${guest}: does not end within 1000 ms: what takes time was not done`),
    );
  }
  assertNotMatch(daemon.log, /guest [13]: does not end/);
  assertMatch(daemon.log, /\nvhost-device-fragile: guests 0, 2 could not be taken down .*\n$/);
  assertEquals([...Deno.readDirSync(daemon.folder.path)].map(({ name }) => name), ["log"]);
});

Deno.test("V18 a thread that is stuck in a request is named, and not waited for any longer", async () => {
  await using daemon = await start("sleeps");
  using guest = new Guest(daemon.connect());
  guest.queues[0].submit(guest.segments([1], 1));
  // Once it does not answer any more, it has begun.
  until("the request is taken", () => !answers(guest));
  const { code, milliseconds } = await daemon.stop();
  assertEquals(code, 0);
  assert(milliseconds < 1000 * SLOWNESS, `${milliseconds} ms`);
  assertMatch(daemon.log, /error guest 0: does not end within 150 ms: a request may be half done/);
});

function answers(guest: Guest): boolean {
  guest.frontEnd.sendBytes(new Uint8Array([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]));
  try {
    guest.frontEnd.receive(100);
    return true;
  } catch {
    return false;
  }
}
