import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { Daemon, type DaemonOptions } from "../support/daemon.ts";
import { fragileProgram } from "../support/module_program.ts";
import { Guest } from "../support/guest.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { SLOWNESS, until } from "../support/wait.ts";
import { listOf, WAYS } from "../support/ways.ts";

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

function assertNoSocket({ folder }: Daemon): void {
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["log"]);
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
  assertNoSocket(daemon);
});

for (const [way, count] of WAYS) {
  Deno.test(`V18 a guest that is stuck in a request is named, and not waited for: served ${way}`, async () => {
    await using daemon = await start(listOf("sleeps", count, ","));
    using guest = new Guest(daemon.connect());
    guest.queues[0].submit(guest.segments([1], 1));
    // Once it does not answer any more, it has begun.
    until("the request is taken", () => !answers(guest));
    const { code, milliseconds } = await daemon.stop();
    assertEquals(code, 0);
    assert(milliseconds < 2000 * SLOWNESS, `${milliseconds} ms`);
    const limit = count === 1 ? 1000 : 150;
    const late = `error guest 0: does not end within ${limit} ms: a request may be half done, and`;
    assertStringIncludes(daemon.log, late);
    assertNoSocket(daemon);
  });
}

Deno.test("V18 who serves the only guest leaves the signals to a thread that is never in a request", async () => {
  await using daemon = await start("good");
  const SIGNALS = [1, 2, 14, 15].reduce((mask, signal) => mask | 1 << (signal - 1), 0);
  const blocked = [...Deno.readDirSync(`/proc/${daemon.pid}/task`)].map(({ name }) => {
    const status = Deno.readTextFileSync(`/proc/${daemon.pid}/task/${name}/status`);
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)![1];
    return [field("Name"), parseInt(field("SigBlk").slice(-8), 16) & SIGNALS] as const;
  });
  assertEquals(new Map(blocked).get("guard"), 0);
  assertEquals(blocked.filter(([name]) => name.startsWith("worker")), []);
  assertEquals(blocked[0][1], SIGNALS, "of the main thread");
});

Deno.test("V18 the only guest has a device that does not get done what it has to: exit code 1", async () => {
  await using daemon = await start("stuck");
  const { code, milliseconds } = await daemon.stop();
  assertEquals(code, 1);
  assert(milliseconds >= 1000, `${milliseconds} ms`);
  assertMatch(
    daemon.log,
    /\nerror guest 0: does not end within 1000 ms: what takes time was not done, .*\nvhost-device-fragile: guest 0 could not be taken down in good order; .*\n$/,
  );
  assertNoSocket(daemon);
});

Deno.test("V18 the last line of the only guest is of the form of the others", async () => {
  await using daemon = await start("stuck", ["--log-format", "json"]);
  assertEquals((await daemon.stop()).code, 1);
  const lines = daemon.log.trimEnd().split("\n").slice(-2).map((line) => JSON.parse(line));
  const program = PROGRAM;
  const [late, end] = lines.map(({ message, ...rest }) => {
    assertMatch(message, /^(does not end within 1000 ms: |guest 0 could not be taken down )/);
    return rest;
  });
  assertEquals(late, { level: "error", program, guest: 0 });
  assertEquals(end, { level: "error", program });
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
