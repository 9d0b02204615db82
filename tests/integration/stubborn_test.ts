/**
 * Front-ends that keep whoever uses their descriptors waiting.
 *
 * @module
 */

import { assert, assertEquals, assertNotMatch, assertStrictEquals } from "@std/assert";
import { createEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { Daemon } from "../support/daemon.ts";
import { GPIO, GpioGuest, gpioRequest } from "../support/gpio_driver.ts";
import { gpioTest, visit } from "../support/gpio_test.ts";
import { suspend, voluntarySwitches } from "../support/process_state.ts";
import { encodeHead, SpiGuest } from "../support/spi_driver.ts";
import {
  blockingEventfd,
  fillCounter,
  LingeringSocket,
  makeBlocking,
  statusFlags,
} from "../support/stubborn.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { pause, until } from "../support/wait.ts";
import { listOf, WAYS } from "../support/ways.ts";
import { message, REQUEST, u64 } from "../support/wire.ts";

const GET_DIRECTION = gpioRequest(GPIO.GET_DIRECTION, 1);
/** Much less than anything here would wait on its own, in milliseconds. */
const SOON = 2000;

/** Fails if something takes long. */
function soon(what: string, run: () => void): void {
  const start = performance.now();
  run();
  const took = performance.now() - start;
  assert(took < SOON, `${what} took ${Math.round(took)} ms`);
}

/** Has calls go to an eventfd that does not wait as long as the back-end looks at it, and then does. */
function callStubbornly(guest: GpioGuest | SpiGuest): number {
  const call = createEventfd();
  guest.frontEnd.setVringCall(0, call);
  guest.frontEnd.barrier();
  makeBlocking(call);
  fillCounter(call);
  return call;
}

gpioTest("V15 the flags of a front-end's descriptors are left as they are", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const { frontEnd, queues: [queue] } = guest;
  const fds = [blockingEventfd(), blockingEventfd(), blockingEventfd()];
  const before = fds.map(statusFlags);
  frontEnd.setVringKick(0, fds[0]);
  frontEnd.setVringCall(0, fds[1]);
  frontEnd.setVringError(0, fds[2]);
  queue.offer(queue.place(guest.segments(GET_DIRECTION, 2)));
  signalEventfd(fds[0]);
  until("the request is used", () => queue.takeUsed() !== undefined);
  assertEquals(fds.map(statusFlags), before);
  for (const fd of fds) close(fd);
});

gpioTest("V15 a call whose counter is full from the start is not waited for", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const { frontEnd, queues: [queue] } = guest;
  const call = blockingEventfd();
  fillCounter(call);
  frontEnd.setVringCall(0, call);
  for (let count = 0; count < 3; count++) {
    queue.enableCalls();
    queue.submit(guest.segments(GET_DIRECTION, 2));
    until("the request is used", () => queue.takeUsed() !== undefined);
  }
  soon("a message", () => frontEnd.barrier());
  assertNotMatch(daemon.log, /has let a call wait/);
  close(call);
});

gpioTest("V15 a call whose counter is filled behind our back keeps nobody for long", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  using other = new GpioGuest(daemon.connect(1));
  const { frontEnd, queues: [queue] } = guest;
  for (let count = 0; count < 3; count++) {
    const call = callStubbornly(guest);
    queue.enableCalls();
    queue.submit(guest.segments(GET_DIRECTION, 2));
    until("the request is used", () => queue.takeUsed() !== undefined);
    soon("another guest's request", () => other.get(GPIO.GET_VALUE, 1));
    soon("a message", () => frontEnd.barrier());
    close(call);
  }
  assertStrictEquals(daemon.log.match(/has let a call wait/g)?.length, 1);
  // With a call descriptor that works, so does the ring.
  frontEnd.setVringCall(0, queue.callFd);
  guest.get(GPIO.GET_VALUE, 1);
}, { args: ["-l", "s8:s4"], count: 2 });

Deno.test("V15 a guest that is kept waiting does not keep the bus that it has selected", async () => {
  using folder = new TemporaryFolder();
  const file = folder.file("spi.yaml");
  Deno.writeTextFileSync(
    file,
    `
guests:
  - simulated:
      parts: [{ part: registers, values: { 0x03: 0x5a } }]
`,
  );
  await using daemon = await Daemon.start("vhost-device-spi", ["--config", file], { count: 2 });
  using guest = new SpiGuest(daemon.connect(0));
  using other = new SpiGuest(daemon.connect(1));
  const call = callStubbornly(guest);
  const command = new Uint8Array(33);
  command.set(encodeHead({}));
  command[32] = 0x83;
  const [queue] = guest.queues;
  queue.enableCalls();
  // The chip stays selected for the answer, which never comes.
  queue.submit(guest.segments(command, 1));
  until("the request is used", () => queue.takeUsed() !== undefined);
  soon("another guest's transfer", () => other.transfer({}, { tx: [0x83] }));
  assertEquals(other.transfer({}, { rx: 1 }).rx, [0x5a]);
  soon("a message", () => guest.frontEnd.barrier());
  close(call);
});

for (const [way, count] of WAYS) {
  const options = { args: ["-l", listOf("s8", count)], count };

  gpioTest(`V15 a call is not waited for: a guest that is served ${way}`, (daemon) => {
    using guest = new GpioGuest(daemon.connect());
    const { frontEnd, queues: [queue] } = guest;
    const call = callStubbornly(guest);
    queue.enableCalls();
    queue.submit(guest.segments(GET_DIRECTION, 2));
    until("the request is used", () => queue.takeUsed() !== undefined);
    // Long enough for whoever watches to have a rest.
    for (const rest of [0, 1500]) {
      pause(rest);
      soon("a message", () => frontEnd.barrier());
      frontEnd.setVringCall(0, call);
      queue.enableCalls();
      queue.submit(guest.segments(GET_DIRECTION, 2));
      until("the request is used", () => queue.takeUsed() !== undefined);
    }
    soon("the next front-end", () => {
      frontEnd.close();
      visit(daemon);
    });
    close(call);
  }, options);

  gpioTest(
    `V15 where nobody is called, nobody is watched: at rest, a guest served ${way} wakes nobody`,
    (daemon) => {
      using guest = new GpioGuest(daemon.connect());
      for (let count = 0; count < 100; count++) guest.get(GPIO.GET_VALUE, 1);
      let before = -1;
      until("a time in which no thread wakes up", () => {
        const now = voluntarySwitches(daemon.pid);
        if (now === before) return true;
        before = now;
        pause(500);
        return false;
      });
    },
    options,
  );

  Deno.test(`V15 a thread that is kept waiting ends with the daemon: served ${way}`, async () => {
    await using daemon = await Daemon.start("vhost-device-gpio", options.args, { count });
    using guest = new GpioGuest(daemon.connect());
    const { queues: [queue] } = guest;
    const call = callStubbornly(guest);
    queue.enableCalls();
    queue.submit(guest.segments(GET_DIRECTION, 2));
    until("the request is used", () => queue.takeUsed() !== undefined);
    const { code } = await daemon.stop();
    assertStrictEquals(code, 0);
    assert(!daemon.log.includes("does not end"), daemon.log);
    close(call);
  });
}

for (const [name, request] of [["kick", 12], ["call", 13], ["error", 14]] as const) {
  gpioTest(`V15 a socket that lingers at its end is taken as ${name} and let go`, (daemon) => {
    using guest = new GpioGuest(daemon.connect(0));
    const { frontEnd, queues: [queue] } = guest;
    using socket = new LingeringSocket(60);
    frontEnd.send(request, u64(0), [socket.fd]);
    frontEnd.barrier();
    close(socket.fd);
    // It is closed for the last time where another one comes.
    frontEnd.send(request, u64(0), [queue.errorFd]);
    soon("the next message", () => frontEnd.barrier());
  });
}

gpioTest(
  "V15 sockets that linger may come with any message, and the front-end may go",
  (daemon) => {
    for (const bytes of [message(77, u64(0)), message(REQUEST.SET_FEATURES, u64(0))]) {
      using frontEnd = daemon.connect();
      using socket = new LingeringSocket(60);
      // Whoever closes it last has to wait, and that is to be the daemon.
      suspend(daemon.pid);
      frontEnd.sendBytes(bytes, [socket.fd]);
      close(socket.fd);
      Deno.kill(daemon.pid, "SIGCONT");
      soon("the next front-end", () => {
        frontEnd.close();
        visit(daemon);
      });
    }
    using socket = new LingeringSocket(60);
    const frontEnd = daemon.connect();
    frontEnd.send(REQUEST.SET_VRING_CALL, u64(0), [socket.fd]);
    frontEnd.barrier();
    close(socket.fd);
    frontEnd.close();
    soon("the next front-end", () => visit(daemon));
  },
);
