import { assertEquals, assertStrictEquals } from "@std/assert";
import { DriverQueue } from "../support/driver_queue.ts";
import { fuzz } from "../support/fuzz.ts";
import { Guest } from "../support/guest.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { abuseRing, Fds, HostileFrontEnd } from "../support/hostile.ts";
import { InProcess } from "../support/in_process.ts";
import { fdCount } from "../support/process_state.ts";

/** How many mappings of guests' memory there are. */
function mappings(): number {
  return Deno.readTextFileSync("/proc/self/maps").split("memfd:guest-ram").length - 1;
}

Deno.test("V12 no stream of messages and rings upsets a session for good", () => {
  const page = 4096;
  using backEnd = InProcess.echo();
  using fds = new Fds();
  const wellBehaved = () => {
    using guest = new Guest(backEnd.connect());
    assertEquals([...guest.request([1, 2, 3], 3).response], [1, 2, 3]);
  };
  wellBehaved();
  const descriptors = fdCount();
  const mapped = mappings();
  fuzz((random) => {
    {
      using ram = new GuestRam([
        { guestAddress: 0x1_0000, size: 16 * page },
        { guestAddress: 0x2_0000, size: page, userAddress: 0x5000_0000, fileOffset: page },
      ]);
      const options = { size: random.pick([1, 2, 8, 64]), eventIndex: random.oneIn(2) };
      using frontEnd = backEnd.connect();
      const queues = random.oneIn(3)
        ? [0, 1].map((index) => new DriverQueue(index, ram, options))
        : new Guest(frontEnd, { ...options, ram }).queues;
      const hostile = new HostileFrontEnd(random, ram, queues, fds.all);
      try {
        for (let count = random.below(80); count > 0; count--) {
          if (random.oneIn(2)) hostile.send(frontEnd);
          else abuseRing(random, ram, random.pick(queues));
          if (random.oneIn(4)) backEnd.settle();
          if (random.oneIn(8)) backEnd.device.release();
          frontEnd.discard();
        }
      } catch (error) {
        // The back-end may have had enough of this front-end.
        if (!(error instanceof Error && error.name === "SystemError")) throw error;
      }
      backEnd.settle();
      for (const queue of queues) queue[Symbol.dispose]();
    }
    backEnd.settle();
    assertStrictEquals(fdCount(), descriptors, "descriptors were left open");
    assertStrictEquals(mappings(), mapped, "memory was left mapped");
    assertEquals(backEnd.errors, [], "a handler has thrown");
    wellBehaved();
    backEnd.log.lines.length = 0;
    backEnd.device.calls.length = 0;
  });
});
