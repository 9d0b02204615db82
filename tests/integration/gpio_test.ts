import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Daemon } from "../support/daemon.ts";
import {
  ERR,
  F_IRQ,
  GPIO,
  GpioGuest,
  gpioRequest,
  IN,
  INVALID,
  IRQ,
  NONE,
  OK,
  OUT,
  VALID,
} from "../support/gpio_driver.ts";
import { gpioTest } from "../support/gpio_test.ts";
import { REQUEST, u32 } from "../support/wire.ts";

/** Lines 0 and 2 are wired to 1 and 3; line 4 is an input at 1, line 5 an output at 1. */
const CONFIG = `
guests:
  - simulated:
      lines:
        - name: led
        - name: button
        - name: valve
        - {}
        - { name: high, direction: input, value: 1 }
        - { name: driven, direction: output, value: 1 }
      wires:
        - { from: led, to: button }
        - { from: valve, to: 3 }
`;
const [LED, BUTTON, VALVE, SENSOR, HIGH, DRIVEN] = [0, 1, 2, 3, 4, 5];
const NAMES = "led\0button\0valve\0\0high\0driven\0";

/** A test on the chip above. */
function wiredTest(name: string, run: (guest: GpioGuest, daemon: Daemon) => void): void {
  gpioTest(name, (daemon) => {
    using guest = new GpioGuest(daemon.connect());
    run(guest, daemon);
  }, { args: [], config: CONFIG });
}

/** An input with this interrupt and its event buffer queued, wired to an output that is at 0. */
function arm(guest: GpioGuest, type: number, output = LED, input = BUTTON): void {
  guest.get(GPIO.SET_VALUE, output, 0);
  guest.get(GPIO.SET_DIRECTION, output, OUT);
  guest.get(GPIO.SET_DIRECTION, input, IN);
  guest.get(GPIO.SET_IRQ_TYPE, input, type);
  guest.unmask(input);
}

/** The event that has come back, all that was asked before having had its effect. */
function eventNow(guest: GpioGuest) {
  // Requests may overtake the event buffers of the other queue, whose kick is seen by this.
  guest.frontEnd.barrier();
  guest.get(GPIO.GET_VALUE, LED);
  return guest.takeEvent();
}

const valid = (line: number) => ({ line, status: VALID, length: 1 });
const invalid = (line: number) => ({ line, status: INVALID, length: 1 });

wiredTest("G1 the configuration space tells of lines and names", (guest) => {
  const config = guest.frontEnd.getConfig(0, 8);
  assertEquals(config, new Uint8Array([6, 0, 0, 0, NAMES.length, 0, 0, 0]));
});

wiredTest("G1 every response is whole, that of an error included", (guest) => {
  for (const type of [0, 2, 3, 4, 5, 6, 7, 0xffff]) {
    for (const line of [LED, 6, 0xffff]) {
      const { status, value, length } = guest.ask(type, line, 99);
      assertEquals(length, 2);
      assert(status === OK || status === ERR);
      if (status === ERR) assertEquals(value, 0);
    }
  }
});

wiredTest("G1 a request that is too short gets an error", (guest) => {
  const { response, length } = guest.request([2, 0, 0, 0], 2);
  assertEquals([...response, length], [ERR, 0, 2]);
  assertEquals([...guest.request([], 2).response], [ERR, 0]);
  // One with room for the status alone.
  assertStrictEquals(guest.request(gpioRequest(GPIO.GET_VALUE, LED), 1).length, 1);
});

wiredTest("G2 names come in line order, each with a zero byte", (guest) => {
  const { response, length } = guest.request(
    gpioRequest(GPIO.GET_LINE_NAMES),
    1 + NAMES.length,
  );
  assertStrictEquals(length, 1 + NAMES.length);
  assertStrictEquals(response[0], OK);
  assertStrictEquals(new TextDecoder().decode(response.subarray(1)), NAMES);
});

wiredTest("G2 a buffer of another size than the names have gets an error and no names", (guest) => {
  for (const room of [1, 2, NAMES.length, NAMES.length + 2, 1000]) {
    const { response, length } = guest.request(gpioRequest(GPIO.GET_LINE_NAMES), room);
    assertStrictEquals(response[0], ERR);
    assert(length <= room);
    assert(response.subarray(length).every((byte) => byte === 0xee));
  }
});

gpioTest("G2 a chip without names has names of size 0", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  assertEquals(guest.frontEnd.getConfig(4, 4), new Uint8Array(4));
  assertStrictEquals(guest.ask(GPIO.GET_LINE_NAMES).status, ERR);
}, { args: [], config: "guests:\n  - simulated:\n      lines: [{}, {}, {}]\n" });

gpioTest("G2 the lines of -l are named as scripts know them", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const names = "dummy0\0dummy1\0dummy2\0";
  const { response } = guest.request(gpioRequest(GPIO.GET_LINE_NAMES), 1 + names.length);
  assertStrictEquals(new TextDecoder().decode(response.subarray(1)), names);
}, { args: ["-l", "s3"] });

wiredTest("G3 lines begin as configured, and directions can be set and given back", (guest) => {
  const directions = [LED, BUTTON, VALVE, SENSOR, HIGH, DRIVEN].map((line) =>
    guest.get(GPIO.GET_DIRECTION, line)
  );
  assertEquals(directions, [NONE, NONE, NONE, NONE, IN, OUT]);
  for (const direction of [IN, OUT, IN, NONE, OUT, NONE]) {
    guest.get(GPIO.SET_DIRECTION, LED, direction);
    assertStrictEquals(guest.get(GPIO.GET_DIRECTION, LED), direction);
  }
  for (const direction of [3, 4, 0xff, 0x1_0001, 0xffff_ffff]) {
    assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, LED, direction).status, ERR);
  }
  assertStrictEquals(guest.get(GPIO.GET_DIRECTION, LED), NONE);
});

wiredTest("G3 a value set before the direction is driven from the first moment on", (guest) => {
  arm(guest, IRQ.BOTH);
  guest.get(GPIO.SET_DIRECTION, LED, NONE);
  assertEquals(eventNow(guest), undefined);
  guest.get(GPIO.SET_VALUE, LED, 1);
  assertEquals(guest.get(GPIO.GET_VALUE, BUTTON), 0);
  guest.get(GPIO.SET_DIRECTION, LED, OUT);
  assertEquals(guest.get(GPIO.GET_VALUE, BUTTON), 1);
  // One edge and not three, as a glitch to 0 would be.
  assertEquals(eventNow(guest), valid(BUTTON));
  guest.unmask(BUTTON);
  assertEquals(eventNow(guest), undefined);
});

wiredTest("G3 an output without a value drives 0, and forgets what it was before", (guest) => {
  guest.get(GPIO.SET_DIRECTION, LED, OUT);
  assertEquals(guest.get(GPIO.GET_VALUE, LED), 0);
  guest.get(GPIO.SET_VALUE, LED, 1);
  assertEquals(guest.get(GPIO.GET_VALUE, LED), 1);
  guest.get(GPIO.SET_DIRECTION, LED, NONE);
  guest.get(GPIO.SET_DIRECTION, LED, OUT);
  assertEquals(guest.get(GPIO.GET_VALUE, LED), 0);
});

wiredTest("G4 what an output drives is what the input at its wire reads", (guest) => {
  guest.get(GPIO.SET_DIRECTION, BUTTON, IN);
  guest.get(GPIO.SET_DIRECTION, LED, OUT);
  for (const value of [1, 0, 0, 1, 1, 0]) {
    guest.get(GPIO.SET_VALUE, LED, value);
    assertStrictEquals(guest.get(GPIO.GET_VALUE, LED), value);
    assertStrictEquals(guest.get(GPIO.GET_VALUE, BUTTON), value);
  }
  assertEquals(guest.get(GPIO.GET_VALUE, HIGH), 1);
});

wiredTest("G4 values, lines and types that there are not get an error", (guest) => {
  guest.get(GPIO.SET_DIRECTION, LED, OUT);
  for (const value of [2, 255, 256, 0x1_0000, 0xffff_ffff]) {
    assertStrictEquals(guest.ask(GPIO.SET_VALUE, LED, value).status, ERR);
  }
  for (const type of [2, 3, 4, 5, 6]) {
    for (const line of [6, 7, 0x100, 0xffff]) assertStrictEquals(guest.ask(type, line).status, ERR);
  }
  for (const type of [0, 7, 8, 0x102, 0xffff]) assertStrictEquals(guest.ask(type, LED).status, ERR);
  assertEquals(guest.get(GPIO.GET_VALUE, LED), 0);
});

const edges: [string, number, (0 | 1)[]][] = [
  ["rising", IRQ.RISING, [1]],
  ["falling", IRQ.FALLING, [0]],
  ["both", IRQ.BOTH, [1, 0]],
];
for (const [name, type, wanted] of edges) {
  wiredTest(`G5 an interrupt on ${name} edges comes with those and no others`, (guest) => {
    arm(guest, type);
    for (const value of [1, 0, 1, 0, 1, 0] as const) {
      guest.get(GPIO.SET_VALUE, LED, value);
      if (wanted.includes(value)) {
        assertEquals(guest.nextEvent(), valid(BUTTON));
        guest.unmask(BUTTON);
      } else {
        assertEquals(eventNow(guest), undefined);
      }
    }
  });
}

for (const [name, type, active] of [["high", IRQ.HIGH, 1], ["low", IRQ.LOW, 0]] as const) {
  wiredTest(`G5 G6 an interrupt at ${name} level comes as long as the level lasts`, (guest) => {
    guest.get(GPIO.SET_VALUE, LED, 1 - active);
    guest.get(GPIO.SET_DIRECTION, LED, OUT);
    guest.get(GPIO.SET_DIRECTION, BUTTON, IN);
    guest.get(GPIO.SET_IRQ_TYPE, BUTTON, type);
    guest.unmask(BUTTON);
    assertEquals(eventNow(guest), undefined);
    guest.get(GPIO.SET_VALUE, LED, active);
    assertEquals(guest.nextEvent(), valid(BUTTON));
    for (let count = 0; count < 5; count++) {
      guest.unmask(BUTTON);
      assertEquals(guest.nextEvent(), valid(BUTTON));
    }
    // A level that is over when the interrupt is unmasked is forgotten.
    guest.get(GPIO.SET_VALUE, LED, 1 - active);
    guest.unmask(BUTTON);
    assertEquals(eventNow(guest), undefined);
    guest.get(GPIO.SET_VALUE, LED, active);
    assertEquals(guest.nextEvent(), valid(BUTTON));
  });
}

wiredTest("G5 an interrupt's type changes through NONE only, and never on an output", (guest) => {
  guest.get(GPIO.SET_DIRECTION, BUTTON, IN);
  for (const type of [5, 6, 7, 9, 12, 16, 0xffff_ffff]) {
    assertStrictEquals(guest.ask(GPIO.SET_IRQ_TYPE, BUTTON, type).status, ERR);
  }
  for (const type of [IRQ.RISING, IRQ.FALLING, IRQ.BOTH, IRQ.HIGH, IRQ.LOW]) {
    guest.get(GPIO.SET_IRQ_TYPE, BUTTON, type);
    assertStrictEquals(guest.ask(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.BOTH).status, ERR);
    guest.get(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.NONE);
  }
  guest.get(GPIO.SET_DIRECTION, LED, OUT);
  assertStrictEquals(guest.ask(GPIO.SET_IRQ_TYPE, LED, IRQ.RISING).status, ERR);
  guest.get(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.RISING);
  assertStrictEquals(guest.ask(GPIO.SET_DIRECTION, BUTTON, OUT).status, ERR);
});

gpioTest("G5 without the feature there are no interrupts", (daemon) => {
  using guest = new GpioGuest(daemon.connect(), { features: 0n });
  assertEquals(guest.features & F_IRQ, 0n);
  guest.get(GPIO.SET_DIRECTION, BUTTON, IN);
  assertStrictEquals(guest.ask(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.RISING).status, ERR);
});

wiredTest("G6 edges while masked are latched once and come at unmasking", (guest) => {
  arm(guest, IRQ.RISING);
  guest.get(GPIO.SET_VALUE, LED, 1);
  assertEquals(guest.nextEvent(), valid(BUTTON));
  for (const value of [0, 1, 0, 1, 0]) guest.get(GPIO.SET_VALUE, LED, value);
  guest.unmask(BUTTON);
  assertEquals(guest.nextEvent(), valid(BUTTON));
  guest.unmask(BUTTON);
  assertEquals(eventNow(guest), undefined);
});

wiredTest("G6 an edge finds the buffer of a driver whose kick has not arrived yet", (guest) => {
  guest.get(GPIO.SET_DIRECTION, LED, OUT);
  guest.get(GPIO.SET_DIRECTION, BUTTON, IN);
  guest.get(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.BOTH);
  guest.unmask(BUTTON, false);
  guest.get(GPIO.SET_VALUE, LED, 1);
  guest.get(GPIO.SET_VALUE, LED, 0);
  assertEquals(guest.nextEvent(), valid(BUTTON));
  guest.unmask(BUTTON);
  assertEquals(guest.nextEvent(), valid(BUTTON));
});

wiredTest(
  "G6 an edge before the first unmasking is latched, and disabling discards it",
  (guest) => {
    guest.get(GPIO.SET_DIRECTION, LED, OUT);
    guest.get(GPIO.SET_DIRECTION, BUTTON, IN);
    guest.get(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.RISING);
    guest.get(GPIO.SET_VALUE, LED, 1);
    guest.unmask(BUTTON);
    assertEquals(guest.nextEvent(), valid(BUTTON));
    guest.get(GPIO.SET_VALUE, LED, 0);
    guest.get(GPIO.SET_VALUE, LED, 1);
    guest.get(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.NONE);
    guest.get(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.RISING);
    guest.unmask(BUTTON);
    assertEquals(eventNow(guest), undefined);
  },
);

wiredTest("G7 a buffer for an interrupt that is not enabled comes back at once", (guest) => {
  for (const line of [LED, BUTTON, 6, 0xffff]) {
    guest.unmask(line);
    assertEquals(guest.nextEvent(), invalid(line));
  }
});

wiredTest("G7 disabling returns the waiting buffer before it answers", (guest) => {
  for (const how of [GPIO.SET_IRQ_TYPE, GPIO.SET_DIRECTION]) {
    arm(guest, IRQ.BOTH);
    guest.get(how, BUTTON, 0);
    assertEquals(guest.takeEvent(), invalid(BUTTON));
  }
});

wiredTest(
  "G7 a buffer that was queued before the interrupt was disabled is not left behind",
  (guest) => {
    for (let round = 0; round < 200; round++) {
      arm(guest, IRQ.BOTH);
      guest.get(GPIO.SET_VALUE, LED, 1);
      assertEquals(guest.nextEvent(), valid(BUTTON));
      // Both queues are kicked; whichever the device looks at first, the buffer is back in time.
      guest.unmask(BUTTON);
      guest.get(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.NONE);
      assertEquals(guest.takeEvent(), invalid(BUTTON));
    }
  },
);

wiredTest("G7 a second buffer for the same line comes back", (guest) => {
  arm(guest, IRQ.RISING);
  guest.unmask(BUTTON);
  assertEquals(guest.nextEvent(), invalid(BUTTON));
  guest.get(GPIO.SET_VALUE, LED, 1);
  assertEquals(guest.nextEvent(), valid(BUTTON));
});

wiredTest("G7 a buffer for a line whose type was refused waits for the next type", (guest) => {
  guest.get(GPIO.SET_DIRECTION, BUTTON, IN);
  assertStrictEquals(guest.ask(GPIO.SET_IRQ_TYPE, BUTTON, 7).status, ERR);
  guest.unmask(BUTTON);
  assertEquals(eventNow(guest), undefined);
  guest.get(GPIO.SET_IRQ_TYPE, BUTTON, IRQ.NONE);
  assertEquals(guest.nextEvent(), invalid(BUTTON));
});

wiredTest("G7 waiting buffers come back when their queue stops", (guest) => {
  arm(guest, IRQ.RISING);
  const queue = guest.eventQueue;
  assertStrictEquals(guest.frontEnd.getVringBase(1), queue.availableIndex);
  assertEquals(guest.takeEvent(), invalid(BUTTON));
});

wiredTest("G7 an event buffer without room comes back with length 0", (guest) => {
  const address = guest.ram.allocate(2);
  const head = guest.eventQueue.submit([{ address, length: 2 }]);
  assertEquals(guest.eventQueue.waitUsed(guest.frontEnd), { head, length: 0 });
});

wiredTest("G8 requests are answered in order, and events of lines do not mix", (guest) => {
  arm(guest, IRQ.BOTH);
  arm(guest, IRQ.BOTH, VALVE, SENSOR);
  const [queue] = guest.queues;
  const requests = [
    [GPIO.SET_VALUE, LED, 1],
    [GPIO.GET_VALUE, BUTTON, 0],
    [GPIO.SET_VALUE, LED, 0],
    [GPIO.GET_VALUE, BUTTON, 0],
    [GPIO.SET_VALUE, VALVE, 1],
    [GPIO.GET_VALUE, SENSOR, 0],
  ].map(([type, line, value]) => {
    const address = guest.ram.allocate(16);
    guest.ram.write(address, gpioRequest(type, line, value));
    const head = queue.place([
      { address, length: 8 },
      { address: address + 8, length: 2, writable: true },
    ]);
    return { head, address };
  });
  queue.offer(...requests.map(({ head }) => head));
  queue.kick();
  const answers = requests.map(({ head, address }) => {
    assertStrictEquals(queue.waitUsed(guest.frontEnd).head, head);
    return [...guest.ram.read(address + 8, 2)];
  });
  assertEquals(answers, [[OK, 0], [OK, 1], [OK, 0], [OK, 0], [OK, 0], [OK, 1]]);
  assertEquals(guest.nextEvent(), valid(BUTTON));
  assertEquals(guest.nextEvent(), valid(SENSOR));
});

wiredTest("a guest that comes anew finds the lines as configured", (guest, daemon) => {
  guest.get(GPIO.SET_DIRECTION, DRIVEN, NONE);
  guest.get(GPIO.SET_DIRECTION, LED, IN);
  guest.get(GPIO.SET_IRQ_TYPE, LED, IRQ.RISING);
  guest.get(GPIO.SET_VALUE, VALVE, 1);
  guest.frontEnd.close();
  using next = new GpioGuest(daemon.connect());
  assertStrictEquals(next.get(GPIO.GET_DIRECTION, DRIVEN), OUT);
  assertEquals(next.get(GPIO.GET_VALUE, DRIVEN), 1);
  assertStrictEquals(next.get(GPIO.GET_DIRECTION, LED), NONE);
  // Nor are there the interrupts and values of the guest before.
  next.get(GPIO.SET_IRQ_TYPE, LED, IRQ.FALLING);
  next.get(GPIO.SET_DIRECTION, VALVE, OUT);
  assertStrictEquals(next.get(GPIO.GET_VALUE, VALVE), 0);
});

wiredTest("the configuration space cannot be written", (guest) => {
  guest.frontEnd.send(REQUEST.SET_CONFIG, new Uint8Array([...u32(0, 2, 0), 9, 9]));
  assertEquals(guest.frontEnd.getConfig(0, 2)?.[0], 6);
});

gpioTest("65,535 lines are served", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  assertEquals(guest.frontEnd.getConfig(0, 2), new Uint8Array([0xff, 0xff]));
  guest.get(GPIO.SET_DIRECTION, 65534, OUT);
  assertStrictEquals(guest.get(GPIO.GET_DIRECTION, 65534), OUT);
  assertStrictEquals(guest.ask(GPIO.GET_DIRECTION, 65535).status, ERR);
}, { args: ["-l", "s65535"] });
