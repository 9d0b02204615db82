/** What the configuration says of real lines, inside the guest: subsets, access, safe states. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { ERR, GPIO, type GpioGuest, IN, IRQ, NONE, OK, OUT } from "../../support/gpio_driver.ts";
import { GpioSim } from "../../support/gpio_sim.ts";
import {
  consumerOf,
  expectInterrupts,
  lineInfo,
  serve,
  serveConfig,
  settle,
  untilFree,
  untilLevel,
} from "./serve.ts";

/** The number of lines, and their names. */
function linesOf(guest: GpioGuest): string[] {
  const config = new DataView(guest.frontEnd.getConfig(0, 8)!.buffer);
  const count = config.getUint16(0, true);
  const size = config.getUint32(4, true);
  if (size === 0) return new Array(count).fill("");
  const { response } = guest.request([1, 0, 0, 0, 0, 0, 0, 0], 1 + size);
  const names = new TextDecoder().decode(response.subarray(1, size)).split("\0");
  assertStrictEquals(names.length, count);
  return names;
}

Deno.test("a subset in brackets is all that the guest sees, in that order", async () => {
  using chip = new GpioSim({ lines: 8, special: { 2: { name: "two" }, 5: { name: "five" } } });
  await using served = await serve(`${chip.number}[5,0-2]`);
  const { guest } = served;
  assertEquals(linesOf(guest), ["five", "", "", "two"]);
  guest.get(GPIO.SET_VALUE, 0, 1);
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  assertEquals([0, 1, 2, 3, 4, 5].map((line) => chip.level(line)), [0, 0, 0, 0, 0, 1]);
  assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, 4, OUT).status, ERR);
});

Deno.test("lines can be picked by the host's names", async () => {
  using chip = new GpioSim({ lines: 8, special: { 6: { name: "led" } } });
  await using served = await serve(`${chip.number}[led]`);
  served.guest.get(GPIO.SET_VALUE, 0, 1);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  assertEquals(chip.level(6), 1);
});

Deno.test("edges of a subset have the guest's numbers", async () => {
  using chip = new GpioSim({ lines: 8 });
  await using served = await serve(`${chip.number}[7,3]`);
  served.guest.get(GPIO.SET_IRQ_TYPE, 1, IRQ.BOTH);
  served.guest.unmask(1);
  chip.pull(7, 1);
  expectInterrupts(served.guest, 0);
  chip.pull(3, 1);
  assertEquals(served.guest.nextEvent().line, 1);
});

Deno.test("names of the configuration take the place of the host's", async () => {
  using chip = new GpioSim({
    lines: 4,
    special: { 0: { name: "a" }, 1: { name: "b" }, 2: { name: "c" } },
  });
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [a, { line: b, name: red }, { line: 2, name: "" }, { line: 3, name: c }]`);
  assertEquals(linesOf(served.guest), ["a", "red", "", "c"]);
});

Deno.test("G8 names that are not ASCII, or that come twice, are dropped with a warning", async () => {
  using chip = new GpioSim({
    lines: 4,
    special: {
      0: { name: "grün" },
      1: { name: "twice" },
      2: { name: "twice" },
      3: { name: "fine" },
    },
  });
  await using served = await serve(`${chip.number}`);
  assertEquals(linesOf(served.guest), ["", "twice", "", "fine"]);
  const log = served.daemon.log;
  assertMatch(log, /warn .*no name for line 0 of gpiochip\d+ .*not printable ASCII/);
  assertMatch(log, /warn .*no name for line 2 of gpiochip\d+ .*another line/);
});

Deno.test("access input: an input, with interrupts, and never an output", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, access: input }]`);
  const { guest } = served;
  guest.get(GPIO.SET_VALUE, 0, 1);
  assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, 0, OUT).status, ERR);
  assertEquals(chip.level(0), 0);
  served.daemon.untilLogged(/line 0 .* may not be an output by its 'access: input'/);
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.RISING);
  guest.unmask(0);
  chip.pull(0, 1);
  assertEquals(guest.nextEvent().line, 0);
});

Deno.test("access output: an output, and never an input", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, access: output }]`);
  const { guest } = served;
  for (const type of [GPIO.SET_DIRECTION, GPIO.SET_IRQ_TYPE, GPIO.GET_VALUE]) {
    assertStrictEquals(guest.ask(type, 0, IN).status, ERR);
  }
  assertEquals(consumerOf(chip, 0), "");
  guest.get(GPIO.SET_VALUE, 0, 1);
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  assertEquals(chip.level(0), 1);
  assertEquals(guest.get(GPIO.GET_VALUE, 0), 1);
});

Deno.test("access read-only: the guest looks, and changes nothing", async () => {
  using chip = new GpioSim({ lines: 2 });
  chip.pull(0, 1);
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, access: read-only }]`);
  const { guest } = served;
  assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, 0, OUT).status, ERR);
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  assertStrictEquals(guest.get(GPIO.GET_DIRECTION, 0), IN);
  assertEquals(consumerOf(chip, 0), "", "nothing so far took the line");
  assertEquals(guest.get(GPIO.GET_VALUE, 0), 1);
  assertEquals(consumerOf(chip, 0), "vhost-device-gpio");
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.FALLING);
  guest.unmask(0);
  chip.pull(0, 0);
  assertEquals(guest.nextEvent().line, 0);
});

Deno.test("access read-only: an output of the host is seen as one, never taken, and stays one", async () => {
  using chip = new GpioSim({ lines: 1 });
  makeOutput(chip);
  assertMatch(lineInfo(chip, 0), /output/);
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, access: read-only }]`);
  const { guest } = served;
  assertStrictEquals(guest.get(GPIO.GET_DIRECTION, 0), OUT);
  assertStrictEquals(guest.ask(GPIO.GET_VALUE, 0).status, ERR);
  served.daemon.untilLogged(/line 0 .* may not be read: it is an output, which giving it back/);
  assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, 0, IN).status, ERR);
  assertStrictEquals(guest.ask(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH).status, ERR);
  assertStrictEquals(guest.ask(GPIO.SET_VALUE, 0, 1).status, ERR);
  assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, 0, OUT).status, ERR);
  assertEquals(chip.level(0), 0);
  assertMatch(lineInfo(chip, 0), /output/);
});

/** Leaves line 0 as an output that nobody has. */
function makeOutput(chip: GpioSim): void {
  const args = ["-t0", "-c", chip.name, "0=0"];
  new Deno.Command("gpioset", { args }).outputSync();
}

Deno.test("a line that is an output on the host becomes the guest's when it sets the value", async () => {
  using chip = new GpioSim({ lines: 1 });
  makeOutput(chip);
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  assertStrictEquals(guest.get(GPIO.GET_DIRECTION, 0), OUT);
  guest.get(GPIO.SET_VALUE, 0, 1);
  assertEquals(chip.level(0), 1);
  assertEquals(consumerOf(chip, 0), "vhost-device-gpio");
});

Deno.test("bias is left as it is, or set as configured", async () => {
  using chip = new GpioSim({ lines: 3 });
  chip.pull(0, 1);
  chip.pull(2, 1);
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [0, { line: 1, bias: pull-up }, { line: 2, bias: pull-down }]`);
  const { guest } = served;
  for (const line of [0, 1, 2]) guest.get(GPIO.SET_DIRECTION, line, IN);
  assertEquals([0, 1, 2].map((line) => guest.get(GPIO.GET_VALUE, line)), [1, 1, 0]);
  assertNotMatch(lineInfo(chip, 0), /bias/);
  assertMatch(lineInfo(chip, 1), /bias=pull-up/);
  guest.get(GPIO.SET_IRQ_TYPE, 1, IRQ.BOTH);
  assertMatch(lineInfo(chip, 1), /bias=pull-up/);
});

Deno.test("active-low: what is low on the wire is 1 for the guest, in both directions", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, active-low: true }, { line: 1, active-low: true }]`);
  const { guest } = served;
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  assertEquals(chip.level(0), 1);
  guest.get(GPIO.SET_VALUE, 0, 1);
  assertEquals(chip.level(0), 0);
  guest.get(GPIO.SET_DIRECTION, 1, IN);
  assertEquals(guest.get(GPIO.GET_VALUE, 1), 1);
  guest.get(GPIO.SET_IRQ_TYPE, 1, IRQ.FALLING);
  guest.unmask(1);
  chip.pull(1, 1);
  assertEquals(guest.nextEvent().line, 1);
});

Deno.test("drive is set as configured", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, drive: open-drain }, { line: 1, drive: open-source }]`);
  for (const line of [0, 1]) served.guest.get(GPIO.SET_DIRECTION, line, OUT);
  assertMatch(lineInfo(chip, 0), /drive=open-drain/);
  assertMatch(lineInfo(chip, 1), /drive=open-source/);
});

for (
  const [safe, driven, left] of [["1", 0, 1], ["0", 1, 0], ["keep", 1, 1], ["keep", 0, 0]] as const
) {
  Deno.test(`safe ${safe}: an output that drove ${driven} drives ${left} without a guest`, async () => {
    using chip = new GpioSim({ lines: 2 });
    // Where the line would go if it were given back.
    chip.pull(0, 1 - left);
    await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, safe: ${safe} }, 1]`);
    served.guest.get(GPIO.SET_VALUE, 0, driven);
    served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
    served.guest.get(GPIO.SET_DIRECTION, 1, IN);
    served.disconnect();
    untilFree(chip, 1);
    assertStrictEquals(chip.level(0), left);
    assertEquals(consumerOf(chip, 0), "vhost-device-gpio");
  });
}

Deno.test("safe: it is also driven when the guest sets the direction to none", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, safe: 1 }]`);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  served.guest.get(GPIO.SET_DIRECTION, 0, NONE);
  assertEquals(chip.level(0), 1);
});

Deno.test("safe: the next guest takes the line over, as an output or as an input", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, safe: 1 }]`);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  served.reconnect();
  assertStrictEquals(served.guest.get(GPIO.GET_DIRECTION, 0), OUT);
  served.guest.get(GPIO.SET_VALUE, 0, 0);
  assertStrictEquals(served.guest.ask(GPIO.SET_DIRECTION, 0, OUT).status, OK);
  assertEquals(chip.level(0), 0);
  served.reconnect();
  untilLevel(chip, 0, 1);
  served.guest.get(GPIO.SET_DIRECTION, 0, IN);
  assertMatch(lineInfo(chip, 0), /input/);
  served.disconnect();
  untilFree(chip, 0);
});

Deno.test("a line without a safe state is given back as it is", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_VALUE, 0, 1);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  served.disconnect();
  untilFree(chip, 0);
});

for (const polling of [[], ["--poll-us", "1000000"]]) {
  const how = ["a daemon", ...polling].join(" ");
  Deno.test(`V18 ${how} that ends drives the safe states and gives every line back`, async () => {
    using chip = new GpioSim({ lines: 2 });
    await using served = await serveConfig(
      `
  - chip: ${chip.number}
    lines: [{ line: 0, safe: 1 }, 1]`,
      1,
      [...polling, "--log-level", "debug"],
    );
    const { daemon, guest } = served;
    guest.get(GPIO.SET_DIRECTION, 0, OUT);
    guest.get(GPIO.SET_DIRECTION, 1, OUT);
    settle(guest);
    const { code, milliseconds } = await daemon.stop();
    assertEquals(code, 0);
    assert(milliseconds < 1000, `${milliseconds} ms`);
    // That much can be seen only here: with the daemon gone, the simulated line goes its own way.
    assertMatch(daemon.log, /line 0 \(the host's 0\): safe state 1\n/);
    assertMatch(daemon.log, /front-end gone: the daemon stops/);
    assertNotMatch(daemon.log, /does not end/);
    assertEquals([consumerOf(chip, 0), consumerOf(chip, 1)], ["", ""]);
  });
}
