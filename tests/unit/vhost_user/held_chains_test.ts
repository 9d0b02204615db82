/** What the chains take that a device holds is bounded, and given back. */

import {
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import { close } from "../../../ffi/fd.ts";
import { Mapping } from "../../../ffi/memory.ts";
import { HostBuffer } from "../../../lib/virtio/descriptor_chain.ts";
import { HOLD_QUEUE } from "../../support/echo_device.ts";
import { Guest } from "../../support/guest.ts";
import { GuestRam } from "../../support/guest_ram.ts";
import { InProcess } from "../../support/in_process.ts";
import { createMemfd } from "../../support/kernel_objects.ts";

const SIZE = 1024;
const MEBIBYTE = 2 ** 20;

/** A guest that has offered requests of as many segments as its queue has descriptors. */
class LongRequests implements Disposable {
  readonly backEnd = InProcess.echo();
  readonly ram = new GuestRam([{ guestAddress: 0, size: 4 * MEBIBYTE }]);
  readonly guest = new Guest(this.backEnd.connect(), { size: SIZE, ram: this.ram });
  readonly head: number;

  constructor(readonly count: number) {
    const queue = this.queue;
    const address = this.ram.allocate(1);
    const segments = Array.from({ length: SIZE }, (_, index) => ({
      address,
      length: 1,
      writable: index === SIZE - 1,
    }));
    this.head = queue.place(segments);
    queue.offer(...new Array(count).fill(this.head));
    queue.kick();
    this.backEnd.settle();
  }

  get queue() {
    return this.guest.queues[HOLD_QUEUE];
  }

  get held(): number {
    return this.backEnd.device.held.length;
  }

  [Symbol.dispose](): void {
    this.guest[Symbol.dispose]();
    this.backEnd[Symbol.dispose]();
    this.ram[Symbol.dispose]();
  }
}

Deno.test("chains that take much memory while they are held wait in the ring", () => {
  using it = new LongRequests(SIZE);
  const { held } = it;
  assertGreater(held, 16);
  assertLess(held, 128);
  it.queue.kick();
  it.backEnd.settle();
  assertStrictEquals(it.held, held);
  // Nor is the ring served again and again where it is polled.
  it.guest.frontEnd.setVringKick(HOLD_QUEUE, -1);
  it.backEnd.settle();
  assertStrictEquals(it.backEnd.loop.turn(0), 0);
  for (let count = 1; count <= SIZE; count++) {
    it.backEnd.device.release();
    it.backEnd.settle();
    assertStrictEquals(it.queue.usedIndexOfDevice, count);
    assertStrictEquals(it.held, Math.min(held, SIZE - count));
  }
  assertStrictEquals(it.backEnd.device.requests, SIZE);
});

Deno.test("a ring whose chains had to wait is served when it starts anew", () => {
  using it = new LongRequests(SIZE);
  const { frontEnd } = it.guest;
  const before = it.held;
  const base = frontEnd.getVringBase(HOLD_QUEUE);
  assertStrictEquals(base, before);
  assertStrictEquals(it.queue.usedIndexOfDevice, before);
  it.guest.start(it.queue, base);
  it.backEnd.settle();
  assertStrictEquals(it.held, before);
  frontEnd.close();
  assertStrictEquals(it.held, 0);
});

for (const answered of [false, true]) {
  const what = answered ? "were answered while it was disabled" : "were held";
  Deno.test(`a driver that begins anew has as much room as before, whose chains ${what}`, () => {
    using it = new LongRequests(SIZE);
    const { frontEnd } = it.guest;
    const before = it.held;
    if (answered) {
      frontEnd.setVringEnable(HOLD_QUEUE, false);
      for (let count = 0; count < before; count++) it.backEnd.device.release();
    }
    using again = new Guest(frontEnd, { size: SIZE, ram: it.ram });
    const queue = again.queues[HOLD_QUEUE];
    assertStrictEquals(it.held, 0);
    const address = it.ram.allocate(1);
    const head = queue.place(Array.from({ length: SIZE }, () => ({ address, length: 1 })));
    queue.offer(...new Array(SIZE).fill(head));
    queue.kick();
    it.backEnd.settle();
    assertStrictEquals(it.held, before);
  });
}

/** V8 does that whenever there are large buffers. */
function collectGarbage(): void {
  const size = 2 ** 30;
  const fd = createMemfd("garbage", size);
  const mapping = new Mapping(fd, 0, size);
  for (let count = 0; count < 8; count++) mapping.buffer(0, size);
  mapping.close();
  close(fd);
}

Deno.test("nothing of the chains is left when the front-end has gone", async () => {
  using it = new LongRequests(SIZE);
  const chains = it.backEnd.device.held.map((chain) => new WeakRef(chain));
  it.guest.frontEnd.close();
  assertStrictEquals(it.held, 0);
  // What a weak reference refers to stays for as long as the job that made it.
  await new Promise((resolve) => setTimeout(resolve));
  collectGarbage();
  assertEquals(chains.filter((chain) => chain.deref() !== undefined), []);
});

Deno.test("usual chains are all held, however many", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), { size: SIZE });
  const queue = guest.queues[HOLD_QUEUE];
  const segments = guest.segments([1], 1);
  const heads = Array.from({ length: SIZE / 2 }, () => queue.place(segments));
  queue.offer(...heads);
  queue.kick();
  backEnd.settle();
  assertStrictEquals(backEnd.device.held.length, SIZE / 2);
});

const ANSWER = 8 * MEBIBYTE;

/** Requests that are answered with much data while their ring is disabled, or even stopped. */
class LateAnswers implements Disposable {
  readonly backEnd = InProcess.echo();
  readonly ram = new GuestRam([{ guestAddress: 0, size: 64 * MEBIBYTE }]);
  readonly guest = new Guest(this.backEnd.connect(), { ram: this.ram });
  readonly address = this.ram.allocate(ANSWER);
  readonly #head = this.queue.place([{ address: this.address, length: ANSWER, writable: true }]);
  readonly #data = new HostBuffer(ANSWER);

  get queue() {
    return this.guest.queues[HOLD_QUEUE];
  }

  /** @returns how much of each answer was taken */
  answer(count: number, stopped = false): number[] {
    const { frontEnd } = this.guest;
    const { device } = this.backEnd;
    this.queue.offer(...new Array(count).fill(this.#head));
    this.queue.kick();
    this.backEnd.settle();
    assertStrictEquals(device.held.length, count);
    frontEnd.setVringEnable(HOLD_QUEUE, false);
    const base = stopped ? frontEnd.getVringBase(HOLD_QUEUE) : 0;
    this.#data.bytes.fill(7);
    const taken = device.held.map((chain) => chain.write(0, this.#data, 0, ANSWER));
    for (let answered = 0; answered < count; answered++) device.release();
    if (stopped) this.guest.start(this.queue, base);
    frontEnd.setVringEnable(HOLD_QUEUE, true);
    return taken;
  }

  [Symbol.dispose](): void {
    this.guest[Symbol.dispose]();
    this.backEnd[Symbol.dispose]();
    this.ram[Symbol.dispose]();
  }
}

Deno.test("answers that come while a ring is disabled are kept up to 32 MiB, each time", () => {
  using it = new LateAnswers();
  for (const used of [4, 8]) {
    it.ram.write(it.address, [0, 0]);
    assertEquals(it.answer(4), Array(4).fill(ANSWER));
    assertStrictEquals(it.queue.usedIndexOfDevice, used);
    assertEquals([...it.ram.read(it.address, 2)], [7, 7]);
  }
  assertEquals(it.backEnd.log.of("error"), []);
});

for (const stopped of [false, true]) {
  const what = `disabled${stopped ? " and stopped" : ""}`;
  Deno.test(`with more answers a ring that is ${what} is given up, until its driver begins anew`, () => {
    using it = new LateAnswers();
    assertEquals(it.answer(5, stopped), [...Array(4).fill(ANSWER), 0]);
    assertStrictEquals(it.queue.usedIndexOfDevice, 0);
    assertEquals([...it.ram.read(it.address, 2)], [0, 0]);
    const errors = it.backEnd.log.of("error");
    assertStrictEquals(errors.length, 1);
    assertMatch(errors[0], /^queue 1: the answers .* while the ring was disabled/);
    using again = new Guest(it.guest.frontEnd, { ram: it.ram });
    const queue = again.queues[HOLD_QUEUE];
    queue.submit(again.segments([1], 1));
    it.backEnd.settle();
    it.backEnd.device.release();
    assertStrictEquals(queue.usedIndexOfDevice, 1);
  });
}
