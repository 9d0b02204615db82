/**
 * A driver that does nothing but ask the same again and again, as fast as it can.
 *
 * @module
 */

import { Epoll, EPOLLET, EPOLLIN } from "../../ffi/epoll.ts";
import { signalEventfd } from "../../ffi/eventfd.ts";
import type { FrontEnd } from "../support/front_end.ts";
import type { Guest, GuestOptions } from "../support/guest.ts";
import type { Ask, Workload } from "./workload.ts";

/** The smallest queue; the peers take none of more than 256. */
const QUEUE_SIZE = 256;
/** A daemon that does not answer for so long has failed, in milliseconds. */
const LIMIT = 5000;

/** A guest of which every request allocates nothing here, so that the daemon is what is measured. */
export class Load implements Disposable {
  readonly #guest: Guest;
  readonly #epoll = new Epoll();
  readonly #asks: readonly Ask[];
  /** By head: which of the requests it ends, or -1. */
  readonly #last: Int32Array;
  readonly #size: number;
  readonly #available: Uint16Array;
  readonly #used: DataView;
  readonly #usedWords: Uint16Array;
  readonly #kick: number;
  #next = 0;
  #taken = 0;

  /** @param depth how many requests can be under way at a time */
  constructor(
    readonly frontEnd: FrontEnd,
    workload: Workload,
    depth = 64,
    options: GuestOptions = {},
  ) {
    const needed = 2 ** Math.ceil(Math.log2(depth * workload.descriptors));
    const size = options.size ?? Math.max(QUEUE_SIZE, needed);
    const guest = workload.connect(frontEnd, { ...options, size });
    const { ram, queues: [queue] } = guest;
    this.#guest = guest;
    this.#size = size;
    this.#kick = queue.kickFd;
    this.#available = ram.words(queue.availableAt, 3 + size);
    this.#used = ram.view(queue.usedAt, 6 + 8 * size);
    this.#usedWords = ram.words(queue.usedAt, 3 + 4 * size);
    this.#asks = Array.from({ length: depth }, () => workload.place(guest, queue));
    this.#last = new Int32Array(size).fill(-1);
    this.#asks.forEach(({ heads }, index) => this.#last[heads[heads.length - 1]] = index);
    this.#next = queue.availableIndex;
    this.#taken = queue.usedIndex;
    this.#epoll.add(queue.callFd, EPOLLIN | EPOLLET, 0);
  }

  /**
   * One request after the other; the time of each goes to `samples`, in microseconds.
   *
   * @param polls the driver looks at the ring again and again, rather than sleep until it is called
   */
  roundTrips(samples: Float64Array, polls = false): void {
    const [ask] = this.#asks;
    if (polls) this.#wantNoCall();
    for (let index = 0; index < samples.length; index++) {
      if (!polls) this.#wantCall(ask.heads.length - 1);
      const begin = performance.now();
      this.#offer(ask);
      this.#publish(ask.heads.length);
      if (polls) this.#spin();
      else this.#sleep();
      while (this.#take() < 0) this.#spin();
      samples[index] = (performance.now() - begin) * 1000;
    }
  }

  /**
   * `count` requests, each to a daemon that has come to rest, so that all cost the same.
   *
   * @param sleeps is asked whether it really has: that it wants a kick does not tell
   */
  oneByOne(count: number, sleeps: () => boolean = () => true): void {
    const [ask] = this.#asks;
    for (let index = 0; index < count; index++) {
      this.#untilAtRest(sleeps);
      this.#wantCall(ask.heads.length - 1);
      this.#offer(ask);
      this.#publish(ask.heads.length);
      this.#sleep();
      while (this.#take() < 0) this.#spin();
    }
  }

  /**
   * Keeps `depth` requests under way until `count` are answered.
   *
   * @returns how many requests were answered per second
   */
  throughput(count: number, depth = this.#asks.length): number {
    const begin = performance.now();
    let offered = 0;
    for (let index = 0; index < depth; index++) offered += this.#offer(this.#asks[index]);
    this.#publish(offered);
    let sent = depth;
    for (let done = 0; done < count;) {
      let added = 0;
      while (this.#hasUsed()) {
        const index = this.#take();
        if (index < 0) continue;
        done++;
        if (sent >= count) continue;
        added += this.#offer(this.#asks[index]);
        sent++;
      }
      if (added > 0) this.#publish(added);
      if (this.#hasUsed() || done >= count) continue;
      this.#wantCall(0);
      if (!this.#hasUsed()) this.#sleep();
    }
    return count / ((performance.now() - begin) / 1000);
  }

  /** Forgets earlier answers, has each request made once more, and tells whether all are right. */
  checkAnswers(): boolean {
    for (const ask of this.#asks) ask.spoil();
    this.throughput(this.#asks.length);
    return this.#asks.every((ask) => ask.isRight());
  }

  #offer({ heads }: Ask): number {
    for (let index = 0; index < heads.length; index++) {
      this.#available[2 + (this.#next & (this.#size - 1))] = heads[index];
      this.#next = (this.#next + 1) & 0xffff;
    }
    return heads.length;
  }

  #publish(count: number): void {
    Atomics.store(this.#available, 1, this.#next);
    const event = Atomics.load(this.#usedWords, 2 + 4 * this.#size);
    if (((this.#next - event - 1) & 0xffff) < count) signalEventfd(this.#kick);
  }

  #hasUsed(): boolean {
    return Atomics.load(this.#usedWords, 1) !== this.#taken;
  }

  /** @returns the request that is answered with that, or -1 */
  #take(): number {
    const at = 4 + 8 * (this.#taken & (this.#size - 1));
    this.#taken = (this.#taken + 1) & 0xffff;
    const index = this.#last[this.#used.getUint32(at, true)];
    if (index >= 0 && this.#used.getUint32(at + 4, true) !== this.#asks[index].written) {
      throw new Error("an answer of another length");
    }
    return index;
  }

  /** Asks for a call once the `ahead`-th entry after the next is used. */
  #wantCall(ahead: number): void {
    Atomics.store(this.#available, 2 + this.#size, (this.#taken + ahead) & 0xffff);
  }

  #wantNoCall(): void {
    this.#wantCall(0x8000);
  }

  /** Waits until the daemon has taken everything and asks for a kick. */
  #untilAtRest(sleeps: () => boolean): void {
    const end = performance.now() + LIMIT;
    while (Atomics.load(this.#usedWords, 2 + 4 * this.#size) !== this.#next || !sleeps()) {
      if (performance.now() > end) throw new Error("the daemon does not come to rest");
    }
  }

  #spin(): void {
    const end = performance.now() + LIMIT;
    while (!this.#hasUsed()) {
      if (performance.now() > end) throw new Error("the daemon does not answer");
    }
  }

  #sleep(): void {
    // A call may be left over from a buffer that was taken without it.
    do {
      if (this.#epoll.wait(LIMIT) === 0) throw new Error("the daemon does not answer");
    } while (!this.#hasUsed());
  }

  [Symbol.dispose](): void {
    this.#epoll.close();
    this.#guest[Symbol.dispose]();
  }
}
