import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { ControlClient } from "../support/control_client.ts";
import { type ControlDaemon, startControlled } from "../support/control_daemon.ts";
import { ctl, ctlOutput, RunningCtl } from "../support/ctl.ts";
import { GPIO, GpioGuest, OUT } from "../support/gpio_driver.ts";
import { ERR, I2cGuest, OK } from "../support/i2c_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const LINES = `
guests:
  - simulated:
      lines:
        - { name: lid, direction: input, value: 1 }
        - { name: relay }
        - {}
`;
const TWO_GUESTS = LINES + LINES.replace("guests:", "").replaceAll("relay", "fan");
const PARTS = `
adapters:
  - simulated:
      parts:
        - { part: 24c02, address: 0x50, name: eeprom }
        - { part: lm75, address: 0x48, name: sensor }
        - { part: 24c02, address: 0x51, name: lid }
`;
const FLASH = "guests: [{ simulated: { parts: [{ part: flash, size-kib: 512, name: boot }] } }]\n";

interface Setup extends ControlDaemon {
  /** The options that name its control socket. */
  readonly at: readonly string[];
}

/** A daemon with a control socket. */
async function start(kind: string, config: string, count = 1): Promise<Setup> {
  const controlled = await startControlled(kind, config, count);
  return { ...controlled, at: ["-c", controlled.path] };
}

/** The error is one line, with this exit code. */
async function refused(args: readonly string[], code: number, message: RegExp): Promise<void> {
  const outcome = await ctl(args);
  const what = `${args.join(" ")}: ${outcome.code}\n${outcome.stdout}${outcome.stderr}`;
  assertStrictEquals(outcome.code, code, what);
  assertMatch(outcome.stderr, /^vhost-device-ctl: [^\n]+\n$/, what);
  assertMatch(outcome.stderr, message, what);
}

Deno.test("ctl: info lists guests and things with what they are, aligned, and each in detail", async () => {
  await using gpio = await start("gpio", LINES);
  using _guest = new GpioGuest(gpio.daemon.connect());
  gpio.daemon.untilLogged(/ready: /);
  const text = await ctlOutput(...gpio.at, "info");
  const [head, guest, ...things] = text.trimEnd().split("\n");
  assertMatch(head, /^gpio - vhost-device-gpio [\d.]+ at .*\/control$/);
  assertMatch(guest, /^ {2}guest 0 {2}ready {2}.*\/socket0 {2}3 simulated lines$/);
  assertEquals(things, [
    "  lid    line  line 0  guest 0  direction=input value=1 interrupt=none driven-by=outside",
    "  relay  line  line 1  guest 0  direction=none value=0 interrupt=none driven-by=outside",
    "  2      line  line 2  guest 0  direction=none value=0 interrupt=none driven-by=outside",
  ]);
  const lid = await ctlOutput(...gpio.at, "info", "lid");
  assertMatch(lid, /^lid: line \(a GPIO line\), line 0\n/);
  assertMatch(lid, /^ {2}value=1 +0 to 1 +its level/m);
  const { program, things: [first], guests } = JSON.parse(
    await ctlOutput(...gpio.at, "info", "--json"),
  );
  assertEquals([program, first.name, guests[0].state], ["vhost-device-gpio", "lid", "ready"]);
  const value = first.properties.find(({ name }: { name: string }) => name === "value");
  assertEquals([value.value, value.to], [1, 1]);
});

Deno.test("ctl: get and set, a line each, and what a guest finds is what was set", async () => {
  await using i2c = await start("i2c", PARTS);
  using guest = new I2cGuest(i2c.daemon.connect());
  assertEquals(
    await ctlOutput(...i2c.at, "set", "sensor.temperature=85°C", "bus.stuck=off"),
    "",
  );
  assertEquals(guest.writeRead(0x48, [0], 2), [85, 0]);
  assertEquals(
    await ctlOutput("get", "sensor.temperature", "bus.stuck", "0x48.limit", ...i2c.at),
    "sensor.temperature=85\nbus.stuck=false\n0x48.limit=80\n",
  );
  assertEquals(
    JSON.parse(await ctlOutput(...i2c.at, "get", "--json", "sensor.temperature", "bus.stuck")),
    { "sensor.temperature": 85, "bus.stuck": false },
  );
  await refused([...i2c.at, "set", "sensor.temperature=900"], 1, /temperature: .* found 900/);
  await refused([...i2c.at, "set", "sensor.temperature=warm"], 2, /=warm: expected a number/);
  // A mistake behind it keeps the first from being set, too.
  await refused(
    [...i2c.at, "set", "sensor.temperature=1", "bus.stick=1"],
    2,
    /it has smbus-only, frequency, stuck$/m,
  );
  assertEquals(guest.writeRead(0x48, [0], 2), [85, 0]);
});

Deno.test("ctl: names that occur twice are told apart, by daemon and by guest", async () => {
  await using gpio = await start("gpio", TWO_GUESTS, 2);
  await using i2c = await start("i2c", PARTS);
  const both = [...gpio.at, ...i2c.at];
  assertEquals(
    await ctlOutput(...both, "get", "gpio:0/lid", "0/relay", "relay", "eeprom.busy"),
    "gpio:0/lid=1\n0/relay=0\nrelay=0\neeprom.busy=false\n",
  );
  await ctlOutput(...both, "set", "1/lid=0");
  assertEquals(await ctlOutput(...gpio.at, "get", "0/lid", "1/lid"), "0/lid=1\n1/lid=0\n");
  const ambiguous = /more than one 'lid'; choose from 0\/lid, 1\/lid/;
  await refused([...gpio.at, "get", "lid"], 2, ambiguous);
  await refused([...both, "read", "lid"], 2, /choose from .*1\/lid, i2c:lid/);
  await refused([...both, "get", "i2c:relay"], 2, /no 'i2c:relay'; did you mean 'relay'\?/);
  const info = await ctlOutput(...both, "info");
  assertMatch(info, /^ {2}i2c:lid /m);
  assertMatch(info, /^ {2}fan /m);
});

Deno.test("ctl: wait ends when it holds, has held for long enough, or the time is up", async () => {
  await using gpio = await start("gpio", LINES);
  using guest = new GpioGuest(gpio.daemon.connect());
  // It holds already.
  assertEquals(await ctlOutput(...gpio.at, "wait", "lid=1", "--timeout", "0"), "");
  await using waits = new RunningCtl([...gpio.at, "wait", "relay=on", "--timeout=1000h", "--json"]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  guest.ask(GPIO.SET_DIRECTION, 1, OUT);
  guest.ask(GPIO.SET_VALUE, 1, 1);
  assertEquals(JSON.parse(await waits.line()), { name: "relay", value: 1, holds: true });
  assertEquals(await waits.ended(), 0);
  const begin = performance.now();
  await ctlOutput(...gpio.at, "wait", "relay=1", "--for", "300ms", "--timeout", "60s");
  assert(performance.now() - begin >= 300);
  await refused(
    [...gpio.at, "wait", "relay=0", "--timeout", "100ms"],
    124,
    /after 100 ms, relay is 1, not 0$/m,
  );
  await refused([...gpio.at, "wait", "lid=0", "--timeout", "1s", "--for", "2s"], 2, /less than/);
});

Deno.test("ctl: wait says for how long it held where that was not enough", async () => {
  await using gpio = await start("gpio", LINES);
  await using waits = new RunningCtl([
    ...[...gpio.at, "wait", "lid=0", "--timeout", "3s", "--for", "2s"],
  ]);
  using client = await ControlClient.connect(gpio.at[1]);
  let isOver = false;
  const ended = waits.ended().finally(() => isOver = true);
  while (!isOver) await client.call("pulse", { name: "lid", milliseconds: 20 });
  assertEquals(await ended, 124);
  assertMatch(
    await waits.errors,
    /after 3 s, lid=0 held for \d+ ms at most, and lid is now [01]$/m,
  );
});

Deno.test("ctl: mon shows changes as they come, a line each", async () => {
  await using gpio = await start("gpio", LINES);
  await using i2c = await start("i2c", PARTS);
  const both = [...gpio.at, ...i2c.at];
  await using relay = new RunningCtl([...gpio.at, "mon", "relay", "--banner", "-n", "4"]);
  await using all = new RunningCtl([...both, "mon", "--banner", "--transactions", "-n6"]);
  await using json = new RunningCtl([...both, "mon", "--banner", "--json", "relay.value"]);
  for (const one of [relay, all]) assertEquals(await one.line(), "watching");
  assertEquals(JSON.parse(await json.line()), { kind: "watching" });
  using guest = new GpioGuest(gpio.daemon.connect());
  guest.ask(GPIO.SET_DIRECTION, 1, OUT);
  for (const value of [1, 0]) guest.ask(GPIO.SET_VALUE, 1, value);
  await ctlOutput(...both, "set", "gpio:lid=0");
  const event = JSON.parse(await json.line());
  assertEquals([event.daemon, event.name, event.value], ["gpio", "relay", 1]);
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z /;
  const lines = [await relay.line(), await relay.line(), await relay.line(), await relay.line()];
  assertEquals(lines.map((line) => line.replace(moment, "")), [
    "relay.direction=output",
    "relay.driven-by=guest",
    "relay=1",
    "relay=0",
  ]);
  assert(Math.abs(Date.parse(lines[0].split(" ")[0]) - Date.now()) < 60_000, lines[0]);
  assertEquals(await relay.ended(), 0);
  const rest = [];
  for (let count = 0; count < 6; count++) rest.push((await all.line()).replace(moment, ""));
  assertEquals(rest.sort(), [
    "gpio: guest 0 connected",
    "gpio: guest 0 ready",
    "relay.direction=output",
    "relay.driven-by=guest",
    "relay=0",
    "relay=1",
  ]);
  assertEquals(await all.ended(), 0);
  // Until it is interrupted.
  json.kill("SIGINT");
  assertEquals(await json.ended(), "SIGINT");
});

Deno.test("ctl: mon shows transactions, and ends without a word when nobody reads", async () => {
  await using i2c = await start("i2c", PARTS);
  await using mon = new RunningCtl([...i2c.at, "mon", "eeprom", "--transactions", "--banner"]);
  await mon.line();
  using guest = new I2cGuest(i2c.daemon.connect());
  guest.write(0x50, 0x20, 1, 2);
  guest.writeRead(0x50, [0x20], 2);
  const lines = [];
  for (let count = 0; count < 3; count++) {
    lines.push((await mon.line()).replace(/^\S+ /, ""));
  }
  assertEquals(lines.sort(), [
    "eeprom.contents 32:2=0102",
    "guest 0, address 0x50: write 20, read 0102",
    "guest 0, address 0x50: write 200102",
  ]);
  await mon.hangUp();
  let isOver = false;
  const ended = mon.ended().finally(() => isOver = true);
  while (!isOver) {
    guest.write(0x50, 0x20, 3);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(await ended, 0);
  assertEquals(await mon.errors, "");
});

Deno.test("ctl: pulse takes as long as it says, and inject strikes as often as it says", async () => {
  await using gpio = await start("gpio", LINES);
  await using i2c = await start("i2c", PARTS);
  const both = [...gpio.at, ...i2c.at];
  await using mon = new RunningCtl([...gpio.at, "mon", "lid", "--json", "--banner"]);
  await mon.line();
  await ctlOutput(...both, "pulse", "gpio:lid", "--for", "200ms");
  const [down, up] = [JSON.parse(await mon.line()), JSON.parse(await mon.line())];
  assertEquals([down.value, up.value], [0, 1]);
  assert(up.time - down.time >= 0.19, `${up.time - down.time} s`);
  using guest = new I2cGuest(i2c.daemon.connect());
  await ctlOutput(...both, "inject", "eeprom", "nak", "--count", "2");
  assertEquals([1, 2, 3].map(() => guest.write(0x50, 0)), [ERR, ERR, OK]);
  await refused([...both, "inject", "eeprom", "fire"], 1, /no fault 'fire'; it has nak, fail/);
  await refused([...both, "pulse", "gpio:lid"], 2, /add --for and a time/);
  await refused([...both, "pulse", "gpio:lid", "--for", "2d"], 2, /'2d', expected a time/);
});

Deno.test("ctl: read and write move bytes, any number of them", async () => {
  await using spi = await start("spi", FLASH);
  const bytes = crypto.getRandomValues(new Uint8Array(65536));
  const half = new Uint8Array(512 * 1024);
  for (let at = 0; at < half.length; at += bytes.length) half.set(bytes, at);
  assertEquals((await ctl([...spi.at, "write", "boot"], half)).code, 0);
  const { code, bytes: all, stderr } = await ctl([...spi.at, "read", "boot"]);
  assertEquals([code, stderr], [0, ""]);
  assert(all.length === half.length && all.every((byte, index) => byte === half[index]));
  const hello = new TextEncoder().encode("hello");
  assertEquals((await ctl([...spi.at, "write", "boot", "--at", "0x100"], hello)).code, 0);
  assertEquals(await ctlOutput(...spi.at, "read", "boot", "--range", "256:5"), "hello");
  assertEquals(
    JSON.parse(await ctlOutput(...spi.at, "read", "boot", "--range", "0x101:2", "--json")),
    { name: "boot", at: 257, length: 2, data: "656c" },
  );
  const last = [...spi.at, "write", "boot", "--at", `${512 * 1024 - 2}`];
  const { code: tooLong, stderr: why } = await ctl(last, hello);
  assertEquals(tooLong, 2);
  assertMatch(why, /standard input has 5 bytes, but from 524286 on 'boot' has room for 2$/m);
  await refused([...spi.at, "read", "boot", "--range", "0:600000"], 2, /has 524288 bytes/);
  await refused([...spi.at, "get", "boot"], 2, /'boot' is bytes; use the commands 'read'/);
});

Deno.test("ctl: wrong usage is one line that says what to do, with exit code 2", async () => {
  const cases: [string, RegExp][] = [
    ["", /no command is given; say one of info, get/],
    ["gett lid -c x", /no command 'gett'; did you mean 'get'\?/],
    ["info", /no daemon is named; add -c/],
    ["get -c x", /'get' lacks an operand; write get NAME\.\.\./],
    ["wait -c x a=1 b=1", /'wait' does not take 'b=1'; write wait NAME=VALUE/],
    ["set -c x lid", /'lid' is no assignment; write NAME=VALUE/],
    ["get -c x lid --timeout 1s", /'--timeout' is not for 'get'; see vhost-device-ctl get --help/],
    ["info -c x -c x", /names socket 'x' twice/],
    ["info --jsn", /unknown option '--jsn'; did you mean '--json'\?/],
    ["mon -c x -n 0", /'--num-events' has the value '0', expected a whole number from 1/],
    ["read -c x boot --range 5", /'--range' has the value '5', expected AT:LENGTH/],
  ];
  await Promise.all(cases.map(([line, message]) => {
    const args = line.split(" ").filter((word) => word !== "");
    return refused(args, 2, message);
  }));
});

Deno.test("ctl: who cannot be reached, or talks something else, is named with what to do", async () => {
  using folder = new TemporaryFolder();
  const missing = folder.file("missing");
  await refused(["-c", missing, "info"], 1, /socket '.*missing': there is none; start the daemon/);
  Deno.writeTextFileSync(folder.file("file"), "");
  await refused(["-c", folder.file("file"), "info"], 1, /nobody listens there; start the daemon/);
  await refused(["-c", `/${"x".repeat(200)}`, "info"], 2, /longer than 107 bytes/);
  await using gpio = await start("gpio", LINES);
  // A front-end's socket.
  await refused(["-c", gpio.daemon.socket(), "info"], 1, /does not talk to control clients/);
});

Deno.test("ctl: a daemon that ends while it is watched is told", async () => {
  const gpio = await start("gpio", LINES);
  await using mon = new RunningCtl([...gpio.at, "mon", "--banner"]);
  await mon.line();
  await gpio.daemon.stop();
  assertEquals(await mon.ended(), 1);
  assertMatch(await mon.errors, /^vhost-device-ctl: .*has ended the connection; see its log/);
  await gpio[Symbol.asyncDispose]();
});

Deno.test("ctl: help of the program, and of each command", async () => {
  const help = await ctlOutput("--help");
  const commands = [...help.matchAll(/^ {2}([a-z]+) .*\S {2,}\S/gm)].map(([, name]) => name);
  assertEquals(commands, [
    "info",
    "get",
    "set",
    "pulse",
    "inject",
    "wait",
    "mon",
    "read",
    "write",
    "run",
  ]);
  for (const line of help.split("\n")) assert(line.length <= 110, line);
  const wait = await ctlOutput("wait", "--help");
  assertMatch(wait, /^Usage: vhost-device-ctl --control PATH wait NAME=VALUE \[OPTION\]\.\.\.$/m);
  assertMatch(wait, /^ {6}--timeout TIME /m);
  assertMatch(await ctlOutput("-V"), /^vhost-device-ctl \d+\.\d+\.\d+\n$/);
});
