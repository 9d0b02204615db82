/** Whatever one descriptor brings, the others of the same thread get their turn. */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { EPOLLIN } from "../../../ffi/epoll.ts";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { socketPair } from "../../support/kernel_objects.ts";
import { FrontEnd } from "../../support/front_end.ts";
import { Guest } from "../../support/guest.ts";
import { InProcess } from "../../support/in_process.ts";
import { waitReadable } from "../../support/wait.ts";
import { message, REQUEST } from "../../support/wire.ts";

/** So much may be done before others get their turn. */
const FEW = 400;

Deno.test("V12 a front-end that sends without end leaves other descriptors their turn", () => {
  using backEnd = InProcess.echo();
  const [here, there] = socketPair();
  backEnd.session.begin(there, () => {});
  // Unlike others it does not let the back-end work whenever it waits.
  using frontEnd = new FrontEnd(here);
  const total = 5000;
  const batch = 100;
  let [sent, answered] = [0, 0];
  /** Takes the replies that there are, and keeps the back-end supplied. */
  const exchange = () => {
    for (; waitReadable(here, 0); answered++) frontEnd.receive();
    for (; sent < total && sent - answered < batch; sent++) {
      frontEnd.sendBytes(message(REQUEST.GET_STATUS));
    }
  };
  exchange();
  const eventfd = createEventfd(1);
  const seen: number[] = [];
  backEnd.loop.watch(eventfd, EPOLLIN, {
    onEvents() {
      // Has to be handled again and again, as it is not read.
      exchange();
      seen.push(answered);
    },
  });
  backEnd.loop.turn(0);
  exchange();
  assertGreater(answered, 0);
  assertLess(answered, batch, "all that there was is handled in one go");
  let most = 0;
  while (answered < total) {
    const before = answered;
    backEnd.loop.turn(0);
    exchange();
    most = Math.max(most, answered - before);
  }
  // Once it goes fast, all of a batch would be handled before the time of a turn is up.
  assertLess(most, batch * 2 / 3);
  assertGreater(seen.length, total / batch);
  backEnd.loop.unwatch(eventfd);
  close(eventfd);
});

Deno.test("V12 a ring that never runs dry leaves its connection and other descriptors their turn", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), { size: 64 });
  const [queue] = guest.queues;
  queue.disableCalls();
  const head = queue.place(guest.segments([1, 2, 3], 3));
  const enough = 20_000;
  backEnd.device.answer = (chain) => {
    // The driver is quicker than the device.
    if (backEnd.device.requests < enough) queue.offer(head);
    return backEnd.device.echo(chain);
  };
  queue.offer(...new Array(32).fill(head));
  queue.kick();
  const eventfd = createEventfd(1);
  let seen = 0;
  backEnd.loop.watch(eventfd, EPOLLIN, { onEvents: () => seen++ });
  guest.frontEnd.sendBytes(message(REQUEST.GET_FEATURES));
  while (!waitReadable(guest.frontEnd.socket, 0)) {
    backEnd.loop.turn(0);
    assertLess(backEnd.device.requests, 2 * FEW, "the connection waits for the ring");
  }
  seen = 0;
  const { requests } = backEnd.device;
  for (let turn = 0; turn < 10; turn++) backEnd.loop.turn(0);
  assertEquals(seen, 10);
  const served = backEnd.device.requests - requests;
  assert(served > 10 && served <= 10 * FEW, `${served} requests in ten turns`);
  backEnd.loop.unwatch(eventfd);
  close(eventfd);
  backEnd.settle();
  queue.takeUsed();
  guest.frontEnd.discard();
});
