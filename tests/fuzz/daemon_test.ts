import { signalEventfd } from "../../ffi/eventfd.ts";
import type { Daemon } from "../support/daemon.ts";
import { fuzz } from "../support/fuzz.ts";
import { GPIO, GpioGuest, gpioRequest } from "../support/gpio_driver.ts";
import { gpioTest, visit } from "../support/gpio_test.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { abuseRing, Fds, HostileFrontEnd } from "../support/hostile.ts";
import type { Random } from "../support/random.ts";
import { waitReadable } from "../support/wait.ts";

const QUIET = ["-l", "s8:s8", "--log-level", "error"];

/** Runs something that the daemon may end by closing the connection. */
function untilClosed(run: () => void): void {
  try {
    run();
  } catch (error) {
    const { name } = error as Error;
    if (name !== "SystemError" && name !== "ConnectionClosed") throw error;
  }
}

gpioTest("V12 a daemon survives any front-end and serves its other guests", (daemon) => {
  using other = new GpioGuest(daemon.connect(1));
  using fds = new Fds();
  fuzz((random) => {
    using ram = new GuestRam([{ guestAddress: 0x1_0000, size: 0x1_0000 }]);
    using guest = new GpioGuest(daemon.connect(), { ram, size: random.pick([2, 16, 64]) });
    const hostile = new HostileFrontEnd(random, ram, guest.queues, fds.all);
    untilClosed(() => {
      for (let count = random.below(60); count > 0; count--) {
        if (random.oneIn(2)) hostile.send(guest.frontEnd);
        else abuseRing(random, ram, random.pick(guest.queues));
        guest.frontEnd.discard();
      }
    });
    guest.frontEnd.close();
    other.get(GPIO.GET_DIRECTION, 1);
  });
}, { args: QUIET, count: 2 });

gpioTest("R1 a guest that changes its rings while they are read gains nothing", (daemon) => {
  using other = new GpioGuest(daemon.connect(1));
  fuzz((random) => {
    fight(daemon, random);
    other.get(GPIO.GET_DIRECTION, 1);
  });
}, { args: QUIET, count: 2 });

/** Keeps the daemon busy with rings that change under its hands. */
function fight(daemon: Daemon, random: Random): void {
  using ram = new GuestRam([{ guestAddress: 0x1_0000, size: 0x1_0000 }]);
  const options = { ram, size: 256, eventIndex: random.oneIn(2) };
  using guest = new GpioGuest(daemon.connect(), options);
  for (const queue of guest.queues) {
    const good = guest.segments(gpioRequest(GPIO.GET_VALUE, 1), 2);
    const heads = Array.from({ length: 64 }, () => queue.place(good));
    const end = performance.now() + 20;
    while (performance.now() < end) {
      const waiting = (queue.availableIndex - queue.usedIndexOfDevice) & 0xffff;
      if (waiting < 128) queue.offer(...heads);
      signalEventfd(queue.kickFd);
      for (let count = 0; count < 50; count++) {
        const slot = random.below(256);
        const address = random.oneIn(3) ? random.u32() : good[0].address;
        queue.setDescriptor(slot, {
          address,
          length: random.pick([8, 2, 0xffff_ffff]),
          flags: random.below(8),
          next: random.below(300),
        });
      }
    }
    if (waitReadable(queue.errorFd, 0)) break;
  }
}

gpioTest("V1 a daemon survives noise", (daemon) => {
  fuzz((random) => {
    using frontEnd = daemon.connect();
    untilClosed(() => {
      for (let count = 0; count < 20; count++) {
        frontEnd.sendBytes(random.bytes(1 + random.below(200)));
      }
    });
  });
  visit(daemon);
}, { args: ["-l", "s8", "--log-level", "error"] });
