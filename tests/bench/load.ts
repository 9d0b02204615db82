/**
 * A driver that does nothing but ask one GPIO line for its value, as fast as it can.
 *
 * @module
 */

import { Epoll, EPOLLET, EPOLLIN } from "../../ffi/epoll.ts";
import { signalEventfd } from "../../ffi/eventfd.ts";
import type { FrontEnd } from "../support/front_end.ts";
import { GPIO, GpioGuest, gpioRequest, OUT } from "../support/gpio_driver.ts";

const QUEUE_SIZE = 256;
/** Chains of two descriptors: as many as the ring has room for. */
const DEPTH = QUEUE_SIZE / 2;
/** A daemon that does not answer for so long has failed, in milliseconds. */
const LIMIT = 5000;

/** A guest of which every request allocates nothing here, so that the daemon is what is measured. */
export class Load implements Disposable {
  readonly #guest: GpioGuest;
  readonly #epoll = new Epoll();
  readonly #heads: number[];
  readonly #responses: number[];
  readonly #available: Uint16Array;
  readonly #used: DataView;
  readonly #usedWords: Uint16Array;
  readonly #kick: number;
  #next = 0;
  #taken = 0;

  constructor(frontEnd: FrontEnd) {
    const guest = new GpioGuest(frontEnd, { size: QUEUE_SIZE, eventIndex: true });
    const { ram, queues: [queue] } = guest;
    this.#guest = guest;
    guest.get(GPIO.SET_VALUE, 1, 1);
    guest.get(GPIO.SET_DIRECTION, 1, OUT);
    guest.get(GPIO.GET_VALUE, 1);
    this.#kick = queue.kickFd;
    this.#available = ram.words(queue.availableAt, 3 + QUEUE_SIZE);
    this.#used = ram.view(queue.usedAt, 6 + 8 * QUEUE_SIZE);
    this.#usedWords = ram.words(queue.usedAt, 3 + 4 * QUEUE_SIZE);
    this.#responses = Array.from({ length: DEPTH }, () => ram.allocate(2));
    this.#heads = this.#responses.map((response) => {
      const request = ram.allocate(8);
      ram.write(request, gpioRequest(GPIO.GET_VALUE, 1));
      return queue.place([
        { address: request, length: 8 },
        { address: response, length: 2, writable: true },
      ]);
    });
    this.#next = queue.availableIndex;
    this.#taken = queue.usedIndex;
    this.#epoll.add(queue.callFd, EPOLLIN | EPOLLET, 0);
  }

  /** One request after the other; the time of each goes to `samples`, in microseconds. */
  roundTrips(samples: Float64Array): void {
    const [head] = this.#heads;
    for (let index = 0; index < samples.length; index++) {
      this.#wantCall();
      const begin = performance.now();
      this.#offer(head);
      this.#publish(1);
      this.#sleep();
      this.#take();
      samples[index] = (performance.now() - begin) * 1000;
    }
  }

  /**
   * Keeps the queue full until `count` requests are answered.
   *
   * @returns how many requests were answered per second
   */
  throughput(count: number): number {
    const begin = performance.now();
    for (const head of this.#heads) this.#offer(head);
    this.#publish(DEPTH);
    let sent = DEPTH;
    for (let done = 0; done < count;) {
      let added = 0;
      while (this.#hasUsed()) {
        const head = this.#take();
        done++;
        if (sent >= count) continue;
        this.#offer(head);
        sent++;
        added++;
      }
      if (added > 0) this.#publish(added);
      if (this.#hasUsed() || done >= count) continue;
      this.#wantCall();
      if (!this.#hasUsed()) this.#sleep();
    }
    return count / ((performance.now() - begin) / 1000);
  }

  /**
   * Forgets earlier responses, has each buffer used once more, and tells whether each says that the
   * line has the value that was set.
   */
  checkAnswers(): boolean {
    const { ram } = this.#guest;
    for (const response of this.#responses) ram.write(response, [0xee, 0xee]);
    this.throughput(DEPTH);
    return this.#responses.every((response) => {
      const [status, value] = ram.read(response, 2);
      return status === 0 && value === 1;
    });
  }

  #offer(head: number): void {
    this.#available[2 + (this.#next & (QUEUE_SIZE - 1))] = head;
    this.#next = (this.#next + 1) & 0xffff;
  }

  #publish(count: number): void {
    Atomics.store(this.#available, 1, this.#next);
    const event = Atomics.load(this.#usedWords, 2 + 4 * QUEUE_SIZE);
    if (((this.#next - event - 1) & 0xffff) < count) signalEventfd(this.#kick);
  }

  #hasUsed(): boolean {
    return Atomics.load(this.#usedWords, 1) !== this.#taken;
  }

  #take(): number {
    const at = 4 + 8 * (this.#taken & (QUEUE_SIZE - 1));
    this.#taken = (this.#taken + 1) & 0xffff;
    if (this.#used.getUint32(at + 4, true) !== 2) throw new Error("a response of another length");
    return this.#used.getUint32(at, true);
  }

  #wantCall(): void {
    Atomics.store(this.#available, 2 + QUEUE_SIZE, this.#taken);
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
