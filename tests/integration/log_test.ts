import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { command, Daemon } from "../support/daemon.ts";
import { fragileProgram } from "../support/module_program.ts";
import { FrontEnd } from "../support/front_end.ts";
import { GPIO, GpioGuest } from "../support/gpio_driver.ts";
import { run } from "../support/refusals.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";

const PROGRAM = "vhost-device-gpio";
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;

/** The lines of a log, without their times. */
function linesOf(log: string): string[] {
  assertMatch(log, /\n$/);
  return log.trimEnd().split("\n").map((line) => {
    assertMatch(line, TIME);
    return line.replace(TIME, "");
  });
}

/** Lets a guest come and go. */
function visit(daemon: Daemon): void {
  {
    using guest = new GpioGuest(daemon.connect());
    for (let count = 0; count < 100; count++) guest.get(GPIO.GET_VALUE, 0);
  }
  daemon.untilLogged(/front-end gone/);
}

Deno.test("the log has one line for each event of a guest's life, and none per request", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s8"]);
  daemon.untilLogged(/ at /);
  visit(daemon);
  assertEquals(linesOf(daemon.log), [
    `info  guest 0: 8 simulated lines at ${daemon.socket()}`,
    "info  guest 0: front-end connected",
    "info  guest 0: driver took features VERSION_1, INDIRECT_DESC, EVENT_IDX, GPIO_F_IRQ",
    "info  guest 0: ready: 2 MiB of guest memory, queue size 64",
    "info  guest 0: front-end gone: the front-end closed the connection; 100 requests were served",
  ]);
});

Deno.test("JSON lines are objects with time, level, program, guest and message", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s8", "--log-format", "json"]);
  daemon.untilLogged(/ at /);
  visit(daemon);
  const lines = daemon.log.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.length, 5);
  for (const line of lines) {
    assertEquals(Object.keys(line).slice(0, 5), [
      "time",
      "level",
      "program",
      "guest",
      "message",
    ]);
    assertEquals([line.level, line.program, line.guest], ["info", PROGRAM, 0]);
    assert(!Number.isNaN(Date.parse(line.time)));
  }
  assertEquals([lines[4].reason, lines[4].served], [
    "the front-end closed the connection",
    100,
  ]);
});

Deno.test("what ends a daemon that logs JSON is a JSON line, too", async () => {
  const args = ["-s", "/nowhere/socket", "-l", "s1", "--log-format=json"];
  const { code, stderr } = await run(PROGRAM, args);
  assertEquals(code, 1);
  const { level, message } = JSON.parse(stderr);
  assertEquals(level, "error");
  assertMatch(message, /^directory '\/nowhere' .* create it$/);
});

Deno.test("--log-level decides which lines there are", async () => {
  for (const level of ["error", "warn"]) {
    await using daemon = await Daemon.start(PROGRAM, ["-l", "s1", "--log-level", level]);
    using guest = new GpioGuest(daemon.connect());
    guest.get(GPIO.GET_VALUE, 0);
    assertEquals(daemon.log, "");
  }
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1", "--log-level", "trace"]);
  visit(daemon);
  assertMatch(daemon.log, / trace guest 0: message SET_MEM_TABLE/);
});

Deno.test("texts with braces and control characters come through on one line", async () => {
  using folder = new TemporaryFolder();
  const options = { program: fragileProgram(folder.file("fragile")) };
  {
    await using daemon = await Daemon.start("", ["-l", "verbose"], options);
    daemon.untilLogged(/ at /);
    assertEquals(linesOf(daemon.log), [
      "info  guest 0: {a} {{b}} {*} {",
      "warn  guest 0: one\\ntwo\\r\\u001b[31mred\\u009b1m\\u2028\\u202e",
      `info  guest 0: a{b} verbose at ${daemon.socket()}`,
    ]);
  }
  await using daemon = await Daemon.start("", ["-l", "verbose", "--log-format=json"], options);
  daemon.untilLogged(/ at /);
  const [first, second] = daemon.log.split("\n").map((line) => line && JSON.parse(line));
  assertEquals(first.message, "{a} {{b}} {*} {");
  assertEquals([first.level, first.reason, first.size], ["info", "{c}", "0x5"]);
  assertEquals(second.message, "one\ntwo\r\x1b[31mred\u009b1m\u2028\u202e");
  assertNotMatch(daemon.log, /[\u0080-\u009f\u2028\u202e]/);
});

Deno.test("the names of lines are logged as they are", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("config.yaml");
  Deno.writeTextFileSync(path, "guests: [{ simulated: { lines: [{ name: 'a{b}{{c' }] } }]\n");
  await using daemon = await Daemon.start(PROGRAM, ["--config", path]);
  using guest = new GpioGuest(daemon.connect());
  guest.get(GPIO.SET_DIRECTION, 0, 1);
  assertMatch(daemon.log, /info {2}guest 0: line 0 "a\{b\}\{\{c": direction output\n/);
});

Deno.test("a path cannot put a line of its own into the log", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("x\n2000-01-01T00:00:00.000Z error guest 7: forged");
  await using daemon = await Daemon.start(PROGRAM, ["-s", path, "-l", "s1"], {
    socketOption: false,
  });
  daemon.untilLogged(/ at .*\n/);
  assertEquals(linesOf(daemon.log).length, 1);
});

Deno.test("for systemd's journal lines have a priority and no time", async () => {
  const args = ["-l", "s1"];
  const journal = 'touch "$1"; export JOURNAL_STREAM=$(stat -c %d:%i "$1")';
  await using daemon = await Daemon.start(PROGRAM, args, { prepare: journal });
  daemon.untilLogged(/ at .*\n/);
  assertEquals(daemon.log, `<6>guest 0: 1 simulated line at ${daemon.socket()}\n`);
});

Deno.test("standard error that leads elsewhere than to the journal is logged to as usual", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1"], {
    prepare: "export JOURNAL_STREAM=1:1",
  });
  daemon.untilLogged(/ at .*\n/);
  assertEquals(linesOf(daemon.log).length, 1);
});

Deno.test("what ends a daemon has a priority in the journal, too", async () => {
  const prepare = "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)";
  const { stderr } = await run(PROGRAM, ["-l", "s1"], { prepare });
  assertMatch(stderr, /^<3>vhost-device-gpio: no socket is named; .*\n$/);
});

/** A daemon whose standard error is a named pipe. */
async function startWithPipe(folder: TemporaryFolder): Promise<[Daemon, Deno.FsFile]> {
  const pipe = folder.file("pipe");
  assert(new Deno.Command("mkfifo", { args: [pipe] }).outputSync().success);
  const reader = Deno.openSync(pipe, { read: true, write: true });
  const program = folder.file("start");
  const words = command(PROGRAM).map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(program, `#!/bin/sh\nexec ${words} "$@" 2>'${pipe}'\n`, { mode: 0o755 });
  const args = ["-l", "s1", "--log-level", "trace"];
  return [await Daemon.start(PROGRAM, args, { program }), reader];
}

/** Makes a daemon log `count` lines. */
function chatter(frontEnd: FrontEnd, count: number): void {
  for (let round = 0; round < count; round++) frontEnd.barrier();
}

Deno.test("a log that nobody reads does not stop the daemon, and says so afterwards", async () => {
  using folder = new TemporaryFolder();
  const [daemon, reader] = await startWithPipe(folder);
  await using _daemon = daemon;
  const frontEnd = daemon.connect();
  chatter(frontEnd, 2000);
  const buffer = new Uint8Array(1 << 20);
  const full = reader.readSync(buffer) ?? 0;
  const lines = new TextDecoder().decode(buffer.subarray(0, full)).split("\n");
  assert(full > 30_000 && lines.pop() === "", `${full} bytes`);
  for (const line of lines) assertMatch(line, TIME);
  chatter(frontEnd, 1);
  const next = new TextDecoder().decode(buffer.subarray(0, reader.readSync(buffer) ?? 0));
  assertMatch(next, /Z warn {2}guest 0: \d+ lines of the log were lost: nobody read them\n/);
  frontEnd.close();
  assertEquals((await daemon.stop()).code, 0);
  reader.close();
});

Deno.test("a log whose reader has gone does not stop the daemon", async () => {
  using folder = new TemporaryFolder();
  const [daemon, reader] = await startWithPipe(folder);
  await using _daemon = daemon;
  using frontEnd = daemon.connect();
  chatter(frontEnd, 10);
  reader.close();
  chatter(frontEnd, 1000);
  assertEquals((await daemon.stop()).code, 0);
});

Deno.test("closed standard streams do not stop the daemon", async () => {
  using folder = new TemporaryFolder();
  const program = folder.file("start");
  const words = command(PROGRAM).map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(program, `#!/bin/sh\nexec ${words} "$@" <&- >&- 2>&-\n`, { mode: 0o755 });
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1"], { program });
  using guest = new GpioGuest(daemon.connect());
  guest.get(GPIO.GET_VALUE, 0);
  until("the log to stay empty", () => daemon.log === "");
  assertEquals((await daemon.stop()).code, 0);
});
