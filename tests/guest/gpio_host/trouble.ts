/** Chips that go away, inside the guest. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ERR, GPIO, IN, IRQ, NONE, OK, OUT, VALID } from "../../support/gpio_driver.ts";
import { GpioSim } from "../../support/gpio_sim.ts";
import { pause } from "../../support/wait.ts";
import { consumerOf, serve } from "./serve.ts";

const GONE = /error .*GPIO chip gpiochip\d+ ".*" has gone/;

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
