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
/** How often a driver that polls looks at the ring before it looks at the clock. */
const LOOKS = 256;
/** Stands for a length that is of no interest. */
const ANY = -1;

/**
 * A guest of which a request takes next to nothing here, so that the daemon is what is measured.
 *
 * Chains and the entries of the available ring are written once: as the device uses them in order,
 * a request is made by moving the index on. What comes back is checked for its head and length, one
 * by one where there is one request at a time, and otherwise a sample of them.
 */
export class Load implements Disposable {
  readonly #guest: Guest;
  readonly #epoll = new Epoll();
  readonly #asks: readonly Ask[];
  /** How many entries of a ring a request takes. */
  readonly #entries: number;
  /** By place in the rings: the head that is there, and how many bytes it comes back with. */
  readonly #heads: Int32Array;
  readonly #written: Int32Array;
  readonly #mask: number;
  readonly #available: Uint16Array;
  readonly #used: DataView;
  readonly #usedWords: Uint16Array;
  readonly #usedEvent: number;
  readonly #availableEvent: number;
  readonly #kick: number;
  #next = 0;
  #taken = 0;

  /** @param depth how many requests can be under way at a time, a power of two */
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
    this.#mask = size - 1;
    this.#kick = queue.kickFd;
    this.#available = ram.words(queue.availableAt, 3 + size);
    this.#used = ram.view(queue.usedAt, 6 + 8 * size);
    this.#usedWords = ram.words(queue.usedAt, 3 + 4 * size);
    this.#usedEvent = 2 + size;
    this.#availableEvent = 2 + 4 * size;
    this.#asks = Array.from({ length: depth }, () => workload.place(guest, queue));
    this.#entries = this.#asks[0].heads.length;
    this.#next = this.#taken = queue.availableIndex;
    this.#heads = new Int32Array(size);
    this.#written = new Int32Array(size);
    this.#fillRing();
    this.#epoll.add(queue.callFd, EPOLLIN | EPOLLET, 0);
  }

  #fillRing(): void {
    const size = this.#mask + 1;
    const cycle = this.#asks.flatMap(({ heads, written }) =>
      heads.map((head, index) => ({ head, written: index < heads.length - 1 ? ANY : written }))
    );
    if (size % cycle.length !== 0) throw new RangeError(`${cycle.length} entries do not go round`);
    for (let index = 0; index < size; index++) {
      const place = (this.#next + index) & this.#mask;
      const { head, written } = cycle[index % cycle.length];
      this.#available[2 + place] = this.#heads[place] = head;
      this.#written[place] = written;
    }
  }

  /**
   * One request after the other; the time of each goes to `samples`, in microseconds.
   *
   * @param polls the driver looks at the ring again and again, rather than sleep until it is called
   */
  roundTrips(samples: Float64Array, polls = false): void {
    if (polls) this.#wantNoCall();
    for (let index = 0; index < samples.length; index++) {
      if (!polls) this.#wantCall(this.#entries - 1);
      const begin = performance.now();
      this.#offer(1);
      if (polls) this.#spin();
      else this.#sleep();
      this.#takeOne();
      samples[index] = (performance.now() - begin) * 1000;
    }
  }

  /**
   * `count` requests, each to a daemon that has come to rest, so that all cost the same.
   *
   * @param sleeps is asked whether it really has: that it wants a kick does not tell
   */
  oneByOne(count: number, sleeps: () => boolean = () => true): void {
    for (let index = 0; index < count; index++) {
      this.#untilAtRest(sleeps);
      this.#wantCall(this.#entries - 1);
      this.#offer(1);
      this.#sleep();
      this.#takeOne();
    }
  }

  /**
   * Keeps `depth` requests under way until `count` are answered.
   *
   * @param polls as for {@linkcode roundTrips}
   * @returns how many requests were answered per second
   */
  throughput(count: number, depth = this.#asks.length, polls = false): number {
    const entries = this.#entries;
    const begin = performance.now();
    if (polls) this.#wantNoCall();
    let unsent = count;
    let underWay = 0;
    for (;;) {
      // The device may have used part of what a request is made of.
      const more = Math.min(unsent, Math.trunc((depth * entries - underWay) / entries));
      if (more > 0) {
        unsent -= more;
        underWay += more * entries;
        this.#offer(more);
      }
      if (underWay === 0) break;
      if (polls) this.#spin();
      else if (!this.#hasUsed()) {
        this.#wantCall(0);
        if (!this.#hasUsed()) this.#sleep();
      }
      underWay -= this.#takeAll();
    }
    const rate = count / ((performance.now() - begin) / 1000);
    const rest = Math.min(count * entries, this.#mask + 1);
    for (let index = 1; index <= rest; index++) this.#check(this.#taken - index);
    return rate;
  }

  /** Makes the answers to all requests wrong, so that {@linkcode areRight} tells of new ones. */
  spoil(): void {
    for (const ask of this.#asks) ask.spoil();
  }

  /** True if each request has the right answer. */
  areRight(): boolean {
    return this.#asks.every((ask) => ask.isRight());
  }

  /** Forgets earlier answers, has each request made once more, and tells whether all are right. */
  checkAnswers(): boolean {
    this.spoil();
    this.throughput(this.#asks.length);
    return this.areRight();
  }

  /** Makes so many requests available, and kicks where the device wants that. */
  #offer(count: number): void {
    const entries = count * this.#entries;
    this.#next = (this.#next + entries) & 0xffff;
    Atomics.store(this.#available, 1, this.#next);
    const event = Atomics.load(this.#usedWords, this.#availableEvent);
    if (((this.#next - event - 1) & 0xffff) < entries) signalEventfd(this.#kick);
  }

  #hasUsed(): boolean {
    return Atomics.load(this.#usedWords, 1) !== this.#taken;
  }

  /** Takes the entries of one request, as they come. */
  #takeOne(): void {
    for (let left = this.#entries; left > 0; left--) {
      this.#spin();
      this.#check(this.#taken);
      this.#taken = (this.#taken + 1) & 0xffff;
    }
  }

  /** Takes all entries that there are, and checks the newest. @returns how many */
  #takeAll(): number {
    const used = Atomics.load(this.#usedWords, 1);
    const count = (used - this.#taken) & 0xffff;
    if (count > 0) this.#check(used - 1);
    this.#taken = used;
    return count;
  }

  /** Looks at an entry of the used ring. */
  #check(index: number): void {
    const place = index & this.#mask;
    const at = 4 + 8 * place;
    const written = this.#written[place];
    if (this.#used.getUint32(at, true) !== this.#heads[place]) {
      throw new Error("a buffer was used out of order");
    }
    if (written !== ANY && this.#used.getUint32(at + 4, true) !== written) {
      throw new Error("an answer of another length");
    }
  }

  /** Asks for a call once the `ahead`-th entry after the next is used. */
  #wantCall(ahead: number): void {
    Atomics.store(this.#available, this.#usedEvent, (this.#taken + ahead) & 0xffff);
  }

  #wantNoCall(): void {
    this.#wantCall(0x8000);
  }

  /** Waits until the daemon has taken everything and asks for a kick. */
  #untilAtRest(sleeps: () => boolean): void {
    const end = performance.now() + LIMIT;
    while (Atomics.load(this.#usedWords, this.#availableEvent) !== this.#next || !sleeps()) {
      if (performance.now() > end) throw new Error("the daemon does not come to rest");
    }
  }

  #spin(): void {
    for (let end = NaN; !this.#hasUsed();) {
      for (let looks = 0; looks < LOOKS; looks++) if (this.#hasUsed()) return;
      const now = performance.now();
      if (now > end) throw new Error("the daemon does not answer");
      if (!(end > 0)) end = now + LIMIT;
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
