/**
 * Rings that are disabled, stopped, started again, or set up by a driver that begins anew.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { DescriptorChain } from "../../../lib/virtio/descriptor_chain.ts";
import { DriverQueue, type Segment, takeCounter } from "../../support/driver_queue.ts";
import { EchoDevice, F_ECHO, HOLD_QUEUE } from "../../support/echo_device.ts";
import type { FrontEnd } from "../../support/front_end.ts";
import { Guest } from "../../support/guest.ts";
import { GuestRam } from "../../support/guest_ram.ts";
import { InProcess } from "../../support/in_process.ts";
import { oneByte, Pair, Rebound } from "../../support/pair.ts";
import {
  memoryTable,
  message,
  PROTOCOL_REPLY_ACK,
  PROTOCOL_RESET_DEVICE,
  PROTOCOL_STATUS,
  REQUEST,
  u64,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VIRTIO_F_VERSION_1,
  type WireRegion,
} from "../../support/wire.ts";

const UNTOUCHED = 0xee;

/** A held request, and how to see what became of it. */
class Held {
  readonly queue;
  readonly head: number;
  readonly #segments: Segment[];

  constructor(readonly it: Pair, value: number) {
    this.queue = it.guest.queues[HOLD_QUEUE];
    this.#segments = oneByte(it.guest, value);
    this.head = this.queue.submit(this.#segments);
    it.guest.frontEnd.barrier();
    this.queue.takeCalls();
    this.queue.enableCalls();
  }

  get response(): number {
    return this.it.guest.ram.read(this.#segments[1].address, 1)[0];
  }

  /** The driver has not been told a thing, nor has its buffer been written. */
  assertUntouched(): void {
    this.it.guest.frontEnd.barrier();
    assertEquals(
      [this.response, this.queue.hasUsed(), this.queue.takeCalls()],
      [UNTOUCHED, false, 0],
    );
  }

  assertAnswered(value: number): void {
    this.it.guest.frontEnd.barrier();
    assertEquals(this.queue.takeUsed(), { head: this.head, length: 1 });
    assertStrictEquals(this.response, value);
    assertStrictEquals(this.queue.takeCalls(), 1);
  }
}

// Disabled

Deno.test("V14 what a disabled ring's device does waits for the ring to be enabled again", () => {
  using it = new Pair();
  const held = new Held(it, 5);
  it.guest.frontEnd.setVringEnable(HOLD_QUEUE, false);
  it.guest.frontEnd.barrier();
  it.backEnd.device.release();
  held.assertUntouched();
  it.guest.frontEnd.setMemoryTable(it.guest.ram);
  held.assertUntouched();
  it.guest.frontEnd.setVringEnable(HOLD_QUEUE, true);
  held.assertAnswered(5);
});

Deno.test("V14 a request is answered after its ring was disabled and enabled", () => {
  using it = new Pair();
  const held = new Held(it, 5);
  for (const enable of [false, true]) it.guest.frontEnd.setVringEnable(HOLD_QUEUE, enable);
  it.guest.frontEnd.barrier();
  it.backEnd.device.release();
  held.assertAnswered(5);
});

Deno.test("V14 what a disabled ring's device does is dropped when a driver begins anew", () => {
  using it = new Pair();
  const held = new Held(it, 5);
  const another = new Held(it, 6);
  for (const index of [1, 0]) it.guest.frontEnd.setVringEnable(index, false);
  it.guest.frontEnd.barrier();
  it.backEnd.device.release();
  using again = new Rebound(it.guest);
  it.backEnd.device.release();
  held.assertUntouched();
  another.assertUntouched();
  assertStrictEquals(again.guest.queues[HOLD_QUEUE].usedIndexOfDevice, 0);
  assertEquals([...again.guest.request([2, 3], 2).response], [2, 3]);
});

Deno.test("V14 a ring that is stopped while it is disabled is not touched, and goes on", () => {
  using it = new Pair();
  const { frontEnd } = it.guest;
  const held = new Held(it, 5);
  const another = new Held(it, 6);
  frontEnd.setVringEnable(HOLD_QUEUE, false);
  assertStrictEquals(frontEnd.getVringBase(HOLD_QUEUE), 2);
  held.assertUntouched();
  it.backEnd.device.release();
  held.assertUntouched();
  frontEnd.setVringEnable(HOLD_QUEUE, true);
  held.assertUntouched();
  it.guest.start(held.queue, 2);
  held.assertAnswered(5);
  it.backEnd.device.release();
  another.assertAnswered(6);
});

Deno.test("V14 a call that is owed waits for the ring to be enabled", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  frontEnd.setVringCall(0, -1);
  frontEnd.barrier();
  queue.submit(oneByte(it.guest, 1));
  frontEnd.setVringEnable(0, false);
  frontEnd.setVringCall(0, queue.callFd);
  frontEnd.barrier();
  assertStrictEquals(queue.takeCalls(), 0);
  frontEnd.setVringEnable(0, true);
  frontEnd.barrier();
  assertStrictEquals(queue.takeCalls(), 1);
});

// A pause, or a driver that begins anew

/** Stops both rings as a pause of the guest does. @returns where */
function pause(guest: Guest): number[] {
  for (const { index } of guest.queues) guest.frontEnd.setVringEnable(index, false);
  return guest.queues.map(({ index }) => guest.frontEnd.getVringBase(index));
}

for (const [at, what] of [[1, "the used index"], [2, "the last head"], [4, "the last length"]]) {
  Deno.test(`V5 ${what} alone shows that a driver begins anew`, () => {
    using it = new Pair();
    it.guest.request([1], 1);
    const [base] = pause(it.guest);
    const { queues: [queue], ram } = it.guest;
    const { device } = it.backEnd;
    device.calls.length = 0;
    // With another index, the entry before it is still the same one.
    ram.words(queue.usedAt, 8)[Number(at)] += queue.size;
    it.guest.start(queue, base);
    it.guest.frontEnd.barrier();
    assert(device.calls.includes("reset"));
  });
}

Deno.test("R4 what comes just before kicks are asked for again is served without one", () => {
  using it = new Pair();
  const { guest, guest: { queues: [queue], frontEnd } } = it;
  const late = queue.place(oneByte(guest, 7));
  const { store } = Atomics;
  try {
    Atomics.store = ((words: Uint16Array, index: number, value: number) => {
      if (index === 0 && value === 0 && queue.availableIndex === 1) queue.offer(late);
      return store(words, index, value);
    }) as typeof Atomics.store;
    const early = queue.submit(oneByte(guest, 6));
    frontEnd.barrier();
    assertEquals([queue.takeUsed()?.head, queue.takeUsed()?.head], [early, late]);
  } finally {
    Atomics.store = store;
  }
});

for (const first of [0, 1]) {
  const order = [first, 1 - first];

  Deno.test(`V5 a pause is no reset, not even at index 0, queue ${first} first`, () => {
    using it = new Pair({ base: 0xfffe });
    for (const value of [1, 2]) it.guest.request([value], 1);
    const held = new Held(it, 7);
    const bases = pause(it.guest);
    assertEquals(bases, [0, 0xffff]);
    it.backEnd.device.calls.length = 0;
    it.guest.frontEnd.setFeatures(it.guest.features);
    it.guest.frontEnd.setMemoryTable(it.guest.ram);
    for (const index of order) it.guest.start(it.guest.queues[index], bases[index]);
    for (const index of order) it.guest.frontEnd.setVringEnable(index, true);
    assertEquals([...it.guest.request([3], 1).response], [3]);
    assertEquals(it.backEnd.device.calls, []);
    it.backEnd.device.release();
    held.assertAnswered(7);
  });

  for (const stopped of ["disabled", "stopped"]) {
    for (const base of [0, 100, 0xfffe]) {
      const what = `a driver that begins anew at ${base}, queue ${first} first`;
      Deno.test(`V5 ${what}, after rings were ${stopped}, finds a fresh device`, () => {
        using it = new Pair({ base: 0xfffe });
        for (const value of [1, 2]) it.guest.request([value], 1);
        const held = new Held(it, 7);
        if (stopped === "stopped") pause(it.guest);
        else for (const index of order) it.guest.frontEnd.setVringEnable(index, false);
        it.guest.frontEnd.barrier();
        const { device } = it.backEnd;
        device.calls.length = 0;

        using ram = new GuestRam([{ guestAddress: 0x80_0000, size: 0x10_0000 }]);
        using again = new Guest(it.guest.frontEnd, { ram, base, order });
        assertStrictEquals(device.calls.filter((call) => call === "reset").length, 1);
        assertStrictEquals(device.taken, again.features);
        assertStrictEquals(device.held.length, 0);
        assertEquals([...again.request([2, 3], 2).response], [2, 3]);
        const head = again.queues[HOLD_QUEUE].submit(oneByte(again, 9));
        again.frontEnd.barrier();
        device.release();
        assertEquals(again.queues[HOLD_QUEUE].takeUsed(), { head, length: 1 });
        held.assertUntouched();
      });
    }
  }
}

Deno.test("V5 what a new driver has queued before its first queue starts is not lost", () => {
  const device = new Scribbler();
  using it = new Pair({}, device);
  it.guest.request([1], 1);
  const bases = pause(it.guest);
  assertEquals(bases, [1, 0]);
  device.calls.length = 0;
  using again = new Rebound(it.guest, { order: [] });
  const { frontEnd, ram, queues: [queue, holdQueue] } = again.guest;
  // Nothing tells yet that this is another driver: the second queue was never used.
  again.guest.start(holdQueue);
  frontEnd.setVringEnable(HOLD_QUEUE, true);
  const held = [1, 2, 3].map((value) => {
    const segments = oneByte(again.guest, value);
    return { value, head: holdQueue.submit(segments), response: segments[1].address };
  });
  frontEnd.barrier();
  assertStrictEquals(device.held.length, 3);
  assert(!device.calls.includes("reset"));
  again.guest.start(queue);
  frontEnd.setVringEnable(0, true);
  assertEquals([...again.guest.request([2, 3], 2).response], [2, 3]);
  assert(device.calls.includes("reset"));
  for (const { value, head, response } of held) {
    // What the device wrote when it gave the chain back was not meant for this driver.
    assertStrictEquals(ram.read(response, 1)[0], UNTOUCHED);
    device.release();
    assertEquals(holdQueue.takeUsed(), { head, length: 1 });
    assertStrictEquals(ram.read(response, 1)[0], value);
  }
});

Deno.test("V5 a queue that was never used may begin anywhere after a pause", () => {
  using it = new Pair();
  it.guest.request([1], 1);
  const bases = pause(it.guest);
  it.backEnd.device.calls.length = 0;
  const { queues } = it.guest;
  queues[1].pretendAvailable(5);
  it.guest.start(queues[0], bases[0]);
  it.guest.start(queues[1], 5);
  for (const { index } of queues) it.guest.frontEnd.setVringEnable(index, true);
  it.guest.frontEnd.barrier();
  assertEquals(it.backEnd.device.calls, []);
});

Deno.test("V5 a change of the memory table is no start, whatever the driver has done to its ring", () => {
  using it = new Pair();
  const { frontEnd, ram, queues: [queue] } = it.guest;
  it.guest.request([1], 1);
  it.guest.start(queue, frontEnd.getVringBase(0));
  frontEnd.barrier();
  it.backEnd.device.calls.length = 0;
  // The last used entry, which is the device's to write.
  ram.view(queue.usedAt, 12).setUint32(4, 77, true);
  frontEnd.setMemoryTable(ram);
  frontEnd.barrier();
  assertEquals(it.backEnd.device.calls, []);
});

Deno.test("R5 the first completion after a start calls, with EVENT_IDX", () => {
  using it = new Pair({ eventIndex: true });
  const { frontEnd, queues: [queue] } = it.guest;
  for (let count = 0; count < 5; count++) it.guest.request([count], 1);
  it.guest.start(queue, frontEnd.getVringBase(0));
  frontEnd.barrier();
  queue.takeCalls();
  // The driver waits for an index that has been passed, and was never told.
  queue.enableCalls(-2);
  queue.submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  assertStrictEquals(queue.takeCalls(), 1);
});

// Resets

Deno.test("V2 RESET_DEVICE resets the status and disables the rings", () => {
  using it = new Pair({
    protocolFeatures: PROTOCOL_REPLY_ACK | PROTOCOL_STATUS | PROTOCOL_RESET_DEVICE,
  });
  const { frontEnd, queues: [queue] } = it.guest;
  it.guest.request([1], 1);
  frontEnd.send(REQUEST.SET_STATUS, u64(15));
  frontEnd.send(REQUEST.RESET_DEVICE);
  assertStrictEquals(frontEnd.askNumber(REQUEST.GET_STATUS), 0n);
  it.guest.start(queue, 1);
  const head = queue.place(oneByte(it.guest, 1));
  queue.offer(head);
  queue.kick();
  frontEnd.barrier();
  assertStrictEquals(queue.hasUsed(), false);
  frontEnd.setVringEnable(0, true);
  assertEquals(queue.waitUsed(frontEnd), { head, length: 1 });
});

Deno.test("V2 RESET_OWNER disables the rings and leaves everything else as it is", () => {
  using it = new Pair();
  const { frontEnd, queues: [queue] } = it.guest;
  const held = new Held(it, 5);
  it.backEnd.device.calls.length = 0;
  frontEnd.send(REQUEST.RESET_OWNER);
  const head = queue.submit(oneByte(it.guest, 1));
  frontEnd.barrier();
  it.backEnd.device.release();
  held.assertUntouched();
  assertStrictEquals(queue.hasUsed(), false);
  assertEquals(it.backEnd.device.calls, []);
  for (const index of [0, 1]) frontEnd.setVringEnable(index, true);
  assertEquals(queue.waitUsed(frontEnd), { head, length: 1 });
  held.assertAnswered(5);
});

Deno.test("V2 SET_VRING_KICK before SET_VRING_ADDR waits for the addresses", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), { order: [], acknowledged: true });
  const { frontEnd, queues: [queue] } = guest;
  frontEnd.setVringSize(0, queue.size);
  frontEnd.setVringKick(0, queue.kickFd);
  frontEnd.setVringCall(0, queue.callFd);
  frontEnd.setVringEnable(0, true);
  const head = queue.submit(oneByte(guest, 1));
  frontEnd.barrier();
  assertStrictEquals(queue.hasUsed(), false);
  frontEnd.setVringAddresses(0, queue.addresses);
  assertEquals(queue.waitUsed(frontEnd), { head, length: 1 });
});

Deno.test("a ring that is missing or broken is told of once, whatever becomes of memory", () => {
  using it = new Pair();
  const { frontEnd, ram, queues: [queue] } = it.guest;
  using other = new GuestRam([{ guestAddress: 0x4000_0000, size: 4096 }]);
  for (let count = 0; count < 3; count++) frontEnd.setMemoryTable(other);
  frontEnd.barrier();
  // Both rings are missing.
  assertStrictEquals(it.backEnd.log.of("error").length, 2);
  frontEnd.setMemoryTable(ram);
  queue.pretendAvailable(1000);
  for (let count = 0; count < 3; count++) {
    queue.kick();
    frontEnd.setMemoryTable(ram);
    frontEnd.barrier();
  }
  assertStrictEquals(it.backEnd.log.of("error").length, 3);
  assertStrictEquals(takeCounter(queue.errorFd), 1);
  frontEnd.setVringAddresses(0, queue.addresses);
  queue.kick();
  frontEnd.barrier();
  assertStrictEquals(it.backEnd.log.of("error").length, 3, "other addresses mend nothing");
});

Deno.test("a ring that was broken and is started again is one like any other", () => {
  using it = new Pair();
  const { frontEnd, ram, queues: [queue] } = it.guest;
  queue.pretendAvailable(1000);
  queue.kick();
  const base = frontEnd.getVringBase(0);
  queue.pretendAvailable(base);
  it.guest.start(queue, base);
  assertEquals([...it.guest.request([1], 1).response], [1]);
  using other = new GuestRam([{ guestAddress: 0x4000_0000, size: 4096 }]);
  for (const table of [other, ram]) frontEnd.setMemoryTable(table);
  assertEquals([...it.guest.request([2], 1).response], [2]);
});

Deno.test("an exception of ours is not the front-end's refusal", () => {
  using it = new Pair({ acknowledged: true });
  it.backEnd.device.setFeatures = () => {
    throw new TypeError("this is a mistake of the program");
  };
  it.guest.frontEnd.sendBytes(
    message(REQUEST.SET_FEATURES, u64(it.guest.features), 0x9),
  );
  it.backEnd.settle();
  const [error] = it.backEnd.errors.splice(0);
  assert(error instanceof TypeError);
  assertEquals(it.backEnd.log.of("error"), []);
});

// What must not outlive its cause

/** A connection that goes straight to a started ring, without negotiating anything. */
function startUnasked(frontEnd: FrontEnd, ram: GuestRam, queue: DriverQueue, base = 0): void {
  frontEnd.setMemoryTable(ram);
  frontEnd.setVringSize(0, queue.size);
  frontEnd.setVringBase(0, base);
  frontEnd.setVringAddresses(0, queue.addresses);
  frontEnd.setVringCall(0, queue.callFd);
  frontEnd.setVringKick(0, queue.kickFd);
  frontEnd.setVringEnable(0, true);
  frontEnd.barrier();
}

Deno.test("V12 features, protocol features and status do not outlive the connection", () => {
  using it = new Pair({ eventIndex: true, protocolFeatures: PROTOCOL_REPLY_ACK | PROTOCOL_STATUS });
  const { queues: [queue] } = it.guest;
  it.guest.request([1], 1, 0, true);
  it.guest.frontEnd.send(REQUEST.SET_STATUS, u64(15));
  it.guest.frontEnd.close();
  using next = it.backEnd.connect();
  next.sendBytes(message(REQUEST.SET_OWNER, [], 0x9));
  assertStrictEquals(next.askNumber(REQUEST.GET_STATUS), 0n, "an acknowledgement comes unasked");
  startUnasked(next, it.guest.ram, queue, queue.availableIndex);
  queue.offer(queue.place(it.guest.segments([1], 1), true));
  queue.kick();
  next.barrier();
  assertStrictEquals(queue.takeUsed()?.length, 0, "an indirect table without the feature");
  // Where EVENT_IDX is not agreed, a flag asks for no calls.
  queue.takeCalls();
  it.guest.ram.words(queue.availableAt, 1)[0] = 1;
  queue.enableCalls();
  queue.offer(queue.place(it.guest.segments([1], 1)));
  queue.kick();
  next.barrier();
  assertStrictEquals(queue.takeUsed()?.length, 1);
  assertStrictEquals(queue.takeCalls(), 0);
  const ready = it.backEnd.log.of("info").filter((line) => line.startsWith("ready"));
  assertStrictEquals(ready.length, 2);
});

Deno.test("that a ring was enabled does not outlive the connection, nor what it has served", () => {
  using it = new Pair();
  it.guest.request([1], 1);
  it.guest.frontEnd.close();
  it.backEnd.settle();
  using next = new Guest(it.backEnd.connect(), { order: [] });
  const { frontEnd, queues: [queue] } = next;
  next.start(queue);
  const head = queue.submit(oneByte(next, 5));
  frontEnd.barrier();
  assert(!queue.hasUsed(), "a ring is served that was not enabled");
  frontEnd.setVringEnable(0, true);
  frontEnd.barrier();
  assertEquals(queue.takeUsed(), { head, length: 1 });
  frontEnd.close();
  it.backEnd.settle();
  const ends = it.backEnd.log.of("info").filter((line) => line.startsWith("front-end gone"));
  assertEquals(ends.map((line) => /(\d+) requests were served/.exec(line)?.[1]), ["1", "1"]);
});

Deno.test("a driver whose features were refused is not served, and the next one is", () => {
  using backEnd = InProcess.echo(F_ECHO);
  using ram = new GuestRam();
  const queue = new DriverQueue(0, ram);
  const connect = () => {
    const frontEnd = backEnd.connect();
    frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
    frontEnd.acknowledged = true;
    return frontEnd;
  };
  {
    using frontEnd = connect();
    const without = u64(VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES);
    assertNotEquals(frontEnd.outcome(REQUEST.SET_FEATURES, without), 0n);
    assertThrows(() => startUnasked(frontEnd, ram, queue));
    assertNotEquals(frontEnd.outcome(REQUEST.SET_VRING_KICK, u64(0), [queue.kickFd]), 0n);
    frontEnd.setVringEnable(0, true);
    queue.submit([]);
    queue.kick();
    frontEnd.barrier();
    assertStrictEquals(backEnd.device.requests, 0);
  }
  // This one has said nothing yet, and nothing of it was refused.
  using frontEnd = connect();
  startUnasked(frontEnd, ram, queue);
  assertStrictEquals(backEnd.device.requests, 1);
  queue[Symbol.dispose]();
});

Deno.test("a call that is owed does not outlive a reset, nor the connection", () => {
  for (const how of ["RESET_DEVICE", "a driver that begins anew", "the connection"]) {
    using it = new Pair();
    const { frontEnd, queues: [queue] } = it.guest;
    frontEnd.setVringCall(0, -1);
    frontEnd.barrier();
    queue.submit(oneByte(it.guest, 1));
    frontEnd.barrier();
    let there = frontEnd;
    if (how === "RESET_DEVICE") frontEnd.send(REQUEST.RESET_DEVICE);
    else if (how === "the connection") {
      frontEnd.close();
      there = it.backEnd.connect();
    } else frontEnd.setVringSize(0, queue.size);
    there.setVringEnable(0, true);
    there.setVringCall(0, queue.callFd);
    there.barrier();
    assertStrictEquals(queue.takeCalls(), 0, how);
    there.close();
  }
});

/** Writes to held chains whenever it can, and to some when it is too late. */
class Scribbler extends EchoDevice {
  readonly seen: DescriptorChain[] = [];

  override process(queue: number, chain: DescriptorChain): number {
    this.seen.push(chain);
    return super.process(queue, chain);
  }

  override queueStopping(queue: number): void {
    if (queue === HOLD_QUEUE) this.#scribble();
    super.queueStopping(queue);
    if (queue === HOLD_QUEUE) this.#scribble();
  }

  override reset(): void {
    this.#scribble();
    super.reset();
  }

  #scribble(): void {
    for (const chain of this.seen) {
      for (let at = 0; at < 4; at++) chain.writeU8(at, 0x5c);
    }
  }
}

Deno.test("nothing is written to chains of a driver that is gone, even by a device that tries", () => {
  for (const how of ["anew", "RESET_DEVICE", "the connection"]) {
    using it = new Pair({}, new Scribbler());
    const { frontEnd } = it.guest;
    const held = new Held(it, 5);
    if (how === "RESET_DEVICE") frontEnd.send(REQUEST.RESET_DEVICE);
    else if (how === "the connection") frontEnd.close();
    else {
      frontEnd.setVringSize(HOLD_QUEUE, 16);
      it.backEnd.device.release();
    }
    it.backEnd.settle();
    it.backEnd.device.queueStopping(HOLD_QUEUE);
    assertEquals([held.response, held.queue.hasUsed()], [UNTOUCHED, false], how);
  }
});

Deno.test("a device that does not give a chain back cannot write to it any more", () => {
  const device = new Scribbler();
  using it = new Pair({}, device);
  const held = new Held(it, 5);
  device.queueStopping = () => {};
  it.guest.frontEnd.setVringEnable(HOLD_QUEUE, false);
  // The same memory, where the buffer may be anything by now.
  const again = new Guest(it.guest.frontEnd, { ram: it.guest.ram });
  again.frontEnd.barrier();
  device.reset();
  held.assertUntouched();
  for (const queue of again.queues) queue[Symbol.dispose]();
});

Deno.test("a device that has its own queue served while it answers keeps the order", () => {
  using it = new Pair();
  const { device } = it.backEnd;
  device.answer = (chain) => {
    device.drain(0);
    return device.echo(chain);
  };
  const { frontEnd, queues: [queue] } = it.guest;
  const heads = [1, 2, 3].map((value) => queue.place(oneByte(it.guest, value)));
  queue.offer(...heads);
  queue.kick();
  frontEnd.barrier();
  assertEquals(heads.map(() => queue.takeUsed()?.head), heads);
});

Deno.test("a held request whose buffer now ends outside of memory is not written", () => {
  const page = 4096;
  using ram = new GuestRam([
    { guestAddress: 0x10_0000, size: 0x10_0000 },
    { guestAddress: 0x40_0000, size: 2 * page, userAddress: 0x1000_0000 },
  ]);
  using it = new Pair({ ram });
  const { frontEnd, queues } = it.guest;
  const held = queues[HOLD_QUEUE];
  // Its beginning stays within memory when the second region loses a page.
  const response = 0x40_0000 + page - 8;
  ram.write(response, new Uint8Array(16).fill(UNTOUCHED));
  held.submit([
    { address: ram.allocate(16), length: 16 },
    { address: response, length: 16, writable: true },
  ]);
  frontEnd.barrier();
  const regions = [ram.regions[0], { ...described(ram.regions[1]), size: page }];
  const fds = ram.regions.map(({ fd }) => fd);
  frontEnd.tell(REQUEST.SET_MEM_TABLE, memoryTable(regions), fds);
  frontEnd.barrier();
  it.backEnd.device.release();
  assertEquals([...ram.read(response, 16)], new Array(16).fill(UNTOUCHED));
  assertStrictEquals(held.takeUsed()?.length, 0);
});

function described({ guestAddress, size, userAddress, fileOffset }: WireRegion): WireRegion {
  return { guestAddress, size, userAddress, fileOffset };
}
