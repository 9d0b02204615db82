/** Real lines, inside the guest: every operation of the virtio device on a chip of the kernel. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ERR, GPIO, gpioRequest, IN, NONE, OK, OUT } from "../../support/gpio_driver.ts";
import { GpioSim } from "../../support/gpio_sim.ts";
import { consumerOf, holdLine, serve, untilFree, untilLevel } from "./serve.ts";

Deno.test("G2 the guest sees the names that the host has for the lines", async () => {
  using chip = new GpioSim({ lines: 4, special: { 1: { name: "led" }, 3: { name: "key" } } });
  await using served = await serve(`${chip.number}`);
  const { response, length } = served.guest.request([1, 0, 0, 0, 0, 0, 0, 0], 11);
  assertEquals(length, 11);
  assertEquals(new TextDecoder().decode(response.subarray(1)), "\0led\0\0key\0");
});

Deno.test("G3 a line that the guest has not touched has the direction of the host", async () => {
  using chip = new GpioSim({
    lines: 3,
    special: { 1: { hog: "kernel", hogDirection: "output-high" }, 2: { hog: "kernel" } },
  });
  await using served = await serve(`${chip.number}`);
  const directions = [0, 1, 2].map((line) => served.guest.get(GPIO.GET_DIRECTION, line));
  assertEquals(directions, [IN, OUT, IN]);
});

Deno.test("G3 a line is requested when it gets a direction and released at none", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serve(`${chip.number}`);
  assertEquals(consumerOf(chip, 1), "");
  served.guest.get(GPIO.SET_DIRECTION, 1, IN);
  assertEquals(consumerOf(chip, 1), "vhost-device-gpio");
  assertEquals(consumerOf(chip, 0), "");
  served.guest.get(GPIO.SET_DIRECTION, 1, NONE);
  assertEquals(consumerOf(chip, 1), "");
});

Deno.test("G3 the direction that the guest sets is the host's", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  assertStrictEquals(served.guest.get(GPIO.GET_DIRECTION, 0), OUT);
  served.guest.get(GPIO.SET_DIRECTION, 0, IN);
  assertStrictEquals(served.guest.get(GPIO.GET_DIRECTION, 0), IN);
});

Deno.test("G3 a value set before the direction is driven from that moment on, not before", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_VALUE, 0, 1);
  assertEquals(chip.level(0), 0);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  assertEquals(chip.level(0), 1);
});

Deno.test("G3 none forgets the value", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_VALUE, 0, 1);
  served.guest.get(GPIO.SET_DIRECTION, 0, NONE);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  assertEquals(chip.level(0), 0);
});

Deno.test("G3 an output that becomes an input and an output again never drives another level", async () => {
  using chip = new GpioSim({ lines: 1 });
  chip.pull(0, 1);
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_VALUE, 0, 1);
  for (let round = 0; round < 20; round++) {
    served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
    assertEquals(chip.level(0), 1);
    served.guest.get(GPIO.SET_DIRECTION, 0, IN);
    assertEquals(consumerOf(chip, 0), "vhost-device-gpio");
  }
});

Deno.test("G4 set and get reach every line", async () => {
  using chip = new GpioSim({ lines: 64 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  for (let line = 0; line < 64; line++) {
    guest.get(GPIO.SET_DIRECTION, line, OUT);
    guest.get(GPIO.SET_VALUE, line, 1);
    assertEquals(chip.level(line), 1);
    assertEquals(guest.get(GPIO.GET_VALUE, line), 1);
    guest.get(GPIO.SET_VALUE, line, 0);
    assertEquals(chip.level(line), 0);
  }
});

Deno.test("get and set cause no collection of garbage", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serve(`${chip.number}`, 1, [], { v8Flags: ["--trace-gc"] });
  const { guest, daemon } = served;
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  guest.get(GPIO.SET_DIRECTION, 1, IN);
  const [queue] = guest.queues;
  const response = guest.ram.allocate(2);
  const requests = [[GPIO.SET_VALUE, 0, 1], [GPIO.GET_VALUE, 1, 0], [GPIO.SET_VALUE, 0, 0]].map(
    ([type, line, value]) => {
      const address = guest.ram.allocate(8);
      guest.ram.write(address, gpioRequest(type, line, value));
      return [{ address, length: 8 }, { address: response, length: 2, writable: true }];
    },
  );
  for (let round = 0; round < 1000; round++) {
    const heads = Array.from({ length: 99 }, (_, index) => queue.place(requests[index % 3]));
    queue.offer(...heads);
    queue.kick();
    for (const _ of heads) queue.waitUsed(guest.frontEnd);
  }
  // What V8 has to say of it is only complete once the daemon has ended.
  await daemon.stop();
  const collections = daemon.log.match(/Scavenge|Mark-Compact/g)?.length ?? 0;
  assert(collections < 10, `${collections} collections, a few of them at the start`);
});

Deno.test("G4 an input has the level of its wire", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_DIRECTION, 0, IN);
  for (const level of [0, 1, 0, 1]) {
    chip.pull(0, level);
    assertStrictEquals(served.guest.get(GPIO.GET_VALUE, 0), level);
  }
});

Deno.test("G4 a line without a direction can be looked at, and stays what it is", async () => {
  using chip = new GpioSim({ lines: 1 });
  chip.pull(0, 1);
  await using served = await serve(`${chip.number}`);
  assertEquals(served.guest.get(GPIO.GET_VALUE, 0), 1);
  served.guest.get(GPIO.SET_DIRECTION, 0, NONE);
  assertEquals(consumerOf(chip, 0), "");
});

Deno.test("G4 a line beyond the last is an error", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serve(`${chip.number}`);
  for (const type of [GPIO.GET_DIRECTION, GPIO.SET_DIRECTION, GPIO.GET_VALUE, GPIO.SET_VALUE]) {
    assertEquals(served.guest.ask(type, 2, 1), { status: ERR, value: 0, length: 2 });
  }
});

Deno.test("the guest's lines are released when it goes away", async () => {
  using chip = new GpioSim({ lines: 2 });
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_DIRECTION, 0, IN);
  served.guest.get(GPIO.SET_DIRECTION, 1, OUT);
  served.disconnect();
  untilFree(chip, 0);
  untilFree(chip, 1);
});

Deno.test("100 guests come and go, and the daemon's descriptors stay the same", async () => {
  using chip = new GpioSim({ lines: 4 });
  await using served = await serve(`${chip.number}`);
  const round = () => {
    for (let line = 0; line < 4; line++) served.guest.get(GPIO.SET_DIRECTION, line, IN);
    served.guest.get(GPIO.SET_IRQ_TYPE, 3, 1);
    served.reconnect();
  };
  round();
  const before = served.daemon.fdCount();
  for (let count = 0; count < 100; count++) round();
  assertStrictEquals(served.daemon.fdCount(), before);
});

Deno.test("a line in use is an error for the guest and one line in the log, until it is free", async () => {
  using chip = new GpioSim({ lines: 2, special: { 0: { name: "led" } } });
  await using served = await serve(`${chip.number}`);
  {
    await using _other = holdLine(chip, 0, "somebody");
    for (let count = 0; count < 5; count++) {
      assertStrictEquals(served.guest.ask(GPIO.SET_DIRECTION, 0, IN).status, ERR);
    }
    const lines = served.daemon.log.match(/line 0 "led".* in use by "somebody"/g);
    assertEquals(lines?.length, 1);
    assertStrictEquals(served.guest.ask(GPIO.SET_DIRECTION, 1, IN).status, OK);
  }
  assertStrictEquals(served.guest.ask(GPIO.SET_DIRECTION, 0, IN).status, OK);
});

Deno.test("a line that the kernel has taken is named with its consumer", async () => {
  using chip = new GpioSim({ lines: 1, special: { 0: { hog: "power-key" } } });
  await using served = await serve(`${chip.number}`);
  assertStrictEquals(served.guest.ask(GPIO.SET_DIRECTION, 0, OUT).status, ERR);
  served.daemon.untilLogged(/line 0 .* in use by "power-key"/);
});

Deno.test("a line that somebody else takes while the guest does not use it is an error later", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  served.guest.get(GPIO.SET_DIRECTION, 0, NONE);
  await using _other = holdLine(chip, 0, "somebody");
  assertStrictEquals(served.guest.ask(GPIO.SET_DIRECTION, 0, OUT).status, ERR);
  assertStrictEquals(served.guest.ask(GPIO.GET_VALUE, 0).status, ERR);
});

Deno.test("two guests on two chips have nothing to do with each other", async () => {
  using first = new GpioSim({ lines: 2 });
  using second = new GpioSim({ lines: 3 });
  await using served = await serve(`${first.number}:${second.number}`, 2);
  const [one, two] = served.guests;
  one.get(GPIO.SET_DIRECTION, 0, OUT);
  two.get(GPIO.SET_DIRECTION, 0, OUT);
  one.get(GPIO.SET_VALUE, 0, 1);
  assertEquals([first.level(0), second.level(0)], [1, 0]);
  served.disconnect(0);
  two.get(GPIO.SET_VALUE, 0, 1);
  assertEquals(second.level(0), 1);
  untilLevel(first, 0, 0);
  assertStrictEquals(two.ask(GPIO.GET_DIRECTION, 2).status, OK);
});

Deno.test("two guests share a chip as long as they do not share a line", async () => {
  using chip = new GpioSim({ lines: 4 });
  await using served = await serve(`${chip.number}[0,1]:${chip.number}[2,3]`, 2);
  const [one, two] = served.guests;
  one.get(GPIO.SET_DIRECTION, 1, OUT);
  two.get(GPIO.SET_DIRECTION, 1, OUT);
  one.get(GPIO.SET_VALUE, 1, 1);
  assertEquals([0, 1, 2, 3].map((line) => chip.level(line)), [0, 1, 0, 0]);
  two.get(GPIO.SET_VALUE, 1, 1);
  assertEquals([0, 1, 2, 3].map((line) => chip.level(line)), [0, 1, 0, 1]);
});
