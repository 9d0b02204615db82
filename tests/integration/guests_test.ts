import {
  assert,
  assertEquals,
  assertGreater,
  assertNotMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { signalEventfd } from "../../ffi/eventfd.ts";
import { SLOWNESS, waitReadable } from "../support/wait.ts";
import { Daemon } from "../support/daemon.ts";
import { FrontEnd } from "../support/front_end.ts";
import { GPIO, GpioGuest, gpioRequest, IN, IRQ, OUT } from "../support/gpio_driver.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { gpioTest, visit } from "../support/gpio_test.ts";

gpioTest("two guests have lines of their own", (daemon) => {
  using first = new GpioGuest(daemon.connect(0));
  using second = new GpioGuest(daemon.connect(1));
  first.get(GPIO.SET_DIRECTION, 2, OUT);
  second.get(GPIO.SET_DIRECTION, 2, IN);
  assertStrictEquals(first.get(GPIO.GET_DIRECTION, 2), OUT);
  assertStrictEquals(second.get(GPIO.GET_DIRECTION, 2), IN);
  assertEquals(first.frontEnd.getConfig(0, 2), new Uint8Array([8, 0]));
  assertEquals(second.frontEnd.getConfig(0, 2), new Uint8Array([4, 0]));
}, { args: ["-l", "s8:s4"], count: 2 });

gpioTest("a second front-end waits until the first one has gone", (daemon) => {
  const first = new GpioGuest(daemon.connect());
  const waiting = [daemon.connect(), daemon.connect()];
  for (const frontEnd of waiting) {
    frontEnd.sendBytes(new Uint8Array([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]));
  }
  first.get(GPIO.GET_VALUE, 0);
  first.get(GPIO.GET_VALUE, 0);
  assertEquals(waiting.map(({ socket }) => waitReadable(socket, 0)), [false, false]);
  first[Symbol.dispose]();
  for (const frontEnd of waiting) {
    assert(frontEnd.receive().payload.byteLength === 8);
    frontEnd.close();
  }
});

gpioTest("V12 a guest that floods its ring leaves the others their time", (daemon) => {
  using flooder = new GpioGuest(daemon.connect(0), { size: 1024 });
  using guest = new GpioGuest(daemon.connect(1));
  const [queue] = flooder.queues;
  const head = queue.place(flooder.segments(gpioRequest(GPIO.GET_VALUE, 0), 2));
  queue.disableCalls();
  for (let count = 0; count < 200; count++) {
    queue.offer(
      ...new Array(1024 - ((queue.availableIndex - queue.usedIndexOfDevice) & 0xffff)).fill(head),
    );
    queue.kick();
    guest.get(GPIO.GET_VALUE, 1);
  }
  // The connection of the busy guest is served as well.
  flooder.frontEnd.barrier();
}, { args: ["-l", "s8:s4"], count: 2 });

gpioTest("V15 a guest that has its memory replaced without end is slowed down", (daemon) => {
  using hasty = new GpioGuest(daemon.connect(0));
  using guest = new GpioGuest(daemon.connect(1));
  using one = new GuestRam();
  using other = new GuestRam();
  const begin = performance.now();
  for (let count = 0; count < 30; count++) {
    for (const ram of [one, other]) hasty.frontEnd.setMemoryTable(ram);
    hasty.frontEnd.barrier();
  }
  // Two guests have 200 a second each, but for the first few.
  assertGreater(performance.now() - begin, 200);
  guest.get(GPIO.GET_VALUE, 1);
}, { args: ["-l", "s8:s4"], count: 2 });

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends the daemon soon and leaves no socket, whatever guests do`, async () => {
    const daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8:s4:s2"], { count: 3 });
    const guest = new GpioGuest(daemon.connect(0));
    const idle = new GpioGuest(daemon.connect(1));
    idle.get(GPIO.SET_DIRECTION, 1, IN);
    idle.get(GPIO.SET_IRQ_TYPE, 1, IRQ.RISING);
    idle.unmask(1);
    const [queue] = guest.queues;
    const head = queue.place(guest.segments(gpioRequest(GPIO.GET_VALUE, 0), 2));
    const fill = () => {
      const waiting = (queue.availableIndex - queue.usedIndexOfDevice) & 0xffff;
      queue.offer(...new Array(queue.size - waiting).fill(head));
      signalEventfd(queue.kickFd);
    };
    let going = true;
    const filling = (async () => {
      for (; going; await new Promise((resolve) => setTimeout(resolve, 0))) fill();
    })();
    const { code, milliseconds } = await daemon.stop(signal);
    going = false;
    await filling;
    assertEquals(code, 0);
    // 200 ms are promised; a loaded machine gets some more here.
    assert(milliseconds < 1000 * SLOWNESS, `${milliseconds} ms`);
    for (const socket of [0, 1, 2]) assertThrows(() => Deno.lstatSync(daemon.socket(socket)));
    assertNotMatch(daemon.log, /internal error/);
    guest[Symbol.dispose]();
    idle[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });
}

Deno.test("20 guests that are killed leave descriptors and memory as they were", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8"]);
  const crash = () => {
    using guest = new GpioGuest(daemon.connect());
    for (let count = 0; count < 100; count++) guest.get(GPIO.GET_VALUE, 1);
  };
  for (let count = 0; count < 5; count++) crash();
  using barrier = settled(daemon);
  const fds = daemon.fdCount();
  const memory = daemon.residentMemory();
  barrier.close();
  for (let count = 0; count < 20; count++) crash();
  using end = settled(daemon);
  assertStrictEquals(daemon.fdCount(), fds);
  assert(daemon.residentMemory() < memory + 32e6);
  end.close();
});

/** A front-end that was answered: whoever came before has been taken down. */
function settled(daemon: Daemon): FrontEnd {
  visit(daemon);
  const frontEnd = daemon.connect();
  frontEnd.barrier();
  return frontEnd;
}
