/** Interrupts of real lines, inside the guest: what the kernel senses is what the driver gets. */

import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { suspend } from "../../support/process_state.ts";
import {
  ERR,
  GPIO,
  GpioGuest,
  gpioRequest,
  IN,
  INVALID,
  IRQ,
  NONE,
  OUT,
  VALID,
} from "../../support/gpio_driver.ts";
import { GpioSim } from "../../support/gpio_sim.ts";
import { until } from "../../support/wait.ts";
import { consumerOf, expectInterrupts, interrupts, serve, settle, tick } from "./serve.ts";

for (
  const [name, type, up, down] of [
    ["rising", IRQ.RISING, 1, 0],
    ["falling", IRQ.FALLING, 0, 1],
    ["both", IRQ.BOTH, 1, 1],
  ] as const
) {
  Deno.test(`G5 ${name}: these edges are delivered, and no others`, async () => {
    using chip = new GpioSim({ lines: 2 });
    await using served = await serve(`${chip.number}`);
    const { guest } = served;
    guest.get(GPIO.SET_DIRECTION, 1, IN);
    guest.get(GPIO.SET_IRQ_TYPE, 1, type);
    guest.unmask(1);
    for (let round = 0; round < 3; round++) {
      for (const [level, expected] of [[1, up], [0, down]] as const) {
        chip.pull(1, level);
        expectInterrupts(guest, expected);
        if (expected > 0) guest.unmask(1);
      }
    }
  });
}

Deno.test("V18 a thread that looks for requests without sleeping sees an edge at once", async () => {
  using chip = new GpioSim({ lines: 1 });
  const most = 1000;
  await using served = await serve(`${chip.number}`, 1, ["--poll-us", `${most * 1000}`]);
  const { guest } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.RISING);
  guest.unmask(0);
  const begin = performance.now();
  chip.pull(0, 1);
  assertStrictEquals(guest.nextEvent().status, VALID);
  assertLess(performance.now() - begin, most / 2);
});

Deno.test("G5 an interrupt can be had without a direction, and gives the line back", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.RISING);
  guest.unmask(0);
  chip.pull(0, 1);
  assertStrictEquals(guest.nextEvent().status, VALID);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.NONE);
  assertEquals(consumerOf(chip, 0), "");
});

Deno.test("G5 an output gets no interrupt", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  served.guest.get(GPIO.SET_DIRECTION, 0, OUT);
  assertStrictEquals(served.guest.ask(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH).status, ERR);
});

Deno.test("G5 the type can be changed through none, on the same request", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  for (const [type, level] of [[IRQ.RISING, 1], [IRQ.FALLING, 0], [IRQ.BOTH, 1]] as const) {
    guest.get(GPIO.SET_IRQ_TYPE, 0, type);
    guest.unmask(0);
    chip.pull(0, level);
    assertStrictEquals(guest.nextEvent().status, VALID);
    guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.NONE);
    assertEquals(consumerOf(chip, 0), "vhost-device-gpio");
  }
});

Deno.test("G6 edges that come while the interrupt is masked are delivered once", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  for (let count = 0; count < 5; count++) {
    chip.pull(0, 1 - (count & 1));
    tick();
  }
  expectInterrupts(guest, 0);
  guest.unmask(0);
  expectInterrupts(guest, 1);
  guest.unmask(0);
  expectInterrupts(guest, 0);
});

Deno.test("G6 what was latched is forgotten when the interrupt is disabled", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  chip.pull(0, 1);
  settle(guest);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.NONE);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  guest.unmask(0);
  expectInterrupts(guest, 0);
});

Deno.test("G6 an edge that the kernel still has when the interrupt is disabled is discarded", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  const { guest, daemon } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  // The daemon finds the request first, and the edge in the kernel's buffer.
  suspend(daemon.pid);
  guest.queues[0].submit(guest.segments(gpioRequest(GPIO.SET_IRQ_TYPE, 0, IRQ.NONE), 2));
  chip.pull(0, 1);
  tick();
  assertEquals(interrupts(), 1);
  Deno.kill(daemon.pid, "SIGCONT");
  guest.queues[0].waitUsed(guest.frontEnd);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  guest.unmask(0);
  expectInterrupts(guest, 0);
});

for (const [name, type, active] of [["high", IRQ.HIGH, 1], ["low", IRQ.LOW, 0]] as const) {
  Deno.test(`G5 level ${name}: delivered when the line gets there`, async () => {
    using chip = new GpioSim({ lines: 1 });
    chip.pull(0, 1 - active);
    await using served = await serve(`${chip.number}`);
    const { guest } = served;
    guest.get(GPIO.SET_DIRECTION, 0, IN);
    guest.get(GPIO.SET_IRQ_TYPE, 0, type);
    guest.unmask(0);
    expectInterrupts(guest, 0);
    chip.pull(0, active);
    assertStrictEquals(guest.nextEvent().status, VALID);
  });

  Deno.test(`G6 level ${name}: delivered at each unmask while it lasts, and not afterwards`, async () => {
    using chip = new GpioSim({ lines: 1 });
    chip.pull(0, active);
    await using served = await serve(`${chip.number}`);
    const { guest } = served;
    guest.get(GPIO.SET_DIRECTION, 0, IN);
    guest.get(GPIO.SET_IRQ_TYPE, 0, type);
    for (let count = 0; count < 3; count++) {
      guest.unmask(0);
      assertStrictEquals(guest.nextEvent().status, VALID);
    }
    chip.pull(0, 1 - active);
    guest.unmask(0);
    expectInterrupts(guest, 0);
  });

  Deno.test(`G6 level ${name}: one that came and went while masked is not latched`, async () => {
    using chip = new GpioSim({ lines: 1 });
    chip.pull(0, 1 - active);
    await using served = await serve(`${chip.number}`);
    const { guest } = served;
    guest.get(GPIO.SET_DIRECTION, 0, IN);
    guest.get(GPIO.SET_IRQ_TYPE, 0, type);
    chip.pull(0, active);
    tick();
    chip.pull(0, 1 - active);
    settle(guest);
    guest.unmask(0);
    expectInterrupts(guest, 0);
  });
}

Deno.test("G6 level high: an old edge is no interrupt when the level has gone by now", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  const { guest, daemon } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.HIGH);
  guest.unmask(0);
  suspend(daemon.pid);
  chip.pull(0, 1);
  tick();
  chip.pull(0, 0);
  assertEquals(interrupts(), 1);
  Deno.kill(daemon.pid, "SIGCONT");
  expectInterrupts(guest, 0);
});

Deno.test("G7 disabling returns the waiting buffer as invalid", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.RISING);
  guest.unmask(0);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.NONE);
  assertEquals(guest.nextEvent(), { line: 0, status: INVALID, length: 1 });
  chip.pull(0, 1);
  expectInterrupts(guest, 0);
});

Deno.test("G7 edges of several lines arrive for the right lines", async () => {
  using chip = new GpioSim({ lines: 16 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  for (let line = 0; line < 16; line++) {
    guest.get(GPIO.SET_DIRECTION, line, IN);
    guest.get(GPIO.SET_IRQ_TYPE, line, IRQ.RISING);
    guest.unmask(line);
  }
  for (const line of [3, 15, 0, 8]) {
    chip.pull(line, 1);
    assertEquals(guest.nextEvent(), { line, status: VALID, length: 1 });
  }
});

Deno.test("more edges than the kernel keeps: one interrupt and one that was latched", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using served = await serve(`${chip.number}`);
  const { guest, daemon } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  guest.unmask(0);
  suspend(daemon.pid);
  for (let edge = 1; edge <= 40; edge++) {
    chip.pull(0, edge & 1);
    until("an interrupt", () => interrupts() >= edge);
  }
  Deno.kill(daemon.pid, "SIGCONT");
  expectInterrupts(guest, 1);
  guest.unmask(0);
  expectInterrupts(guest, 1);
  guest.unmask(0);
  expectInterrupts(guest, 0);
});

/** As many as the kernel senses in one go. */
const MANY = 64;

/** Has all lines watched for both edges. */
function watchAll(guest: GpioGuest): void {
  for (let line = 0; line < MANY; line++) {
    guest.get(GPIO.SET_DIRECTION, line, IN);
    guest.get(GPIO.SET_IRQ_TYPE, line, IRQ.BOTH);
    guest.unmask(line);
  }
}

Deno.test("of 10,000 edges that the driver had unmasked none is lost, and none is doubled", async () => {
  using chip = new GpioSim({ lines: MANY });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  watchAll(guest);
  let edges = 0;
  for (let round = 1; edges < 10_000; round++) {
    for (let line = 0; line < MANY; line++) chip.pull(line, round & 1);
    const lines = new Set<number>();
    for (let count = 0; count < MANY; count++) {
      const { line, status } = guest.nextEvent();
      assertStrictEquals(status, VALID);
      lines.add(line);
    }
    assertStrictEquals(lines.size, MANY);
    for (const line of lines) guest.unmask(line);
    edges += MANY;
  }
  assertStrictEquals(interrupts(), edges);
  expectInterrupts(guest, 0);
});

Deno.test("of 10,000 edges at full speed the daemon sees as many as the kernel, to the last", async () => {
  using chip = new GpioSim({ lines: MANY });
  await using served = await serve(`${chip.number}`, 1, ["--log-level", "debug"]);
  const { guest, daemon } = served;
  watchAll(guest);
  const levels = new Array(MANY).fill(0);
  let delivered = 0;
  // As a driver does: looks at the line, then unmasks.
  const serveEvents = () => {
    for (let event = guest.takeEvent(); event !== undefined; event = guest.takeEvent()) {
      assertStrictEquals(event.status, VALID);
      delivered++;
      guest.unmask(event.line);
      levels[event.line] = guest.get(GPIO.GET_VALUE, event.line);
    }
  };
  for (let round = 1; interrupts() < 10_000; round++) {
    for (let line = 0; line < MANY; line++) chip.pull(line, (round + line) & 1);
    serveEvents();
  }
  settle(guest);
  serveEvents();
  settle(guest);
  serveEvents();
  assertEquals(levels, levels.map((_, line) => chip.level(line)), "the last edge came through");
  const handled = interrupts();
  for (let line = 0; line < MANY; line++) guest.get(GPIO.SET_DIRECTION, line, NONE);
  let seen = 0;
  let read = 0;
  for (const [, all, one] of daemon.log.matchAll(/(\d+) edges, (\d+) of them read/g)) {
    seen += Number(all);
    read += Number(one);
  }
  assertStrictEquals(seen, handled);
  assert(delivered <= read && read <= handled, `${delivered} of ${read} of ${handled}`);
});

Deno.test("edges do not keep the daemon from answering requests", async () => {
  using chip = new GpioSim({ lines: MANY + 1 });
  await using served = await serve(`${chip.number}`);
  const { guest } = served;
  watchAll(guest);
  guest.get(GPIO.SET_DIRECTION, MANY, OUT);
  for (let round = 0; round < 100; round++) {
    for (let line = 0; line < MANY; line++) chip.pull(line, round & 1);
    guest.get(GPIO.SET_VALUE, MANY, round & 1);
    assertStrictEquals(chip.level(MANY), round & 1);
    for (let event = guest.takeEvent(); event; event = guest.takeEvent()) guest.unmask(event.line);
  }
});
