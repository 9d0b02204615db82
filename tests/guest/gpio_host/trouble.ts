/** Chips that go away, inside the guest. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ERR, GPIO, IN, INVALID, IRQ, NONE, OK, OUT, VALID } from "../../support/gpio_driver.ts";
import { GpioSim } from "../../support/gpio_sim.ts";
import { pause, until } from "../../support/wait.ts";
import { consumerOf, serve, serveConfig, type Served, settle, untilLevel } from "./serve.ts";

const GONE = /error .*GPIO chip gpiochip\d+ ".*" has gone/;
const BACK = /info .*GPIO chip gpiochip\d+ ".*" is back/;

/** Takes a chip away, has something done meanwhile, and gives it back; nobody asks for it. */
function lose(chip: GpioSim, { daemon }: Served, meanwhile = () => {}): void {
  const times = (pattern: RegExp) => daemon.log.match(new RegExp(pattern, "g"))?.length ?? 0;
  const [gone, back] = [times(GONE), times(BACK)];
  chip.setBound(false);
  until("the chip has gone", () => times(GONE) > gone);
  meanwhile();
  chip.setBound(true);
  until("the chip is back", () => times(BACK) > back);
}

Deno.test("a chip that goes away while nothing is in use is one line in the log", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serve(`${chip.number}`);
  chip.setBound(false);
  served.daemon.untilLogged(GONE);
  assertEquals(served.daemon.log.match(/has gone/g)?.length, 1);
  chip.setBound(true);
});

Deno.test("a chip that goes away while lines are in use: errors for the guest, the daemon lives", async () => {
  using chip = new GpioSim({ lines: 3 });
  await using served = await serve(`${chip.number}`);
  const { guest, daemon } = served;
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  guest.get(GPIO.SET_DIRECTION, 1, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 1, IRQ.BOTH);
  guest.unmask(1);
  chip.setBound(false);
  daemon.untilLogged(GONE);
  for (const line of [0, 1, 2]) {
    assertStrictEquals(guest.ask(GPIO.SET_VALUE, line, 1).status, ERR);
    assertStrictEquals(guest.ask(GPIO.GET_VALUE, line).status, ERR);
    assertStrictEquals(guest.ask(GPIO.GET_DIRECTION, line).status, ERR);
    assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, line, IN).status, ERR);
  }
  assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, 0, NONE).status, OK);
  assertEquals(daemon.log.match(/has gone/g)?.length, 1);
  chip.setBound(true);
});

Deno.test("a chip that has gone keeps no processor busy", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serve(`${chip.number}`);
  const { guest, daemon } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  chip.setBound(false);
  daemon.untilLogged(GONE);
  const before = daemon.processorTime();
  pause(500);
  assert(daemon.processorTime() - before < 0.1);
  chip.setBound(true);
});

Deno.test("a chip that comes back is there for the guest again", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serve(`${chip.number}`);
  const { guest, daemon } = served;
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  for (let round = 0; round < 3; round++) {
    chip.setBound(false);
    daemon.untilLogged(GONE);
    assertStrictEquals(guest.ask(GPIO.GET_VALUE, 0).status, ERR);
    chip.setBound(true);
    guest.get(GPIO.SET_DIRECTION, 0, NONE);
    guest.get(GPIO.SET_VALUE, 0, 1);
    guest.get(GPIO.SET_DIRECTION, 0, OUT);
    assertEquals(chip.level(0), 1);
    daemon.untilLogged(/gpiochip\d+ ".*" is back/);
    guest.get(GPIO.SET_DIRECTION, 1, IN);
    guest.get(GPIO.SET_IRQ_TYPE, 1, IRQ.BOTH);
    guest.unmask(1);
    chip.pull(1, 1);
    assertStrictEquals(guest.nextEvent().status, VALID);
    guest.get(GPIO.SET_IRQ_TYPE, 1, IRQ.NONE);
  }
});

Deno.test("a guest can come and go while the chip is not there", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  chip.setBound(false);
  served.daemon.untilLogged(GONE);
  served.reconnect();
  assertStrictEquals(served.guest.ask(GPIO.SET_DIRECTION, 0, OUT).status, ERR);
  chip.setBound(true);
  assertStrictEquals(served.guest.ask(GPIO.SET_DIRECTION, 0, OUT).status, OK);
});

Deno.test("another chip that has taken the place of the one that is gone is left alone", async () => {
  const chip = new GpioSim({ lines: 2, label: "mine" });
  await using served = await serve(`${chip.number}`);
  const { guest, daemon } = served;
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  chip[Symbol.dispose]();
  daemon.untilLogged(GONE);
  using other = new GpioSim({ lines: 2, label: "another" });
  assertStrictEquals(other.name, chip.name);
  assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, 0, OUT).status, ERR);
  assertEquals(consumerOf(other, 0), "");
});

Deno.test("one guest's chip goes away, and the other guest does not notice", async () => {
  using first = new GpioSim({ lines: 2 });
  using second = new GpioSim({ lines: 2 });
  await using served = await serve(`${first.number}:${second.number}`, 2);
  first.setBound(false);
  served.daemon.untilLogged(GONE);
  served.guests[1].get(GPIO.SET_DIRECTION, 0, OUT);
  served.guests[1].get(GPIO.SET_VALUE, 0, 1);
  assertEquals(second.level(0), 1);
  first.setBound(true);
});

Deno.test("G9 what an output drives is driven again when the chip is back, and values are driven", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  guest.get(GPIO.SET_VALUE, 0, 1);
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  lose(chip, served, () => assertStrictEquals(guest.ask(GPIO.SET_VALUE, 0, 0).status, ERR));
  untilLevel(chip, 0, 1);
  assertEquals(consumerOf(chip, 0), "vhost-device-gpio");
  assertStrictEquals(guest.get(GPIO.GET_DIRECTION, 0), OUT);
  for (const value of [0, 1]) {
    guest.get(GPIO.SET_VALUE, 0, value);
    assertStrictEquals(chip.level(0), value);
    assertStrictEquals(guest.get(GPIO.GET_VALUE, 0), value);
  }
  assertEquals(consumerOf(chip, 1), "", "what was not taken stays free");
});

Deno.test("G9 an output that another has when the chip is back: values are refused", async () => {
  using chip = new GpioSim({ lines: 1, label: "mine" });
  await using served = await serve(`${chip.number}`);
  const { guest, daemon } = served;
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  chip.setLive(false);
  daemon.untilLogged(GONE);
  chip.setSpecial(0, { hog: "somebody else" });
  chip.setLive(true);
  daemon.untilLogged(/warn .*line 0 .* is in use by "somebody else" on the host/);
  for (const value of [0, 1]) {
    assertStrictEquals(guest.ask(GPIO.SET_VALUE, 0, value).status, ERR);
  }
  assertEquals(daemon.log.match(/is in use by/g)?.length, 1);
});

Deno.test("G9 interrupts come again when the chip is back, whether the guest has set a direction or not", async () => {
  using chip = new GpioSim({ lines: 3 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  guest.get(GPIO.SET_IRQ_TYPE, 1, IRQ.RISING);
  guest.get(GPIO.SET_IRQ_TYPE, 2, IRQ.HIGH);
  for (const line of [0, 1, 2]) guest.unmask(line);
  for (let round = 0; round < 2; round++) {
    lose(chip, served);
    settle(guest);
    assertEquals(guest.takeEvent(), undefined);
    for (const line of [0, 1, 2]) {
      chip.pull(line, 1);
      const event = guest.nextEvent();
      assertEquals([event.line, event.status], [line, VALID]);
      chip.pull(line, 0);
      if (line === 0) {
        guest.unmask(0);
        assertEquals(guest.nextEvent().line, 0);
      }
      settle(guest);
      guest.unmask(line);
    }
  }
});

Deno.test("G9 a level interrupt looks at the level when the chip is back: there was no edge to see", async () => {
  using chip = new GpioSim({ lines: 1 });
  chip.pull(0, 1);
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.LOW);
  guest.unmask(0);
  settle(guest);
  assertEquals(guest.takeEvent(), undefined);
  // A chip that its driver has taken anew pulls nothing up.
  lose(chip, served);
  assertEquals(chip.level(0), 0);
  assertStrictEquals(guest.nextEvent().status, VALID);
});

Deno.test("G9 an interrupt that cannot be armed again comes back as invalid, once", async () => {
  using chip = new GpioSim({ lines: 1, label: "mine" });
  await using served = await serve(`${chip.number}`);
  const { guest, daemon } = served;
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  guest.unmask(0);
  chip.setLive(false);
  daemon.untilLogged(GONE);
  chip.setSpecial(0, { hog: "somebody else" });
  chip.setLive(true);
  const event = guest.nextEvent();
  assertEquals([event.line, event.status], [0, INVALID]);
  // Linux queues the buffer at once again, whatever it was returned with.
  guest.unmask(0);
  settle(guest);
  assertEquals(guest.takeEvent(), undefined);
  assertStrictEquals(guest.ask(GPIO.SET_IRQ_TYPE, 0, IRQ.NONE).status, OK);
  assertEquals(guest.nextEvent().status, INVALID);
});

for (const when of ["before", "while"]) {
  Deno.test(`G9 a safe state is driven again when the chip is back; the guest went ${when} it was away`, async () => {
    using chip = new GpioSim({ lines: 1 });
    await using served = await serveConfig(`
  - chip: ${chip.number}
    lines: [{ line: 0, safe: 1 }]`);
    served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
    if (when === "before") served.disconnect();
    lose(chip, served, () => {
      if (when === "while") served.disconnect();
    });
    untilLevel(chip, 0, 1);
    assertEquals(consumerOf(chip, 0), "vhost-device-gpio");
  });
}
