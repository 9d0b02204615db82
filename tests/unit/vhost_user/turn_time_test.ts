/** Work that takes long is done a little at a time, however little of it there is. */

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { close } from "../../../ffi/fd.ts";
import type { DescriptorChain } from "../../../lib/virtio/descriptor_chain.ts";
import { Turn } from "../../../lib/vhost_user/turn.ts";
import { EchoDevice, HOLD_QUEUE } from "../../support/echo_device.ts";
import { FrontEnd } from "../../support/front_end.ts";
import { Guest } from "../../support/guest.ts";
import { InProcess } from "../../support/in_process.ts";
import { createMemfd, socketPair } from "../../support/kernel_objects.ts";
import { waitReadable } from "../../support/wait.ts";
import { message, REQUEST, u64, VIRTIO_F_VERSION_1 } from "../../support/wire.ts";

/** What takes its time, in milliseconds: more than half a turn. */
const SLOW = 0.6;
/** So many slow things may be done before others get their turn, by two who have one each. */
const FEW = 8;

function takeTime(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Offers requests of which the device takes its time for some. */
function offer(
  guest: Guest,
  device: EchoDevice,
  count: number,
  isSlow: (index: number) => boolean,
) {
  const [queue] = guest.queues;
  let served = 0;
  device.answer = (chain: DescriptorChain) => {
    if (isSlow(served++)) takeTime(SLOW);
    return device.echo(chain);
  };
  const head = queue.place(guest.segments([1, 2, 3], 3));
  queue.offer(...new Array(count).fill(head));
  queue.kick();
}

Deno.test("V12 requests that take long leave their connection its turn", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), { size: 256 });
  offer(guest, backEnd.device, 64, () => true);
  let answers = 0;
  for (let turn = 0; backEnd.device.requests < 64; turn++) {
    const { requests } = backEnd.device;
    guest.frontEnd.sendBytes(message(REQUEST.GET_FEATURES));
    backEnd.loop.turn(0);
    assertLess(backEnd.device.requests - requests, FEW);
    if (waitReadable(guest.frontEnd.socket, 0)) answers++;
  }
  assertGreater(answers, 64 / FEW - 1);
  backEnd.settle();
  assertEquals(guest.queues[0].usedIndexOfDevice, 64);
  guest.frontEnd.discard();
});

Deno.test("V15 a driver that takes its index back has its time for a turn all the same", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), { size: 64 });
  const [queue] = guest.queues;
  const { device } = backEnd;
  offer(guest, device, 64, () => {
    // As if there was nothing behind the request at hand.
    queue.pretendAvailable(device.requests);
    return true;
  });
  backEnd.loop.turn(0);
  assertLess(device.requests, FEW);
  backEnd.settle();
});

Deno.test("the driver sees answers one by one where they take their time", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), { size: 256 });
  const [queue] = guest.queues;
  const seen: number[] = [];
  offer(guest, backEnd.device, 20, () => {
    seen.push(queue.usedIndexOfDevice);
    return true;
  });
  backEnd.settle();
  assertEquals(seen, Array.from({ length: 20 }, (_, index) => index));
});

Deno.test("V12 requests that take long are noticed among others that do not", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), { size: 256 });
  offer(guest, backEnd.device, 128, (index) => index >= 40);
  backEnd.loop.turn(0);
  backEnd.loop.turn(0);
  // The clock is not looked at after each of them.
  assertLess(backEnd.device.requests, 40 + 3 * FEW);
  backEnd.settle();
  assertEquals(guest.queues[0].usedIndexOfDevice, 128);
});

/** Takes long for a message of the front-end. */
class SlowToSetUp extends EchoDevice {
  messages = 0;

  override setFeatures(features: bigint): void {
    this.messages++;
    takeTime(SLOW);
    super.setFeatures(features);
  }
}

Deno.test("V12 messages that take long leave others their turn", () => {
  using backEnd = new InProcess(new SlowToSetUp());
  const [here, there] = socketPair();
  backEnd.session.begin(there, () => {});
  using frontEnd = new FrontEnd(here);
  for (let count = 0; count < 32; count++) {
    frontEnd.sendBytes(message(REQUEST.SET_FEATURES, u64(VIRTIO_F_VERSION_1)));
  }
  backEnd.loop.turn(0);
  assertGreater(backEnd.device.messages, 0);
  assertLess(backEnd.device.messages, FEW);
  backEnd.settle();
  assertEquals(backEnd.device.messages, 32);
});

Deno.test("the clock is looked at seldom while work goes fast", () => {
  const turn = new Turn();
  turn.begin(1e6);
  let looks = 0;
  for (let count = 0; count < 800; count++) {
    if (!turn.isDue()) continue;
    looks++;
    assertEquals(turn.isOver(), false);
  }
  assertLess(looks, 150);
  turn.begin(0);
  assertEquals([turn.isDue(), turn.isDue(), turn.isOver()], [false, true, true]);
});

Deno.test("V12 a request all over a huge memory is looked up a little at a time", () => {
  const gibibyte = 2 ** 30;
  const count = 200;
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), { size: 256 });
  const memory = createMemfd("huge", count * gibibyte);
  const [begin, size] = [2 ** 40, count * gibibyte];
  const region = { guestAddress: begin, size, userAddress: 2 ** 41, fileOffset: 0 };
  guest.frontEnd.addRegion(region, memory);
  guest.frontEnd.barrier();
  const [queue] = guest.queues;
  const segments = Array.from({ length: count }, (_, index) => ({
    address: begin + index * gibibyte,
    length: 2,
    writable: index >= count / 2,
  }));
  queue.submit(segments);
  let turns = 0;
  while (backEnd.loop.turn(0) > 0) turns++;
  assertGreater(turns, 10);
  assertEquals(queue.takeUsed()?.length, count);
  // Another one goes at once.
  queue.submit(segments);
  backEnd.loop.turn(0);
  assertEquals(queue.takeUsed()?.length, count);
  close(memory);
});

Deno.test("the clock is looked at after each piece of slow work", () => {
  const turn = new Turn();
  turn.begin(1);
  let pieces = 0;
  while (!(turn.isDue() && turn.isOver())) {
    takeTime(0.3);
    pieces++;
  }
  assertLess(pieces, 6);
});

/** Looks at the other queue before it answers; that one's requests take long. */
class DrainsSlowly extends EchoDevice {
  drained = 0;

  override process(queue: number, chain: DescriptorChain): number {
    if (queue === HOLD_QUEUE) {
      takeTime(SLOW);
      this.drained++;
    } else {
      this.drain(HOLD_QUEUE);
    }
    return this.echo(chain);
  }
}

Deno.test("V12 a queue that is served for the sake of another has its limit, too", () => {
  const count = 256;
  using backEnd = new InProcess(new DrainsSlowly());
  using guest = new Guest(backEnd.connect(), { size: count });
  const [first, second] = guest.queues;
  second.offer(...new Array(count).fill(second.place(guest.segments([1], 1))));
  first.submit(guest.segments([1], 1));
  backEnd.loop.turn(0);
  assertEquals(first.usedIndexOfDevice, 1);
  assertGreater(backEnd.device.drained, 0);
  assertLess(backEnd.device.drained, 64);
  backEnd.settle();
  assertEquals(second.usedIndexOfDevice, count);
});
