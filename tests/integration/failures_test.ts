import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { Daemon, type DaemonOptions } from "../support/daemon.ts";
import { fragileProgram } from "../support/module_program.ts";
import { Guest } from "../support/guest.ts";
import { assertRefused, run } from "../support/refusals.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";

const PROGRAM = "vhost-device-fragile";
const scripts = new TemporaryFolder();
const executable = fragileProgram(scripts.file("fragile"));
globalThis.addEventListener("unload", () => scripts[Symbol.dispose]());

function start(devices: string, options: DaemonOptions = {}): Promise<Daemon> {
  const count = devices.split(",").length;
  return Daemon.start(PROGRAM, ["-l", devices], { program: executable, count, ...options });
}

function names(folder: TemporaryFolder): string[] {
  return [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
}

function echoes(guest: Guest): void {
  assertEquals([...guest.request([1, 2, 3], 3).response], [1, 2, 3]);
}

Deno.test("where one device of several cannot be had, no socket is left", async () => {
  using folder = new TemporaryFolder();
  const args = ["-s", folder.file("socket"), "-l", "late,absent,good"];
  const outcome = await run(PROGRAM, args, { executable });
  const value = "guest 1: the device is absent";
  assertRefused(outcome, { program: PROGRAM, code: 1, value, remedy: "plug it in" });
  assertEquals(names(folder), []);
});

Deno.test("where one device of several cannot be had, those that have served nobody are not named", async () => {
  using folder = new TemporaryFolder();
  const args = ["-s", folder.file("socket"), "-l", "lingers,missed"];
  const outcome = await run(PROGRAM, args, { executable });
  const value = "guest 1: the device is missed";
  assertRefused(outcome, { program: PROGRAM, code: 1, value, remedy: "plug it in" });
});

Deno.test("an internal error at the start is told in one line", async () => {
  using folder = new TemporaryFolder();
  const args = ["-s", folder.file("socket"), "-l", "broken"];
  const { code, stderr } = await run(PROGRAM, args, { executable });
  assertEquals(stderr, `${PROGRAM}: guest 0: internal error: create is fragile\n`);
  assertEquals(code, 1);
  assertEquals(names(folder), []);
});

Deno.test("an internal error ends the connection, and the next front-end is served", async () => {
  await using daemon = await start("throws");
  daemon.untilLogged(/guest 0: a\{b\} throws at /);
  const fds = daemon.fdCount();
  {
    using guest = new Guest(daemon.connect());
    guest.queues[0].submit(guest.segments([1, 2, 3], 3));
    assert(guest.frontEnd.isClosed());
  }
  {
    using next = new Guest(daemon.connect());
    echoes(next);
  }
  until("the end of the last connection", () => daemon.log.split("front-end gone").length === 3);
  assertStrictEquals(daemon.fdCount(), fds);
  const errors = daemon.log.split("\n").filter((line) => / error /.test(line));
  assertEquals(errors.length, 1, daemon.log);
  assertMatch(errors[0], /error guest 0: internal error: process is \{fragile\}\\nat times$/);
  assertMatch(daemon.log, /front-end gone: internal error/);
  assertNotMatch(daemon.log, /\bat file:/);
});

Deno.test("a device that fails is told from an error of ours", async () => {
  await using daemon = await start("fails");
  using guest = new Guest(daemon.connect());
  guest.queues[0].submit(guest.segments([1, 2, 3], 3));
  assert(guest.frontEnd.isClosed());
  daemon.untilLogged(/front-end gone: its device has failed; /);
  assertMatch(daemon.log, /error guest 0: the device is gone; plug it in again\n/);
  assertNotMatch(daemon.log, /internal error/);
});

Deno.test("a device that cannot be reset does not keep its front-end or the next one", async () => {
  await using daemon = await start("resets");
  for (let round = 0; round < 2; round++) {
    using guest = new Guest(daemon.connect());
    echoes(guest);
  }
  until("the second error", () => daemon.log.split("internal error: reset is").length === 3);
});

Deno.test("a guest's thread that ends early takes no other guest along", async () => {
  await using daemon = await start("dies,good");
  using other = new Guest(daemon.connect(1));
  {
    using guest = new Guest(daemon.connect(0));
    guest.queues[0].submit(guest.segments([1, 2, 3], 3));
    assert(guest.frontEnd.isClosed());
  }
  until("the removal of the socket", () => !names(daemon.folder).includes("socket0"));
  assertMatch(
    daemon.log,
    /error guest 0: is no longer served: .*everything is fragile\n/,
  );
  assertMatch(daemon.log, /info {2}guest 0: the device is closed\n/);
  echoes(other);
  const { code } = await daemon.stop();
  assertEquals(code, 0);
  assertEquals(names(daemon.folder), ["log"]);
});

Deno.test("a daemon whose guests have all ended early ends with an error", async () => {
  await using daemon = await start("dies");
  {
    using guest = new Guest(daemon.connect());
    guest.queues[0].submit(guest.segments([1, 2, 3], 3));
    assert(guest.frontEnd.isClosed());
  }
  assertEquals(await daemon.ended(), 1);
  assertMatch(daemon.log, /\nvhost-device-fragile: no guest is left to be served; start .*\n$/);
});

Deno.test("a front-end is turned away where descriptors have run out, and the next is served", async () => {
  await using daemon = await start("good");
  daemon.untilLogged(/ at /);
  const limit = (count: number) => {
    const args = ["--pid", `${daemon.pid}`, `--nofile=${count}:`];
    assert(new Deno.Command("prlimit", { args }).outputSync().success);
  };
  const fds = daemon.fds();
  let unused = 0;
  while (fds.has(unused)) unused++;
  limit(unused);
  using turnedAway = daemon.connect();
  assert(turnedAway.isClosed());
  daemon.untilLogged(/error guest 0: a front-end is turned away: Too many open files\n/);
  limit(1024);
  using next = new Guest(daemon.connect());
  echoes(next);
});
