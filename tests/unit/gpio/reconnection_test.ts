/**
 * A front-end that loses its connection and comes back by itself, under a driver that notices
 * nothing: for it, interrupts are enabled.
 */

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { readGuests } from "../../../lib/gpio/config.ts";
import { GpioDevice } from "../../../lib/gpio/device.ts";
import { powerUp } from "../../../lib/gpio/simulated/lines.ts";
import { SimulatedChip } from "../../../lib/gpio/simulated/simulated_chip.ts";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { Simulation } from "../../../lib/simulation/simulation.ts";
import { GPIO, GpioGuest, INVALID, IRQ, OUT, VALID } from "../../support/gpio_driver.ts";
import { InProcess, RecordingLog } from "../../support/in_process.ts";

/** What the driver watches, and the output that is wired to it. */
const WATCHED = 0;
const DRIVING = 1;

/** Runs a test with a guest whose chip has a line wired to another. */
function withGuest(
  run: (guest: GpioGuest, backEnd: InProcess<GpioDevice>) => void,
): () => void {
  return () => {
    const config = "[{ simulated: { lines: [{}, {}], wires: [{ from: 1, to: 0 }] } }]";
    const [choice] = readGuests(ConfigNode.parse("test", config));
    if (choice.kind !== "simulated") throw new TypeError("not simulated");
    const settings = powerUp(new Simulation(), choice);
    const chip = new SimulatedChip(settings, new RecordingLog().logger);
    using backEnd = new InProcess(new GpioDevice(chip));
    using guest = new GpioGuest(backEnd.connect());
    guest.get(GPIO.SET_IRQ_TYPE, WATCHED, IRQ.RISING);
    run(guest, backEnd);
  };
}

/** What Linux' driver does with the buffers that come back while it has the interrupt enabled. */
function serveEvents(guest: GpioGuest, rounds: number): number[] {
  const seen: number[] = [];
  for (let round = 0; round < rounds; round++) {
    guest.frontEnd.barrier();
    const event = guest.takeEvent();
    if (event === undefined) return seen;
    seen.push(event.status);
    guest.unmask(event.line);
  }
  return seen;
}

/** Two edges, one of which is to be seen. */
function pulse(guest: GpioGuest): void {
  guest.get(GPIO.SET_DIRECTION, DRIVING, OUT);
  guest.get(GPIO.SET_VALUE, DRIVING, 1);
  guest.get(GPIO.SET_VALUE, DRIVING, 0);
}

Deno.test(
  "after a reconnection, a buffer that waited for an edge waits on, until the interrupt is enabled anew",
  withGuest((guest, backEnd) => {
    guest.unmask(WATCHED);
    guest.reconnect(() => backEnd.connect());
    // Linux would queue one that comes back without an edge again, at once and for ever.
    assertEquals(serveEvents(guest, 5), []);
    pulse(guest);
    assertEquals(serveEvents(guest, 5), []);
    guest.get(GPIO.SET_IRQ_TYPE, WATCHED, IRQ.NONE);
    assertEquals(guest.takeEvent(), { line: WATCHED, status: INVALID, length: 1 });
    guest.get(GPIO.SET_IRQ_TYPE, WATCHED, IRQ.RISING);
    guest.unmask(WATCHED);
    pulse(guest);
    assertEquals(serveEvents(guest, 5), [VALID]);
  }),
);

Deno.test(
  "after a reconnection, a buffer that waits is that of the interrupt that is enabled then",
  withGuest((guest, backEnd) => {
    guest.unmask(WATCHED);
    guest.reconnect(() => backEnd.connect());
    guest.get(GPIO.SET_IRQ_TYPE, WATCHED, IRQ.RISING);
    pulse(guest);
    assertEquals(serveEvents(guest, 5), [VALID]);
  }),
);

Deno.test(
  "a buffer that is queued only after a reconnection waits, too",
  withGuest((guest, backEnd) => {
    guest.unmask(WATCHED);
    pulse(guest);
    assertStrictEquals(guest.nextEvent().status, VALID);
    guest.reconnect(() => backEnd.connect());
    guest.unmask(WATCHED);
    assertEquals(serveEvents(guest, 5), []);
    guest.get(GPIO.SET_IRQ_TYPE, WATCHED, IRQ.NONE);
    assertEquals(guest.takeEvent(), { line: WATCHED, status: INVALID, length: 1 });
  }),
);

Deno.test(
  "so does one of a guest whose event queue has not been used before",
  withGuest((guest, backEnd) => {
    guest.reconnect(() => backEnd.connect());
    guest.unmask(WATCHED);
    assertEquals(serveEvents(guest, 5), []);
  }),
);

Deno.test(
  "a driver that begins anew after a reconnection gets a buffer back that is for nothing",
  withGuest((guest, backEnd) => {
    guest.unmask(WATCHED);
    guest.reconnect(() => backEnd.connect());
    guest.frontEnd.close();
    guest.frontEnd.pump?.();
    using next = new GpioGuest(backEnd.connect());
    next.unmask(WATCHED);
    assertEquals(serveEvents(next, 3), [INVALID, INVALID, INVALID]);
  }),
);

Deno.test(
  "so does a driver whose rings have stopped for a while",
  withGuest((guest) => {
    for (const queue of guest.queues) {
      guest.start(queue, guest.frontEnd.getVringBase(queue.index));
      guest.frontEnd.setVringEnable(queue.index, true);
    }
    guest.get(GPIO.SET_IRQ_TYPE, WATCHED, IRQ.NONE);
    guest.unmask(WATCHED);
    assertEquals(serveEvents(guest, 3), [INVALID, INVALID, INVALID]);
  }),
);

Deno.test(
  "a driver that goes on after a reconnection is told from one that begins",
  withGuest((guest, backEnd) => {
    guest.reconnect(() => backEnd.connect());
    const ready = backEnd.log.of("info").filter((line) => line.startsWith("ready:"));
    assertEquals(ready.map((line) => /driver was at work before/.test(line)), [false, true]);
    assertMatch(ready[1], /the device begins anew/);
  }),
);
