import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { createEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { close, setNonBlocking } from "../../ffi/fd.ts";
import { libc } from "../../ffi/libc.ts";
import { socketPair } from "../support/kernel_objects.ts";
import type { Daemon } from "../support/daemon.ts";
import {
  DESC_INDIRECT,
  DESC_NEXT,
  DESC_WRITE,
  type Segment,
  takeCounter,
} from "../support/driver_queue.ts";
import { ERR, GPIO, GpioGuest, gpioRequest, OK, OUT } from "../support/gpio_driver.ts";
import { gpioTest } from "../support/gpio_test.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { Random } from "../support/random.ts";
import { until, waitReadable } from "../support/wait.ts";

const GET_DIRECTION = gpioRequest(GPIO.GET_DIRECTION, 1);

gpioTest("R1 chains that break the rules come back with length 0", (daemon) => {
  using guest = new GpioGuest(daemon.connect(), { size: 8 });
  const { frontEnd, ram, queues: [queue] } = guest;
  const good = guest.segments(GET_DIRECTION, 2);
  const [request, response] = good;
  const table = ram.allocate(64);
  ram.view(table, 16).setBigUint64(0, BigInt(table), true);
  const next = (index: number) => ({ flags: DESC_NEXT, next: index });
  const chains: (() => void)[] = [
    // A loop, of one and of two
    () => queue.setDescriptor(0, { ...request, ...next(0) }),
    () => {
      queue.setDescriptor(0, { ...request, ...next(1) });
      queue.setDescriptor(1, { ...request, ...next(0) });
    },
    // A next field outside of the table
    () => queue.setDescriptor(0, { ...request, ...next(8) }),
    () => queue.setDescriptor(0, { ...request, ...next(0xffff) }),
    // A response before the request
    () => {
      queue.setDescriptor(0, { ...response, flags: DESC_WRITE | DESC_NEXT, next: 1 });
      queue.setDescriptor(1, request);
    },
    // Memory that is not there
    () => queue.setDescriptor(0, { address: 0, length: 8 }),
    () => queue.setDescriptor(0, { address: 2n ** 64n - 4n, length: 8 }),
    () => queue.setDescriptor(0, { address: 2n ** 53n, length: 8 }),
    () => queue.setDescriptor(0, { ...request, length: 0xffff_ffff }),
    // Indirect tables of a wrong size, in themselves, and with a next field
    ...[0, 8, 24, 0xffff_fff0].map((length) => () =>
      queue.setDescriptor(0, { address: table, length, flags: DESC_INDIRECT })
    ),
    () => {
      const view = ram.view(table, 16);
      view.setUint32(8, 16, true);
      view.setUint16(12, DESC_INDIRECT, true);
      queue.setDescriptor(0, { address: table, length: 16, flags: DESC_INDIRECT });
    },
    () => {
      const flags = DESC_INDIRECT | DESC_NEXT;
      queue.setDescriptor(0, { address: table, length: 16, flags, next: 1 });
    },
  ];
  for (const prepare of chains) {
    prepare();
    queue.offer(0);
    queue.kick();
    assertEquals(queue.waitUsed(frontEnd), { head: 0, length: 0 });
  }
  assertEquals(daemon.log.match(/malformed descriptor chain/g)?.length, 1);
});

gpioTest("R1 an impossible index breaks the ring, which is reported", (daemon) => {
  for (const broken of ["head", "index"]) {
    using guest = new GpioGuest(daemon.connect(), { size: 8 });
    const [queue] = guest.queues;
    if (broken === "head") queue.offer(8);
    else queue.pretendAvailable(9);
    queue.kick();
    assert(waitReadable(queue.errorFd));
    assertEquals(takeCounter(queue.errorFd), 1);
    assertEquals(queue.hasUsed(), false);
  }
});

gpioTest("R2 the used length is that of the response", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  assertEquals(guest.request(GET_DIRECTION, 2).length, 2);
  assertEquals(guest.request(GET_DIRECTION, 100).length, 2);
  assertEquals(guest.request(GET_DIRECTION, 0).length, 0);
  const { response } = guest.request(GET_DIRECTION, 8);
  assertEquals([...response], [OK, 0, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee]);
});

/** Cuts a request and its response into random pieces, each somewhere else. */
function shattered(guest: GpioGuest, random: Random, request: Uint8Array): Segment[] {
  const segments: Segment[] = [];
  const cut = (bytes: Uint8Array, writable: boolean) => {
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, random.below(4));
      const address = guest.ram.allocate(length + random.below(5), 1);
      guest.ram.write(address, bytes.subarray(done, done + length));
      segments.push({ address, length, writable });
      done += length;
    }
  };
  cut(request, false);
  cut(new Uint8Array(2).fill(0xee), true);
  return segments;
}

for (const indirect of [false, true]) {
  const how = indirect ? "in indirect tables" : "in the ring";
  gpioTest(`R3 requests cut up in any way are understood, ${how}`, (daemon) => {
    const random = new Random(7);
    using guest = new GpioGuest(daemon.connect());
    const [queue] = guest.queues;
    for (let round = 0; round < 300; round++) {
      const line = random.below(10);
      const segments = shattered(guest, random, gpioRequest(GPIO.SET_VALUE, line, 1));
      const head = queue.submit(segments, indirect);
      assertEquals(queue.waitUsed(guest.frontEnd), { head, length: 2 });
      const response = segments.filter(({ writable, length }) => writable && length > 0)
        .flatMap(({ address, length }) => [...guest.ram.read(address, length)]);
      assertEquals(response, [line < 8 ? OK : ERR, 0]);
    }
  });
}

gpioTest("R3 requests and responses may cross from region to region", (daemon) => {
  const page = 4096;
  using ram = new GuestRam([
    { guestAddress: 0, size: 16 * page },
    { guestAddress: 16 * page, size: page, userAddress: 0x1000_0000, fileOffset: 2 * page },
    { guestAddress: 17 * page, size: page, userAddress: 0x2000_0000 },
  ]);
  using guest = new GpioGuest(daemon.connect(), { ram });
  const [queue] = guest.queues;
  guest.get(GPIO.SET_VALUE, 5, 1);
  guest.get(GPIO.SET_DIRECTION, 5, OUT);
  for (let before = 1; before < 8; before++) {
    const address = 16 * page - before;
    ram.write(address, gpioRequest(GPIO.GET_VALUE, 5));
    queue.submit([{ address, length: 8 }, { address: 17 * page - 1, length: 2, writable: true }]);
    assertEquals(queue.waitUsed(guest.frontEnd).length, 2);
    assertEquals([...ram.read(17 * page - 1, 2)], [OK, 1]);
    ram.write(17 * page - 1, [0, 0]);
  }
});

/** Keeps the queue filled for more than one turn of its indices and checks every answer. */
function flood(daemon: Daemon, size: number, eventIndex: boolean, total: number): void {
  using ram = new GuestRam([{ guestAddress: 0, size: 0x100_0000 }]);
  using guest = new GpioGuest(daemon.connect(), { size, eventIndex, ram, base: 0xffff });
  const { frontEnd, queues: [queue] } = guest;
  const segments = guest.segments(GET_DIRECTION, 2);
  const depth = Math.floor(size / 2);
  let sent = 0;
  let done = 0;
  while (done < total) {
    const before = queue.availableIndex;
    const count = Math.min(depth - (sent - done), total - sent);
    queue.offer(...Array.from({ length: count }, () => queue.place(segments)));
    sent += count;
    if (count > 0 && queue.wantsKick(before)) queue.kick();
    assertEquals(queue.waitUsed(frontEnd).length, 2);
    done++;
    for (let used = queue.takeUsed(); used !== undefined; used = queue.takeUsed()) {
      assertEquals(used.length, 2);
      done++;
    }
  }
  assertStrictEquals(frontEnd.getVringBase(0), (0xffff + total) & 0xffff);
}

for (const eventIndex of [false, true]) {
  const how = eventIndex ? "with EVENT_IDX" : "with flags";
  for (const [size, total] of [[2, 2000], [64, 140_000], [1024, 140_000], [32768, 140_000]]) {
    gpioTest(`R4 a queue of ${size} goes round with no notification lost, ${how}`, (daemon) => {
      flood(daemon, size, eventIndex, total);
    });
  }
}

gpioTest("R4 a driver that wants no calls gets none", (daemon) => {
  for (const eventIndex of [false, true]) {
    using guest = new GpioGuest(daemon.connect(), { eventIndex });
    const [queue] = guest.queues;
    guest.request(GET_DIRECTION, 2);
    queue.disableCalls();
    queue.takeCalls();
    queue.submit(guest.segments(GET_DIRECTION, 2));
    until("the request is used", () => queue.hasUsed());
    guest.frontEnd.barrier();
    assertEquals(queue.takeCalls(), 0);
  }
});

// What stands in for eventfds

gpioTest("a call descriptor that is a full socket does not stop the ring", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const [queue] = guest.queues;
  const [here, there] = socketPair();
  setNonBlocking(there);
  while (signalEventfd(there) > 0);
  guest.frontEnd.setVringCall(0, there);
  for (let count = 0; count < 10; count++) {
    queue.enableCalls();
    queue.submit(guest.segments(GET_DIRECTION, 2));
    until("the request is used", () => queue.takeUsed() !== undefined);
  }
  close(here);
  close(there);
});

gpioTest("a call eventfd with a full counter does not stop the ring", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const [queue] = guest.queues;
  const counter = new BigUint64Array(new ArrayBuffer(8));
  counter[0] = 2n ** 64n - 2n;
  assertEquals(libc.write(queue.callFd, Deno.UnsafePointer.of(counter), 8), 8);
  for (let count = 0; count < 10; count++) {
    queue.enableCalls();
    queue.submit(guest.segments(GET_DIRECTION, 2));
    until("the request is used", () => queue.takeUsed() !== undefined);
  }
});

gpioTest("a kick descriptor may be a socket, and its end keeps nobody busy", async (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const { frontEnd, queues: [queue] } = guest;
  const [here, there] = socketPair();
  frontEnd.setVringKick(0, there);
  for (let count = 0; count < 10; count++) {
    queue.offer(queue.place(guest.segments(GET_DIRECTION, 2)));
    signalEventfd(here);
    assertEquals(queue.waitUsed(frontEnd).length, 2);
  }
  close(here);
  close(there);
  frontEnd.barrier();
  const before = daemon.processorTime();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert(daemon.processorTime() - before < 0.2, "the daemon is busy with nothing");
  const kick = createEventfd();
  frontEnd.setVringKick(0, kick);
  queue.offer(queue.place(guest.segments(GET_DIRECTION, 2)));
  signalEventfd(kick);
  assertEquals(queue.waitUsed(frontEnd).length, 2);
  close(kick);
});

gpioTest("the memory table can be replaced while rings are busy", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const { frontEnd, ram, queues: [queue] } = guest;
  const segments = guest.segments(GET_DIRECTION, 2);
  for (let round = 0; round < 50; round++) {
    const count = 1 + round % 32;
    queue.offer(...Array.from({ length: count }, () => queue.place(segments)));
    queue.kick();
    frontEnd.setMemoryTable(ram);
    for (let used = 0; used < count; used++) {
      assertEquals(queue.waitUsed(frontEnd).length, 2);
    }
  }
});
