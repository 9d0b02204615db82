/**
 * What a hostile front-end does to a socket, case by case.
 *
 * @module
 */

import { createEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { ConnectionClosed, FrontEnd } from "../support/front_end.ts";
import { gpioRequest } from "../support/gpio_driver.ts";
import { Guest } from "../support/guest.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { abuseRing, Fds, HostileFrontEnd } from "../support/hostile.ts";
import { F_ZERO_LENGTH_REQUEST } from "../support/i2c_driver.ts";
import type { Random } from "../support/random.ts";
import { setFileSize } from "../support/kernel_objects.ts";
import { encodeHead } from "../support/spi_driver.ts";
import { fillCounter, makeBlocking } from "../support/stubborn.ts";
import { pause } from "../support/wait.ts";
import {
  concatenate,
  message,
  PROTOCOL_CONFIG,
  PROTOCOL_CONFIGURE_MEM_SLOTS,
  PROTOCOL_MQ,
  PROTOCOL_REPLY_ACK,
  u32,
} from "../support/wire.ts";
import type { Tried } from "./figures.ts";
import type { Scribbling } from "./scribbler.ts";

const PAGE = 4096;
const RAM = { guestAddress: 0x1_0000, size: 0x4_0000 };

/** What is different from device to device. */
interface Shape {
  readonly queues: number;
  /** Features that its driver has to take. */
  readonly features: bigint;
  /** Requests that the device would answer, and room for the answer. */
  readonly requests: readonly (readonly [request: Uint8Array, room: number])[];
}

function i2cRequest(address: number, flags: number, ...bytes: number[]): Uint8Array {
  return concatenate([address << 1, 0, 0, 0], u32(flags), bytes);
}

/** By type of device. */
const shapes: Readonly<Record<string, Shape>> = {
  gpio: {
    queues: 2,
    features: 0n,
    requests: [1, 2, 3, 4, 5, 6].map((type) => [gpioRequest(type, type, 1), 2] as const),
  },
  i2c: {
    queues: 1,
    features: F_ZERO_LENGTH_REQUEST,
    // With and without FAIL_NEXT, of both chips; the writes and reads of a transaction.
    requests: [0x48, 0x50].flatMap((address) =>
      [0, 1].flatMap((next) =>
        [[i2cRequest(address, next, 1, 2, 3), 1], [i2cRequest(address, next | 2), 5]] as const
      )
    ),
  },
  spi: {
    queues: 1,
    features: 0n,
    requests: [0, 1].flatMap((csChange) =>
      [0, 16, 300].map((length) =>
        [concatenate(encodeHead({ csChange }), new Uint8Array(length)), length + 1] as const
      )
    ),
  },
};

/** The second thread; see `scribbler.ts`. */
export type Scribble = (job: Scribbling) => Promise<number>;

/** A hostile front-end of one socket. */
export class Hostile implements Disposable {
  readonly #fds = new Fds();
  readonly #shape: Shape;
  readonly #cases: readonly (() => void | Promise<void>)[];

  constructor(
    readonly random: Random,
    type: string,
    readonly socket: string,
    readonly scribble: Scribble,
    readonly tried: Tried,
  ) {
    this.#shape = shapes[type];
    this.#cases = [
      () => this.#messages(),
      () => this.#messages(),
      () => this.#fight(),
      () => this.#fight(),
      () => this.#noise(),
      () => this.#churn(),
      () => this.#memory(),
      () => this.#cut(),
      () => this.#stubborn(),
      () => this.#flood(),
      () => this.#loud(),
    ];
  }

  /**
   * One case, and then a look whether the socket serves whoever comes next. Numbers that follow
   * each other make for cases of all kinds.
   */
  async run(number: number): Promise<void> {
    this.#count("cases");
    try {
      await this.#cases[number % this.#cases.length]();
    } catch (error) {
      // The back-end may have had enough of this front-end.
      const { name } = error as Error;
      if (name !== "SystemError" && name !== "ConnectionClosed") throw error;
    }
    using after = this.#connect();
    after.barrier();
  }

  #count(what: string, by = 1): void {
    this.tried[what] = (this.tried[what] ?? 0) + by;
  }

  #connect(): FrontEnd {
    this.#count("connections");
    return FrontEnd.connect(this.socket);
  }

  /** A guest that is well-behaved so far, which the back-end has to bear with. */
  #guest(ram: GuestRam, size = 64): Guest {
    const eventIndex = this.random.oneIn(2);
    const frontEnd = this.#connect();
    try {
      return new Guest(frontEnd, {
        ram,
        size,
        eventIndex,
        queues: this.#shape.queues,
        features: this.#shape.features,
        protocolFeatures: PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG |
          PROTOCOL_CONFIGURE_MEM_SLOTS,
      });
    } catch (error) {
      frontEnd.close();
      throw new Error("a proper guest was refused", { cause: error });
    }
  }

  /** Places proper requests. @returns their heads */
  #place(guest: Guest, queue = guest.queues[0]): number[] {
    return this.#shape.requests.map(([request, room]) => {
      const [at, answer] = [guest.ram.allocate(request.length), guest.ram.allocate(room)];
      guest.ram.write(at, request);
      return queue.place([
        { address: at, length: request.length },
        { address: answer, length: room, writable: true },
      ]);
    });
  }

  /** Messages that are almost right, between rings that are. */
  #messages(): void {
    const { random } = this;
    using ram = new GuestRam([RAM]);
    using guest = this.#guest(ram, random.pick([2, 16, 64]));
    const queues = [guest.queues[0], guest.queues.at(-1)!];
    const hostile = new HostileFrontEnd(random, ram, queues, this.#fds.all);
    for (let count = random.below(80); count > 0; count--) {
      if (random.oneIn(2)) {
        this.#count("messages");
        hostile.send(guest.frontEnd);
      } else {
        this.#count("chains", 2);
        abuseRing(random, ram, random.pick(queues));
      }
      guest.frontEnd.discard();
    }
  }

  /** Proper requests over which another thread writes all the while. */
  async #fight(): Promise<void> {
    const { random } = this;
    using ram = new GuestRam([RAM]);
    using guest = this.#guest(ram, 64);
    const [queue] = guest.queues;
    const heads = this.#place(guest);
    const milliseconds = 5 + random.below(60);
    const start = RAM.guestAddress;
    const used = ram.allocate(1) - start;
    // The ring's index ends it all soon; mostly it is left alone.
    const parts: [number, number][] = random.oneIn(4)
      ? [[0, used]]
      : [[queue.descriptorsAt - start, 16 * queue.size], [queue.availableAt + 4 - start, 128]];
    if (random.oneIn(2)) parts.push([queue.usedAt - start, used - (queue.usedAt - start)]);
    const [{ fd, size }] = ram.regions;
    const scribbled = this.scribble({ fd, size, seed: random.u32(), milliseconds, parts });
    const end = performance.now() + milliseconds;
    while (performance.now() < end) {
      const waiting = (queue.availableIndex - queue.usedIndexOfDevice) & 0xffff;
      if (waiting < 32) {
        queue.offer(...heads);
        this.#count("chains", heads.length);
      }
      signalEventfd(queue.kickFd);
      // The other thread may have only this processor.
      if (random.oneIn(20)) pause(1);
    }
    this.#count("scribbles", await scribbled);
  }

  #noise(): void {
    const { random } = this;
    using frontEnd = this.#connect();
    for (let count = 0; count < 20; count++) {
      this.#count("messages");
      const fds = random.oneIn(4) ? [random.pick(this.#fds.all)] : [];
      frontEnd.sendBytes(random.bytes(1 + random.below(200)), fds);
    }
  }

  /** Comes and goes, with and without a word. */
  #churn(): void {
    const { random } = this;
    for (let count = 0; count < 20; count++) {
      using frontEnd = this.#connect();
      if (random.oneIn(3)) frontEnd.setOwner();
      if (random.oneIn(4)) frontEnd.barrier();
      if (random.oneIn(4)) frontEnd.sendBytes(random.bytes(1 + random.below(11)));
    }
  }

  /** The memory table changes while requests are under way. */
  #memory(): void {
    const { random } = this;
    const others = [0x100_0000, 0x200_0000, 0x300_0000];
    using ram = new GuestRam([
      RAM,
      ...others.map((guestAddress) => ({ guestAddress, size: PAGE * (1 + random.below(8)) })),
    ]);
    using guest = this.#guest(ram);
    const [queue] = guest.queues;
    const heads = this.#place(guest);
    const { frontEnd } = guest;
    for (let count = 0; count < 40; count++) {
      const waiting = (queue.availableIndex - queue.usedIndexOfDevice) & 0xffff;
      if (waiting < 32) queue.offer(...heads);
      this.#count("chains", heads.length);
      signalEventfd(queue.kickFd);
      this.#count("memory tables");
      const region = random.pick(ram.regions);
      if (random.oneIn(3)) frontEnd.setMemoryTable(ram);
      else if (random.oneIn(2)) frontEnd.removeRegion(region);
      else frontEnd.addRegion(region, region.fd);
      frontEnd.discard();
    }
  }

  /** Cuts the file of its memory short, and makes it longer again, while requests are under way. */
  #cut(): void {
    const { random } = this;
    using ram = new GuestRam([{ ...RAM, sealable: false }]);
    using guest = this.#guest(ram);
    const [queue] = guest.queues;
    const heads = this.#place(guest);
    const [region] = ram.regions;
    for (let count = random.below(10); count >= 0; count--) {
      for (let times = random.below(20); times > 0; times--) queue.offer(...heads);
      signalEventfd(queue.kickFd);
      this.#count("cuts");
      const left = random.oneIn(2) ? 0 : PAGE * random.below(region.size / PAGE);
      setFileSize(region.fd, left);
      signalEventfd(queue.kickFd);
      if (random.oneIn(2)) pause(1);
      setFileSize(region.fd, region.size);
    }
  }

  /** Has the back-end write where nobody reads. */
  #stubborn(): void {
    const { random } = this;
    using ram = new GuestRam([RAM]);
    using guest = this.#guest(ram);
    const [queue] = guest.queues;
    const heads = this.#place(guest);
    const call = createEventfd();
    try {
      guest.frontEnd.setVringCall(0, call);
      guest.frontEnd.barrier();
      makeBlocking(call);
      fillCounter(call);
      for (let count = 1 + random.below(3); count > 0; count--) {
        this.#count("chains", heads.length);
        queue.offer(...heads);
        queue.kick();
        pause(random.below(10));
      }
    } finally {
      close(call);
    }
  }

  /** As much as the ring takes, all the time. */
  #flood(): void {
    using ram = new GuestRam([RAM]);
    using guest = this.#guest(ram, 256);
    const [queue] = guest.queues;
    const heads = this.#place(guest);
    queue.disableCalls();
    const end = performance.now() + 5 + this.random.below(100);
    while (performance.now() < end) {
      const waiting = (queue.availableIndex - queue.usedIndexOfDevice) & 0xffff;
      for (let room = 256 - waiting; room > heads.length; room -= heads.length) {
        queue.offer(...heads);
        this.#count("chains", heads.length);
      }
      queue.kick();
      if (guest.frontEnd.isClosed(0)) throw new ConnectionClosed("closed");
    }
  }

  /** Nothing but requests that nobody knows: the log tells of them, and the connection stays. */
  #loud(): void {
    const { random } = this;
    using frontEnd = this.#connect();
    const end = performance.now() + 200;
    while (performance.now() < end) {
      const messages = Array.from({ length: 100 }, () => message(1000 + random.below(1_000_000)));
      this.#count("messages", messages.length);
      frontEnd.sendBytes(concatenate(...messages));
      frontEnd.discard();
    }
  }

  [Symbol.dispose](): void {
    this.#fds[Symbol.dispose]();
  }
}
