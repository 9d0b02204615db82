import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { close } from "../../ffi/fd.ts";
import { isSocketAlive, listenAt } from "../../ffi/socket.ts";
import { Daemon } from "../support/daemon.ts";
import { exists } from "../support/exists.ts";
import { FrontEnd } from "../support/front_end.ts";
import { isListening } from "../support/process_state.ts";
import { GPIO, GpioGuest } from "../support/gpio_driver.ts";
import { assertRefused, type Refusal, run, testRefusals } from "../support/refusals.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";
import { listOf, WAYS } from "../support/ways.ts";

const PROGRAM = "vhost-device-gpio";
/** Root without these capabilities is as bound by modes as anybody. */
const UNPRIVILEGED = Deno.uid() === 0
  ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
  : [];

/** A path of `length` bytes in a folder. */
function longPath(folder: TemporaryFolder, length: number, filler = "x"): string {
  const bytes = new TextEncoder().encode(filler).length;
  const rest = length - folder.path.length - 1;
  return folder.file(filler.repeat(rest / bytes) + "y".repeat(rest % bytes));
}

testRefusals("paths at which there can be no socket are refused", (folder) => {
  Deno.writeTextFileSync(folder.file("file"), "");
  Deno.mkdirSync(folder.file("closed"), { mode: 0o555 });
  Deno.symlinkSync("loop", folder.file("loop"));
  const path = (name: string, path: string, code: 1 | 2, value: string, remedy: string) => ({
    name,
    args: ["-s", path, "-l", "s1"],
    code,
    value,
    remedy,
  });
  const at = folder.file("no/such/socket");
  const refusals: Refusal[] = [
    path("a missing directory", at, 1, `'${folder.file("no/such")}'`, "create it"),
    path(
      "below a file",
      folder.file("file/x"),
      1,
      `'${folder.file("file")}' is no directory`,
      "choose another",
    ),
    path("a file system without sockets", "/proc/x", 1, "'/proc/x0'", "choose another path"),
    path("a link to itself", folder.file("loop/x"), 1, folder.file("loop/x0"), "choose another"),
    path("a name that is too long", longPath(folder, 107), 2, "has 108 bytes", "choose a shorter"),
    path(
      "with few characters of many bytes",
      longPath(folder, 107, "🦀"),
      2,
      "108 bytes",
      "shorter",
    ),
    {
      ...path("with its number only", longPath(folder, 106), 2, "has 108 bytes", "shorter"),
      args: ["-s", longPath(folder, 106), "-l", listOf("s1", 11)],
    },
    {
      ...path(
        "an unwritable directory",
        folder.file("closed/x"),
        1,
        "closed/x0'",
        "writable for user",
      ),
      wrapper: UNPRIVILEGED,
    },
  ];
  return refusals;
});

Deno.test("what is in the way and no socket is left alone", async (t) => {
  using folder = new TemporaryFolder();
  const makers: Record<string, (path: string) => void> = {
    "a file": (path) => Deno.writeTextFileSync(path, "precious"),
    "a directory": (path) => Deno.mkdirSync(path),
    "a symbolic link": (path) => Deno.symlinkSync("a file0", path),
    "a symbolic link that leads nowhere": (path) => Deno.symlinkSync("nowhere", path),
    "a pipe": (path) => assert(new Deno.Command("mkfifo", { args: [path] }).outputSync().success),
  };
  for (const [name, make] of Object.entries(makers)) {
    await t.step(name, async () => {
      const path = folder.file(`${name}0`);
      make(path);
      const before = Deno.lstatSync(path);
      const outcome = await run(PROGRAM, ["-s", folder.file(name), "-l", "s1"]);
      assertRefused(outcome, { code: 1, value: `'${path}'`, remedy: "remove that or choose" });
      const after = Deno.lstatSync(path);
      assertEquals([after.ino, after.size, after.mtime], [
        before.ino,
        before.size,
        before.mtime,
      ]);
    });
  }
  assertEquals(exists(folder.file("nowhere")), false);
});

Deno.test("a path of 107 bytes is served", async () => {
  using folder = new TemporaryFolder();
  for (const filler of ["x", "ü"]) {
    const path = longPath(folder, 106, filler);
    await using daemon = await Daemon.start(PROGRAM, ["-s", path, "-l", "s1"], {
      socketOption: false,
    });
    until("the socket", () => isListening(`${path}0`));
    FrontEnd.connect(`${path}0`).close();
    await daemon.stop();
    assertEquals(exists(`${path}0`), false);
  }
});

Deno.test("a socket is numbered from 0 on, even a single one", async () => {
  for (const count of [1, 3]) {
    await using daemon = await Daemon.start(PROGRAM, ["-l", listOf("s1", count)], {
      count,
    });
    const names = [...Deno.readDirSync(daemon.folder.path)].map(({ name }) => name).sort();
    assertEquals(names, ["log", ...Array.from({ length: count }, (_, n) => `socket${n}`)]);
  }
});

Deno.test("-c may be left out", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  await using daemon = await Daemon.start(PROGRAM, ["-s", path, "-ls1:s1"], {
    socketOption: false,
  });
  until("the second socket", () => isListening(`${path}1`));
  assertEquals((await daemon.stop()).code, 0);
});

Deno.test("the socket of another daemon is left alone and goes on to be served", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1"]);
  using guest = new GpioGuest(daemon.connect());
  const { ino } = Deno.lstatSync(daemon.socket());
  const outcome = await run(PROGRAM, ["-s", daemon.folder.file("socket"), "-l", "s1"]);
  const value = `'${daemon.socket()}' is in use`;
  assertRefused(outcome, { code: 1, value, remedy: "stop that one or choose another" });
  assertStrictEquals(Deno.lstatSync(daemon.socket()).ino, ino);
  assertEquals(guest.get(GPIO.GET_VALUE, 0), 0);
  guest.frontEnd.close();
  using _next = new GpioGuest(daemon.connect());
  // The attempt has not been taken for a front-end.
  assertEquals(daemon.log.match(/front-end connected/g)?.length, 2);
});

Deno.test("a stale socket is replaced", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  close(listenAt(`${path}0`));
  assert(exists(`${path}0`));
  await using _daemon = await Daemon.start(PROGRAM, ["-s", path, "-l", "s1"], {
    socketOption: false,
  });
  until("the new socket", () => isListening(`${path}0`));
  using _guest = new GpioGuest(FrontEnd.connect(`${path}0`));
});

Deno.test("where one socket of several cannot be had, none is left", async () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("socket1"), "");
  const outcome = await run(PROGRAM, ["-s", folder.file("socket"), "-l", "s1:s1:s1"]);
  assertRefused(outcome, { code: 1, value: `'${folder.file("socket1")}'`, remedy: "remove that" });
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["socket1"]);
});

Deno.test("a file that has taken the place of the socket is not removed", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1:s1"], { count: 2 });
  Deno.removeSync(daemon.socket(0));
  Deno.writeTextFileSync(daemon.socket(0), "precious");
  Deno.removeSync(daemon.socket(1));
  const other = listenAt(daemon.socket(1));
  assertEquals((await daemon.stop()).code, 0);
  assertEquals(Deno.readTextFileSync(daemon.socket(0)), "precious");
  assert(isSocketAlive(daemon.socket(1)));
  close(other);
});

Deno.test("a socket that somebody has removed is no trouble at the end", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1"]);
  Deno.removeSync(daemon.socket());
  assertEquals((await daemon.stop()).code, 0);
});

Deno.test("front-ends come and go, and each finds a fresh device", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s2"]);
  const fds: number[] = [];
  for (let round = 0; round < 20; round++) {
    using guest = new GpioGuest(daemon.connect());
    assertEquals(guest.get(GPIO.GET_DIRECTION, 1), 0);
    guest.get(GPIO.SET_DIRECTION, 1, 1);
    fds.push(daemon.fdCount());
  }
  assertEquals(new Set(fds).size, 1, `${fds}`);
});

for (const [way, count] of WAYS) {
  Deno.test(`the end of the terminal ends the daemon in good order: a guest served ${way}`, async () => {
    // The tests themselves may run under nohup.
    const wrapper = ["env", "--default-signal=HUP"];
    await using daemon = await Daemon.start(PROGRAM, ["-l", listOf("s1", count)], {
      wrapper,
      count,
    });
    assertEquals((await daemon.stop("SIGHUP")).code, 0);
    assertEquals(exists(daemon.socket()), false);
  });

  Deno.test(`under nohup the end of the terminal is no reason to end: a guest served ${way}`, async () => {
    await using daemon = await Daemon.start(PROGRAM, ["-l", listOf("s1", count)], {
      prepare: "trap '' HUP",
      count,
    });
    daemon.untilLogged(/guest 0: 1 simulated line at/);
    Deno.kill(daemon.pid, "SIGHUP");
    using guest = new GpioGuest(daemon.connect());
    assertEquals(guest.get(GPIO.GET_VALUE, 0), 0);
    assertEquals((await daemon.stop()).code, 0);
  });

  Deno.test(`signals that repeat do no harm to a daemon whose guest is served ${way}`, async () => {
    await using daemon = await Daemon.start(PROGRAM, ["-l", listOf("s1", count)], { count });
    using _guest = new GpioGuest(daemon.connect());
    Deno.kill(daemon.pid, "SIGTERM");
    Deno.kill(daemon.pid, "SIGINT");
    const { code, signal } = await daemon.stop();
    assertEquals([code, signal], [0, null]);
    assertEquals(exists(daemon.socket()), false);
  });
}
