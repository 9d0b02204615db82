import { assert, assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { createEventfd, signalEventfd } from "../../../ffi/eventfd.ts";
import { close, setNonBlocking } from "../../../ffi/fd.ts";
import { libc } from "../../../ffi/libc.ts";
import { socketPair } from "../../support/kernel_objects.ts";
import { takeCounter } from "../../support/driver_queue.ts";
import { HOLD_QUEUE } from "../../support/echo_device.ts";
import { Guest } from "../../support/guest.ts";
import { GuestRam } from "../../support/guest_ram.ts";
import { InProcess } from "../../support/in_process.ts";
import { oneByte, Pair, Rebound } from "../../support/pair.ts";
import { waitReadable } from "../../support/wait.ts";
import { PROTOCOL_REPLY_ACK, REQUEST, VIRTIO_F_VERSION_1 } from "../../support/wire.ts";

for (const eventIndex of [false, true]) {
  const how = eventIndex ? "with EVENT_IDX" : "with flags";

  Deno.test(`R2 the used length is what the device has written, ${how}`, () => {
    using it = new Pair({ eventIndex });
    assertEquals(it.guest.request([1, 2, 3, 4], 10).length, 4);
    assertEquals(it.guest.request([1, 2, 3, 4], 3).length, 3);
    assertEquals(it.guest.request([1], 0).length, 0);
    const { response } = it.guest.request([1, 2], 4);
    assertEquals([...response], [1, 2, 0xee, 0xee]);
  });

  Deno.test(`R4 rings of 1 to 32768 go round more than once, ${how}`, () => {
    for (const size of [1, 2, 8, 256, 32768]) {
      const ram = new GuestRam([{ guestAddress: 0, size: 0x400_0000 }]);
      {
        using it = new Pair({ eventIndex, size, base: 0x10000 - 20, queues: 1, ram });
        for (let count = 0; count < 60; count++) {
          // A queue of one descriptor has room for requests of one buffer only.
          const request = [count, 1, 2, 3];
          if (size === 1) assertEquals(it.guest.request(request, 0).length, 0);
          else assertEquals([...it.guest.request(request, 4).response], request);
        }
      }
      ram[Symbol.dispose]();
    }
  });

  Deno.test(`R4 a full ring in one go is served and asks for kicks again, ${how}`, () => {
    for (const size of [2, 256, 512, 1024, 4096]) {
      const ram = new GuestRam([{ guestAddress: 0, size: 0x400_0000 }]);
      {
        using it = new Pair({ eventIndex, size, queues: 1, ram });
        const [queue] = it.guest.queues;
        const address = ram.allocate(8);
        // 256 is how many requests are served before others get their turn.
        for (const count of [size, size / 2, 256, 255, 257].filter((count) => count <= size)) {
          const heads = Array.from(
            { length: count },
            () => queue.place([{ address, length: 8 }]),
          );
          queue.offer(...heads);
          queue.kick();
          it.backEnd.settle();
          assertEquals(heads.map(() => queue.takeUsed()?.head), heads);
          const before = queue.availableIndex;
          const head = queue.place([{ address, length: 8 }]);
          queue.offer(head);
          assertEquals(queue.wantsKick(before), true, `no kick wanted after ${count} of ${size}`);
          queue.kick();
          it.backEnd.settle();
          assertStrictEquals(queue.takeUsed()?.head, head);
        }
      }
      ram[Symbol.dispose]();
    }
  });

  Deno.test(`R4 one call tells of many used buffers, ${how}`, () => {
    using it = new Pair({ eventIndex, size: 64 });
    const [queue] = it.guest.queues;
    queue.takeCalls();
    const segments = oneByte(it.guest, 5);
    // Where there is much else to do, a turn may be over before all are used.
    const calls = Array.from({ length: 10 }, () => {
      queue.enableCalls();
      queue.offer(...[1, 2, 3, 4, 5].map(() => queue.place(segments)));
      queue.kick();
      it.backEnd.settle();
      while (queue.takeUsed() !== undefined);
      return queue.takeCalls();
    });
    assertEquals(Math.min(...calls), 1);
    assertEquals(queue.usedIndexOfDevice, 50);
  });

  Deno.test(`R4 a driver that wants no calls gets none, ${how}`, () => {
    using it = new Pair({ eventIndex, size: 64 });
    const [queue] = it.guest.queues;
    it.guest.request([1], 1);
    queue.takeCalls();
    queue.disableCalls();
    queue.submit(oneByte(it.guest, 5));
    it.backEnd.settle();
    assertEquals(queue.hasUsed(), true);
    assertEquals(queue.takeCalls(), 0);
  });

  Deno.test(`a held request is answered later, with a call, ${how}`, () => {
    using it = new Pair({ eventIndex });
    const queue = it.guest.queues[HOLD_QUEUE];
    const heads = [1, 2].map((value) => queue.submit(oneByte(it.guest, value)));
    it.backEnd.settle();
    assertEquals(queue.hasUsed(), false);
    assertEquals(queue.takeCalls(), 0);
    queue.enableCalls();
    it.backEnd.device.release();
    assertEquals(queue.takeUsed(), { head: heads[0], length: 1 });
    assertEquals(queue.takeCalls(), 1);
  });
}

Deno.test("R3 an indirect table is followed, wherever it lies", () => {
  const page = 4096;
  using ram = new GuestRam([
    { guestAddress: 0, size: 16 * page },
    { guestAddress: 16 * page, size: page, userAddress: 0x1000_0000 },
  ]);
  using it = new Pair({ ram });
  const [queue] = it.guest.queues;
  const segments = it.guest.segments([1, 2, 3], 3);
  for (const table of [16 * page - 16, 16 * page - 24, 16 * page - 40]) {
    const head = queue.place(segments, true);
    const entry = ram.view(queue.descriptorsAt + 16 * head, 16);
    const placed = Number(entry.getBigUint64(0, true));
    ram.write(table, ram.read(placed, 32));
    entry.setBigUint64(0, BigInt(table), true);
    ram.write(it.guest.buffer("response", 3), [0, 0, 0]);
    queue.offer(head);
    queue.kick();
    assertEquals(queue.waitUsed(it.guest.frontEnd), { head, length: 3 });
    assertEquals([...ram.read(it.guest.buffer("response", 3), 3)], [1, 2, 3]);
    entry.setBigUint64(0, BigInt(placed), true);
  }
});

// When a ring starts

Deno.test("V4 a kick before the ring is enabled is not lost", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  frontEnd.setVringEnable(0, false);
  const head = queue.submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  assertEquals(queue.hasUsed(), false);
  assertEquals(it.backEnd.device.requests, 0);
  frontEnd.setVringEnable(0, true);
  assertStrictEquals(queue.waitUsed(frontEnd).head, head);
});

Deno.test("V4 a request without a kick is found when the ring is enabled", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  frontEnd.setVringEnable(0, false);
  const head = queue.place(oneByte(it.guest, 1));
  queue.offer(head);
  frontEnd.barrier();
  frontEnd.setVringEnable(0, true);
  assertStrictEquals(queue.waitUsed(frontEnd).head, head);
});

for (const how of ["before its kick descriptor", "before its call descriptor"]) {
  Deno.test(`V4 a request that is there ${how} is served and called for`, () => {
    using backEnd = InProcess.echo();
    using guest = new Guest(backEnd.connect(), { queues: 1 });
    const { frontEnd, queues: [queue] } = guest;
    frontEnd.setVringEnable(0, false);
    frontEnd.getVringBase(0);
    const head = queue.place(oneByte(guest, 1));
    queue.offer(head);
    queue.kick();
    frontEnd.setVringEnable(0, true);
    if (how.includes("call")) {
      frontEnd.setVringCall(0, -1);
      frontEnd.setVringKick(0, queue.kickFd);
      frontEnd.setVringCall(0, queue.callFd);
    } else {
      frontEnd.setVringKick(0, queue.kickFd);
    }
    frontEnd.barrier();
    assertEquals(queue.takeCalls(), 1);
    assertStrictEquals(queue.takeUsed()?.head, head);
  });
}

Deno.test("without protocol features a ring counts as enabled", () => {
  using backEnd = InProcess.echo();
  const frontEnd = backEnd.connect();
  using guest = new Guest(frontEnd, { queues: 1 });
  frontEnd.getVringBase(0);
  frontEnd.setVringEnable(0, false);
  frontEnd.setFeatures(VIRTIO_F_VERSION_1);
  guest.start(guest.queues[0]);
  assertEquals([...guest.request([1], 1).response], [1]);
});

Deno.test("V10 a ring without a kick descriptor is polled", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  frontEnd.setVringKick(0, -1);
  queue.offer(queue.place(oneByte(it.guest, 1)));
  queue.waitUsed(frontEnd);
  frontEnd.setVringKick(0, queue.kickFd);
  queue.offer(queue.place(oneByte(it.guest, 1)));
  frontEnd.getFeatures();
});

Deno.test("V10 a ring without a call descriptor is served all the same", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  frontEnd.setVringCall(0, -1);
  frontEnd.setVringError(0, -1);
  const head = queue.submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  assertStrictEquals(queue.takeUsed()?.head, head);
});

Deno.test("V2 a kick descriptor can be replaced while the ring runs", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  const other = createEventfd();
  frontEnd.setVringKick(0, other);
  queue.offer(queue.place(oneByte(it.guest, 1)));
  signalEventfd(other);
  queue.waitUsed(frontEnd);
  close(other);
});

for (const kind of ["socket", "pipe"]) {
  Deno.test(`a kick descriptor that is a ${kind} works`, () => {
    using it = new Pair();
    const { frontEnd, queues: [queue] } = it.guest;
    const [reader, writer] = kind === "socket" ? socketPair() : pipe();
    frontEnd.setVringKick(0, reader);
    for (let count = 0; count < 5; count++) {
      queue.offer(queue.place(oneByte(it.guest, count)));
      signalEventfd(writer);
      queue.waitUsed(frontEnd);
    }
    close(reader);
    close(writer);
    // The end of that descriptor must not keep the loop busy.
    frontEnd.barrier();
    it.backEnd.settle();
    frontEnd.setVringKick(0, queue.kickFd);
    assertEquals([...it.guest.request([1], 1).response], [1]);
  });
}

function pipe(): [number, number] {
  const ends = new Int32Array(2);
  const library = Deno.dlopen("libc.so.6", { pipe: { parameters: ["buffer"], result: "i32" } });
  library.symbols.pipe(new Uint8Array(ends.buffer));
  library.close();
  return [ends[0], ends[1]];
}

Deno.test("a kick descriptor that cannot be watched is refused", () => {
  using it = new Pair({ protocolFeatures: PROTOCOL_REPLY_ACK });
  const { frontEnd, queues: [queue] } = it.guest;
  const { fd } = it.guest.ram.regions[0];
  assertNotEquals(frontEnd.outcome(REQUEST.SET_VRING_KICK, [0, 0, 0, 0, 0, 0, 0, 0], [fd]), 0n);
  it.guest.start(queue, frontEnd.getVringBase(0));
  assertEquals([...it.guest.request([1], 1).response], [1]);
});

// Calls

Deno.test("a call descriptor that is a socket gets 8 bytes", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  const [here, there] = socketPair();
  frontEnd.setVringCall(0, there);
  queue.submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  const bytes = new Uint8Array(new ArrayBuffer(64));
  assertEquals(libc.read(here, Deno.UnsafePointer.of(bytes), 64), 8);
  assertEquals([...bytes.subarray(0, 8)], [1, 0, 0, 0, 0, 0, 0, 0]);
  close(here);
  close(there);
});

Deno.test("a call descriptor that is a full socket does not stop the ring", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  const [here, there] = socketPair();
  setNonBlocking(there);
  while (signalEventfd(there) > 0);
  frontEnd.setVringCall(0, there);
  for (let count = 0; count < 20; count++) {
    queue.submit(oneByte(it.guest, count));
    it.backEnd.settle();
    assertEquals(queue.takeUsed()?.length, 1);
  }
  close(here);
  close(there);
  queue.submit(oneByte(it.guest, 1));
  it.backEnd.settle();
  assertEquals(queue.takeUsed()?.length, 1, "the other end of the call descriptor is gone");
});

Deno.test("a call eventfd with a full counter does not stop the ring", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  const counter = new BigUint64Array(new ArrayBuffer(8));
  counter[0] = 2n ** 64n - 2n;
  assertEquals(libc.write(queue.callFd, Deno.UnsafePointer.of(counter), 8), 8);
  // Blocking, as a front-end may have made it.
  libc.fcntl(queue.callFd, 4, 0);
  frontEnd.setVringCall(0, queue.callFd);
  for (let count = 0; count < 3; count++) {
    queue.submit(oneByte(it.guest, count));
    it.backEnd.settle();
    assertEquals(queue.takeUsed()?.length, 1);
  }
});

// When a ring stops

Deno.test("V5 GET_VRING_BASE returns the next index and nothing touches the ring afterwards", () => {
  using it = new Pair({ base: 0xfffe });
  const { frontEnd, queues: [queue] } = it.guest;
  for (let count = 0; count < 3; count++) it.guest.request([count], 1);
  assertEquals(frontEnd.getVringBase(0), 1);
  queue.offer(queue.place(oneByte(it.guest, 1)));
  queue.kick();
  frontEnd.setVringEnable(0, true);
  frontEnd.setMemoryTable(it.guest.ram);
  frontEnd.barrier();
  assertEquals(queue.hasUsed(), false);
  assertEquals(frontEnd.getVringBase(0), 1);
});

Deno.test("V5 a ring that was stopped goes on where it was", () => {
  using it = new Pair({ size: 4 });
  const { frontEnd, queues: [queue] } = it.guest;
  for (let round = 0; round < 5; round++) {
    it.guest.request([round], 1);
    const base = frontEnd.getVringBase(0);
    assertStrictEquals(base, 2 * round + 1);
    const head = queue.submit(oneByte(it.guest, round));
    it.guest.start(queue, base);
    assertStrictEquals(queue.waitUsed(frontEnd).head, head);
  }
});

Deno.test("V5 a ring that was stopped in the middle of its requests loses and repeats none", () => {
  using it = new Pair({ size: 1024 });
  const { frontEnd, queues: [queue] } = it.guest;
  const address = it.guest.ram.allocate(8);
  const heads = Array.from({ length: 1024 }, () => queue.place([{ address, length: 8 }]));
  queue.offer(...heads);
  queue.kick();
  // One round serves only part of them.
  it.backEnd.loop.turn(0);
  const base = frontEnd.getVringBase(0);
  const requests = it.backEnd.device.requests;
  assertStrictEquals(queue.usedIndexOfDevice, requests);
  assertStrictEquals(base, requests);
  it.guest.start(queue, base);
  frontEnd.barrier();
  assertEquals(it.backEnd.device.requests, 1024);
  assertEquals(heads.map(() => queue.takeUsed()?.head), heads);
});

Deno.test("V5 held requests are returned when their ring stops", () => {
  using it = new Pair();
  const { frontEnd } = it.guest;
  const queue = it.guest.queues[HOLD_QUEUE];
  const head = queue.submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  assertEquals(frontEnd.getVringBase(HOLD_QUEUE), 1);
  assertEquals(queue.takeUsed(), { head, length: 0 });
  assertEquals(it.backEnd.device.held.length, 0);
});

Deno.test("V5 a ring that never started has base 0, and so has one that does not exist", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  assertEquals(frontEnd.getVringBase(0), 0);
  assertEquals(frontEnd.getVringBase(77), 0);
  frontEnd.setVringBase(1, 99);
  assertEquals(frontEnd.getVringBase(1), 99);
});

Deno.test("V5 a driver that starts anew after rings were only disabled finds a fresh device", () => {
  using it = new Pair();
  const { frontEnd } = it.guest;
  it.guest.request([1], 1);
  it.guest.queues[HOLD_QUEUE].submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  for (const index of [1, 0]) frontEnd.setVringEnable(index, false);
  frontEnd.barrier();
  it.backEnd.device.calls.length = 0;
  using again = new Rebound(it.guest);
  assert(it.backEnd.device.calls.includes("reset"));
  assertStrictEquals(it.backEnd.device.taken, again.guest.features);
  assertEquals(it.backEnd.device.held.length, 0);
  assertEquals([...again.guest.request([2, 3], 2).response], [2, 3]);
});

Deno.test("V5 RESET_DEVICE stops the rings and resets the device", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  it.guest.request([1], 1);
  it.backEnd.device.calls.length = 0;
  frontEnd.send(REQUEST.RESET_DEVICE);
  assert(it.backEnd.device.calls.includes("reset"));
  queue.offer(queue.place(oneByte(it.guest, 1)));
  queue.kick();
  frontEnd.barrier();
  assertEquals(queue.hasUsed(), false);
});

// The memory table

Deno.test("the memory table can be replaced while rings run and requests are held", () => {
  using it = new Pair();
  const { frontEnd, ram, queues } = it.guest;
  const head = queues[HOLD_QUEUE].submit(it.guest.segments([1, 2, 3], 3));
  frontEnd.barrier();
  for (let count = 0; count < 20; count++) {
    frontEnd.setMemoryTable(ram);
    assertEquals([...it.guest.request([count], 1).response], [count]);
  }
  it.backEnd.device.release();
  assertEquals(queues[HOLD_QUEUE].takeUsed(), { head, length: 3 });
  assertEquals([...ram.read(it.guest.buffer("response", 3), 3)], [1, 2, 3]);
});

Deno.test("a memory table without the rings stops them until they are there again", () => {
  using it = new Pair();
  const { frontEnd, ram, queues } = it.guest;
  it.guest.request([1], 1);
  const held = queues[HOLD_QUEUE].submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  {
    using other = new GuestRam([{ guestAddress: 0x4000_0000, size: 4096 }]);
    frontEnd.setMemoryTable(other);
  }
  queues[0].submit(oneByte(it.guest, 9));
  frontEnd.barrier();
  assertEquals(queues[0].hasUsed(), false);
  frontEnd.setMemoryTable(ram);
  assertEquals(queues[0].waitUsed(frontEnd).length, 1);
  it.backEnd.device.release();
  assertEquals(queues[HOLD_QUEUE].takeUsed(), { head: held, length: 1 });
});

Deno.test("a held request whose memory is gone is answered without a word about it", () => {
  using it = new Pair();
  const { frontEnd, queues } = it.guest;
  queues[HOLD_QUEUE].submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  using other = new GuestRam([{ guestAddress: 0x4000_0000, size: 4096 }]);
  frontEnd.setMemoryTable(other);
  it.backEnd.device.release();
  assertEquals(queues[HOLD_QUEUE].hasUsed(), false);
});

Deno.test("SET_VRING_ADDR moves a running ring", () => {
  using it = new Pair();
  const { frontEnd, ram, queues: [queue] } = it.guest;
  it.guest.request([1], 1);
  const moved = ram.allocate(6 + 8 * queue.size, 4);
  ram.write(moved, ram.read(queue.usedAt, 6 + 8 * queue.size));
  frontEnd.setVringAddresses(
    0,
    { ...queue.addresses, used: ram.userAddress(moved) },
    2n ** 64n - 1n,
  );
  queue.submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  assertEquals(queue.usedIndexOfDevice, 1);
  assertEquals(ram.view(moved, 4).getUint16(2, true), 2);
});

// Drivers that break the rules

Deno.test("R1 a bad chain comes back with length 0 and the ring goes on", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  for (let count = 0; count < 50; count++) {
    const head = queue.submit([{ address: 0, length: 8 }]);
    assertEquals(queue.waitUsed(frontEnd), { head, length: 0 });
  }
  assertEquals([...it.guest.request([1], 1).response], [1]);
  assertEquals(it.backEnd.log.of("warn").length, 1);
});

Deno.test("R1 a broken ring is reported through its error descriptor, once, and left alone", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  queue.pretendAvailable(1000);
  for (let count = 0; count < 3; count++) {
    queue.kick();
    frontEnd.barrier();
  }
  assertEquals(takeCounter(queue.errorFd), 1);
  assertEquals(queue.hasUsed(), false);
  assertEquals(it.backEnd.log.of("error").length, 1);
});

Deno.test("R1 a ring that was broken works again once the driver starts it anew", () => {
  using it = new Pair();
  it.guest.queues[0].offer(0x7fff);
  it.guest.queues[0].kick();
  it.guest.frontEnd.barrier();
  using again = new Rebound(it.guest);
  assertEquals([...again.guest.request([1, 2], 2).response], [1, 2]);
});

Deno.test("R1 a ring on top of its own buffers harms nobody", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  const length = 6 + 8 * queue.size;
  queue.submit([
    { address: queue.descriptorsAt, length },
    { address: queue.usedAt, length, writable: true },
  ]);
  queue.submit([
    { address: queue.descriptorsAt, length },
    { address: queue.availableAt, length, writable: true },
  ]);
  it.backEnd.settle();
  assertEquals(frontEnd.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
});

Deno.test("V12 requests are served while a front-end is only connected", () => {
  using it = new Pair({ eventIndex: true, size: 256 });
  assertEquals(waitReadable(it.guest.frontEnd.socket, 0), false);
  for (let count = 0; count < 100; count++) it.guest.request([count], 1);
  assertEquals(it.backEnd.device.requests, 100);
});
