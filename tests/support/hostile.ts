/**
 * A front-end and a guest without manners: messages and rings that are almost right, or not at all.
 *
 * @module
 */

import { createEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { close, O_RDWR, open } from "../../ffi/fd.ts";
import { socketPair } from "./kernel_objects.ts";
import { type DriverQueue, writeDescriptor } from "./driver_queue.ts";
import type { FrontEnd } from "./front_end.ts";
import type { GuestRam } from "./guest_ram.ts";
import type { Random } from "./random.ts";
import { concatenate, memoryTable, message, NO_FD, region, REQUEST, u32, u64 } from "./wire.ts";

const REQUESTS = Object.values(REQUEST);
const ODD_NUMBERS = [
  0,
  1,
  2,
  3,
  4,
  8,
  15,
  16,
  255,
  256,
  0xffff,
  0x1_0000,
  0x7fff_ffff,
  0xffff_ffff,
];
const ODD_ADDRESSES = [
  0n,
  1n,
  4096n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 4096n,
  2n ** 64n - 1n,
];

/** Descriptors of all kinds to send along. */
export class Fds implements Disposable {
  readonly #sockets = socketPair();
  readonly all = [
    createEventfd(),
    createEventfd(3),
    ...this.#sockets,
    open("/dev/null", O_RDWR),
    open("/proc/self/exe", 0),
    open("/", 0),
  ];

  [Symbol.dispose](): void {
    for (const fd of this.all) close(fd);
  }
}

/** Makes up messages for a guest of this memory with these queues. */
export class HostileFrontEnd {
  constructor(
    readonly random: Random,
    readonly ram: GuestRam,
    readonly queues: readonly DriverQueue[],
    readonly fds: readonly number[],
  ) {}

  /** Sends one message, whole or in pieces, perhaps changed. */
  send(frontEnd: FrontEnd): void {
    const { random } = this;
    const request = random.oneIn(12) ? random.u32() : random.pick(REQUESTS);
    const [payload, fds] = this.#payload(request);
    const flags = random.oneIn(40) ? random.u32() : random.oneIn(2) ? 0x9 : 0x1;
    const size = random.oneIn(40) ? random.pick(ODD_NUMBERS) : payload.length;
    const bytes = message(request, payload, flags, size);
    if (random.oneIn(30)) bytes[random.below(bytes.length)] = random.u32();
    if (random.oneIn(30)) fds.push(random.pick(this.fds));
    if (random.oneIn(60)) fds.length = 0;
    let sent = 0;
    while (sent < bytes.length) {
      const length = random.oneIn(10) ? 1 + random.below(bytes.length - sent) : bytes.length;
      frontEnd.sendBytes(bytes.subarray(sent, sent + length), sent === 0 ? fds : []);
      sent += length;
      if (random.oneIn(2)) frontEnd.pump?.();
      if (random.oneIn(100)) return;
    }
  }

  #queue(): number {
    return this.random.oneIn(10) ? this.random.pick(ODD_NUMBERS) : this.random.below(2);
  }

  #number(usual: number): number {
    return this.random.oneIn(4) ? this.random.pick(ODD_NUMBERS) : usual;
  }

  #payload(request: number): [Uint8Array, number[]] {
    const { random, ram } = this;
    const queue = this.#queue();
    switch (request) {
      case REQUEST.SET_FEATURES:
      case REQUEST.SET_PROTOCOL_FEATURES:
        return [u64(BigInt(random.u32()) << BigInt(random.pick([0, 1, 8, 32]))), []];
      case REQUEST.SET_STATUS:
        return [u64(random.u32()), []];
      case REQUEST.SET_MEM_TABLE:
        return this.#table();
      case REQUEST.ADD_MEM_REG:
      case REQUEST.REM_MEM_REG:
        return [
          concatenate(u64(0), region(this.#region(0))),
          request === REQUEST.ADD_MEM_REG ? [ram.regions[0].fd] : [],
        ];
      case REQUEST.SET_VRING_NUM:
        return [u32(queue, this.#number(this.queues[0].size)), []];
      case REQUEST.SET_VRING_BASE:
        return [u32(queue, this.#number(0)), []];
      case REQUEST.SET_VRING_ENABLE:
        return [u32(queue, this.#number(1)), []];
      case REQUEST.GET_VRING_BASE:
        return [u32(queue, 0), []];
      case REQUEST.SET_VRING_ADDR:
        return [this.#addresses(queue), []];
      case REQUEST.SET_VRING_KICK:
      case REQUEST.SET_VRING_CALL:
      case REQUEST.SET_VRING_ERR:
        return this.#vringFd(request, queue);
      case REQUEST.SET_BACKEND_REQ_FD:
        return [u64(0), [random.pick(this.fds)]];
      case REQUEST.GET_CONFIG:
      case REQUEST.SET_CONFIG: {
        const size = this.#number(8);
        return [concatenate(u32(this.#number(0), size, 0), new Uint8Array(size & 0xff)), []];
      }
      default:
        return [random.bytes(random.pick([0, 0, 0, 8, 40, 300])), []];
    }
  }

  #region(index: number) {
    const { random, ram } = this;
    const { guestAddress, size, userAddress, fileOffset } = ram.regions[index];
    const odd = (value: number) => random.oneIn(30) ? random.pick(ODD_ADDRESSES) : value;
    return {
      guestAddress: odd(guestAddress),
      size: odd(size),
      userAddress: odd(userAddress),
      fileOffset: odd(fileOffset),
    };
  }

  #table(): [Uint8Array, number[]] {
    const { random, ram } = this;
    const regions = ram.regions.map((_, index) => this.#region(index));
    const fds = ram.regions.map(({ fd }) => random.oneIn(40) ? random.pick(this.fds) : fd);
    if (random.oneIn(20)) regions.push(this.#region(0));
    if (random.oneIn(20)) fds.pop();
    return [memoryTable(regions, this.#number(regions.length)), fds];
  }

  #addresses(queue: number): Uint8Array {
    const { random } = this;
    const { descriptors, used, available } = this.queues[queue & 1].addresses;
    const odd = (value: number) =>
      random.oneIn(30) ? random.pick(ODD_ADDRESSES) : random.oneIn(30) ? value + 8 : value;
    return concatenate(u32(queue, 0), u64(odd(descriptors), odd(used), odd(available), 0));
  }

  #vringFd(request: number, queue: number): [Uint8Array, number[]] {
    const { random, queues } = this;
    if (random.oneIn(8)) return [u64(queue | NO_FD), []];
    const { kickFd, callFd } = queues[queue & 1];
    const own = request === REQUEST.SET_VRING_KICK ? kickFd : callFd;
    return [u64(queue), [random.oneIn(5) ? random.pick(this.fds) : own]];
  }
}

/** Writes descriptors and indices of all kinds to a queue and kicks. */
export function abuseRing(random: Random, ram: GuestRam, queue: DriverQueue): void {
  const address = () => {
    const { guestAddress, size } = random.pick(ram.regions);
    if (random.oneIn(12)) return random.pick(ODD_ADDRESSES);
    if (random.oneIn(6)) return guestAddress + size - random.below(32);
    return guestAddress + random.below(size);
  };
  const table = ram.regions[0].guestAddress + ram.regions[0].size - 4096;
  const view = ram.view(table, 4096);
  const descriptor = (room: number) => ({
    address: random.oneIn(4) ? table + 16 * random.below(8) : address(),
    length: random.oneIn(8) ? random.u32() : random.pick([0, 1, 2, 8, 16, 32, 48, 5000]),
    flags: random.oneIn(20) ? random.u32() & 0xffff : random.below(8),
    next: random.oneIn(20) ? random.u32() & 0xffff : random.below(room),
  });
  for (let count = random.below(12); count > 0; count--) {
    queue.setDescriptor(random.below(queue.size), descriptor(queue.size));
    writeDescriptor(view, 16 * random.below(16), descriptor(16));
  }
  if (random.oneIn(40)) queue.pretendAvailable(random.u32());
  else queue.offer(...Array.from({ length: random.below(4) }, () => random.below(queue.size)));
  if (random.oneIn(100)) queue.offer(random.u32() & 0xffff);
  signalEventfd(queue.kickFd);
}
