/**
 * What known front-ends send, message by message.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { clearEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { socketPair } from "../support/kernel_objects.ts";
import { DriverQueue } from "../support/driver_queue.ts";
import { FrontEnd } from "../support/front_end.ts";
import { F_IRQ, GPIO, gpioRequest, IN } from "../support/gpio_driver.ts";
import { gpioTest } from "../support/gpio_test.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { waitReadable } from "../support/wait.ts";
import {
  PROTOCOL_BACKEND_REQ,
  PROTOCOL_CONFIG,
  PROTOCOL_MQ,
  PROTOCOL_REPLY_ACK,
  PROTOCOL_STATUS,
  REQUEST,
  u64,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
} from "../support/wire.ts";

const DRIVER_FEATURES = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | F_IRQ;

/** Memory and rings of a guest of which only the messages differ. */
class Machine implements Disposable {
  readonly ram: GuestRam;
  queues: DriverQueue[] = [];

  constructor(ram = new GuestRam()) {
    this.ram = ram;
  }

  /** New rings, as after the driver is bound. */
  bind(size: number): DriverQueue[] {
    for (const queue of this.queues) queue[Symbol.dispose]();
    this.queues = [0, 1].map((index) =>
      new DriverQueue(index, this.ram, { size, eventIndex: true })
    );
    return this.queues;
  }

  /** The answer to a request on the first queue. */
  ask(frontEnd: FrontEnd, type: number, line: number, value = 0): number[] {
    const request = this.ram.allocate(8);
    const response = this.ram.allocate(2);
    this.ram.write(request, gpioRequest(type, line, value));
    const [queue] = this.queues;
    queue.submit([{ address: request, length: 8 }, {
      address: response,
      length: 2,
      writable: true,
    }]);
    assertEquals(queue.waitUsed(frontEnd).length, 2);
    return [...this.ram.read(response, 2)];
  }

  [Symbol.dispose](): void {
    for (const queue of this.queues) queue[Symbol.dispose]();
    this.ram[Symbol.dispose]();
  }
}

gpioTest("User-Mode Linux is served, and again after the driver was bound anew", (daemon) => {
  using frontEnd = daemon.connect();
  // One region at the same address everywhere; calls are sockets.
  const address = 0x76_4000;
  using machine = new Machine(
    new GuestRam([{
      guestAddress: address,
      size: 0x10_0000,
      userAddress: address,
      fileOffset: address,
    }]),
  );
  const calls = [socketPair(), socketPair()];
  const [requestsHere, requestsThere] = socketPair();

  frontEnd.setOwner();
  const offered = frontEnd.getFeatures();
  assert(offered & VHOST_USER_F_PROTOCOL_FEATURES);
  const protocol = frontEnd.getProtocolFeatures() &
    (PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_BACKEND_REQ | PROTOCOL_CONFIG);
  frontEnd.setProtocolFeatures(protocol);
  frontEnd.acknowledged = true;
  frontEnd.tell(REQUEST.SET_BACKEND_REQ_FD, [], [requestsThere]);
  assertEquals(frontEnd.askNumber(REQUEST.GET_QUEUE_NUM), 2n);

  for (let bound = 0; bound < 3; bound++) {
    frontEnd.setFeatures(DRIVER_FEATURES | VHOST_USER_F_PROTOCOL_FEATURES);
    for (const size of [2, 8]) assertStrictEquals(frontEnd.getConfig(0, size)?.length, size);
    frontEnd.setMemoryTable(machine.ram);
    const queues = machine.bind(256);
    for (const queue of queues) {
      frontEnd.setVringCall(queue.index, calls[queue.index][1]);
      frontEnd.setVringSize(queue.index, 256);
      frontEnd.setVringBase(queue.index, 0);
      frontEnd.setVringAddresses(queue.index, queue.addresses, 2n ** 64n - 1n);
    }
    for (const queue of queues) {
      frontEnd.setVringKick(queue.index, queue.kickFd);
      frontEnd.setVringEnable(queue.index, true);
    }
    const [queue] = queues;
    queue.enableCalls();
    const request = machine.ram.allocate(16);
    machine.ram.write(request, gpioRequest(GPIO.GET_DIRECTION, 2));
    queue.submit([
      { address: request, length: 8 },
      { address: request + 8, length: 2, writable: true },
    ]);
    assert(waitReadable(calls[0][0]), "no call through the socket");
    assertEquals([...machine.ram.read(request + 8, 2)], [0, 0], "a direction is from before");
    queue.takeUsed();
    machine.ram.write(request, gpioRequest(GPIO.SET_DIRECTION, 2, IN));
    queue.offer(queue.place([
      { address: request, length: 8 },
      { address: request + 8, length: 2, writable: true },
    ]));
    queue.kick();
    for (const { index } of queues.toReversed()) frontEnd.setVringEnable(index, false);
    frontEnd.getFeatures();
    while (waitReadable(calls[0][0], 0)) clearEventfd(calls[0][0]);
  }
  for (const fd of [...calls.flat(), requestsHere, requestsThere]) close(fd);
});

gpioTest("QEMU 10 is served from realize to stop, and when the guest binds again", (daemon) => {
  using frontEnd = daemon.connect();
  using machine = new Machine(
    new GuestRam([
      { guestAddress: 0, size: 0x20_0000, fileOffset: 0 },
      { guestAddress: 0x1_0000_0000, size: 0x10_0000, fileOffset: 0xc000_0000 },
    ]),
  );
  frontEnd.getFeatures();
  const protocol = frontEnd.getProtocolFeatures() &
    (PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG | PROTOCOL_BACKEND_REQ | PROTOCOL_STATUS);
  frontEnd.setProtocolFeatures(protocol);
  assertEquals(frontEnd.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
  const [here, there] = socketPair();
  frontEnd.send(REQUEST.SET_BACKEND_REQ_FD, u64(0), [there]);
  frontEnd.setOwner();
  frontEnd.getFeatures();
  machine.bind(64);
  for (const queue of machine.queues) {
    frontEnd.setVringCall(queue.index, queue.callFd);
    frontEnd.setVringError(queue.index, queue.errorFd);
  }
  assertEquals(frontEnd.getConfig(0, 8)?.length, 8);

  for (let bound = 0; bound < 3; bound++) {
    const queues = bound === 0 ? machine.queues : machine.bind(64);
    frontEnd.setFeatures(DRIVER_FEATURES | VHOST_USER_F_PROTOCOL_FEATURES);
    frontEnd.askNumber(REQUEST.GET_STATUS);
    frontEnd.send(REQUEST.SET_STATUS, u64(15));
    frontEnd.acknowledged = true;
    frontEnd.setMemoryTable(machine.ram);
    frontEnd.acknowledged = false;
    for (const queue of queues) {
      frontEnd.setVringSize(queue.index, queue.size);
      frontEnd.setVringBase(queue.index, 0);
      frontEnd.setVringAddresses(queue.index, queue.addresses);
      frontEnd.setVringKick(queue.index, queue.kickFd);
      frontEnd.setVringCall(queue.index, queue.callFd);
      // QEMU kicks by itself.
      queue.kick();
    }
    frontEnd.acknowledged = true;
    for (const { index } of queues) frontEnd.setVringEnable(index, true);
    frontEnd.acknowledged = false;
    for (const queue of queues) frontEnd.setVringCall(queue.index, queue.callFd);
    assertEquals(machine.ask(frontEnd, GPIO.GET_DIRECTION, 4), [0, 0]);
    assertEquals(machine.ask(frontEnd, GPIO.SET_DIRECTION, 4, IN), [0, 0]);
    assertEquals(machine.ask(frontEnd, GPIO.GET_DIRECTION, 4), [0, IN]);

    // A pause of the guest: the same rings go on where they were.
    for (const { index } of queues) frontEnd.setVringEnable(index, false);
    const bases = queues.map(({ index }) => frontEnd.getVringBase(index));
    assertEquals(bases, queues.map((queue) => queue.availableIndex));
    frontEnd.setFeatures(DRIVER_FEATURES | VHOST_USER_F_PROTOCOL_FEATURES);
    frontEnd.setMemoryTable(machine.ram);
    for (const queue of queues) {
      frontEnd.setVringSize(queue.index, queue.size);
      frontEnd.setVringBase(queue.index, bases[queue.index]);
      frontEnd.setVringAddresses(queue.index, queue.addresses);
      frontEnd.setVringKick(queue.index, queue.kickFd);
      frontEnd.setVringCall(queue.index, queue.callFd);
    }
    for (const { index } of queues) frontEnd.setVringEnable(index, true);
    assertEquals(machine.ask(frontEnd, GPIO.GET_DIRECTION, 4), [0, IN], "a pause is no reset");

    for (const { index } of queues) frontEnd.setVringEnable(index, false);
    for (const { index } of queues) frontEnd.getVringBase(index);
    frontEnd.send(REQUEST.SET_STATUS, u64(0));
  }
  close(here);
  close(there);
});

gpioTest("QEMU 7.2 is served although its event queue never starts", (daemon) => {
  using frontEnd = daemon.connect();
  using machine = new Machine();
  frontEnd.getFeatures();
  frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & (PROTOCOL_MQ | PROTOCOL_CONFIG));
  frontEnd.setOwner();
  frontEnd.getConfig(0, 8);
  const [queue, events] = machine.bind(256);
  frontEnd.setFeatures((DRIVER_FEATURES & ~F_IRQ) | VHOST_USER_F_PROTOCOL_FEATURES);
  frontEnd.setMemoryTable(machine.ram);
  frontEnd.setVringSize(0, queue.size);
  frontEnd.setVringBase(0, 0);
  frontEnd.setVringAddresses(0, queue.addresses);
  frontEnd.setVringKick(0, queue.kickFd);
  frontEnd.setVringCall(0, queue.callFd);
  frontEnd.setVringCall(1, events.callFd);
  for (const index of [0, 1]) frontEnd.setVringEnable(index, true);
  assertEquals(machine.ask(frontEnd, GPIO.GET_DIRECTION, 0), [0, 0]);
  // It stops without disabling the rings.
  assertEquals(frontEnd.getVringBase(0), 1);
  assertEquals(frontEnd.getVringBase(1), 0);
});

gpioTest("a restarted daemon goes on where the guest's rings are", (daemon) => {
  using machine = new Machine();
  const [queue] = machine.bind(16);
  const start = (frontEnd: FrontEnd, base: number) => {
    frontEnd.setOwner();
    frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & PROTOCOL_MQ);
    frontEnd.setFeatures(DRIVER_FEATURES | VHOST_USER_F_PROTOCOL_FEATURES);
    frontEnd.setMemoryTable(machine.ram);
    frontEnd.setVringSize(0, queue.size);
    frontEnd.setVringBase(0, base);
    frontEnd.setVringAddresses(0, queue.addresses);
    frontEnd.setVringCall(0, queue.callFd);
    frontEnd.setVringKick(0, queue.kickFd);
    frontEnd.setVringEnable(0, true);
    frontEnd.barrier();
  };
  for (let round = 0; round < 5; round++) {
    using frontEnd = daemon.connect();
    start(frontEnd, queue.usedIndexOfDevice);
    for (let count = 0; count < 7; count++) {
      assertEquals(machine.ask(frontEnd, GPIO.GET_DIRECTION, 0), [0, 0]);
    }
  }
});
