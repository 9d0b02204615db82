/**
 * Driver and device on two threads, with a ring that is empty again after every request: who goes to
 * sleep and who wakes whom is decided by the order in which each sees the other's writes.
 *
 * @module
 */

import { F_EVENT_IDX, F_VERSION_1 } from "../../../lib/virtio/features.ts";
import { DriverQueue } from "../../support/driver_queue.ts";
import { GuestRam } from "../../support/guest_ram.ts";
import { processors, stayOn } from "../../support/processors.ts";
import { Random } from "../../support/random.ts";
import { PATIENCE, spin, yieldProcessor } from "../../support/wait.ts";
import { CALLS, KICKS, type RingPlace, STOP } from "./device_thread.ts";

/** Enough for hundreds of encounters at the wrong moment. */
const REQUESTS = 200_000;
/** Where processors are few, fewer have to do; in milliseconds. */
const LIMIT = 3000;

/** A driver that sleeps until it is called, and kicks only where that is wanted. */
class Driver {
  readonly #random = new Random(5);
  #calls = 0;

  constructor(
    readonly queue: DriverQueue,
    readonly words: Int32Array<SharedArrayBuffer>,
    readonly address: number,
    readonly shared: boolean,
  ) {}

  request(): void {
    const { queue, words } = this;
    const before = queue.availableIndex;
    queue.offer(queue.place([{ address: this.address, length: 8 }]));
    if (queue.wantsKick(before)) Atomics.add(words, KICKS, 1);
    spin(this.#random.below(40));
    while (queue.takeUsed() === undefined) {
      queue.enableCalls();
      if (!queue.hasUsed()) this.#sleep();
    }
    queue.disableCalls();
    spin(this.#random.below(40));
  }

  #sleep(): void {
    const { queue, words } = this;
    const deadline = performance.now() + PATIENCE;
    for (let turn = 1; Atomics.load(words, CALLS) === this.#calls; turn++) {
      if (this.shared) yieldProcessor();
      if (turn % 1000 !== 0) continue;
      if (performance.now() < deadline) continue;
      throw new Error(queue.hasUsed() ? "a call was lost" : "a kick was lost");
    }
    this.#calls = Atomics.load(words, CALLS);
  }
}

for (const features of [F_VERSION_1, F_VERSION_1 | F_EVENT_IDX]) {
  const eventIndex = (features & F_EVENT_IDX) !== 0n;
  const how = eventIndex ? "EVENT_IDX" : "flags";
  Deno.test(`R4 with ${how} nobody sleeps through a notification`, async () => {
    const all = processors();
    using _here = stayOn(all[0]);
    const processor = all[all.length - 1];
    const shared = all.length === 1;
    using ram = new GuestRam();
    using queue = new DriverQueue(0, ram, { size: 4, eventIndex });
    const words = new Int32Array(new SharedArrayBuffer(12));
    const device = new Worker(new URL("device_thread.ts", import.meta.url), { type: "module" });
    const place: RingPlace = {
      regions: ram.regions.map(({ guestAddress, size, userAddress, fileOffset }) => ({
        guestAddress,
        size,
        userAddress,
        fileOffset,
      })),
      fds: ram.regions.map(({ fd }) => fd),
      size: queue.size,
      addresses: queue.addresses,
      features,
      words,
      processor,
      shared,
    };
    const ready = new Promise((resolve) => device.onmessage = resolve);
    device.postMessage(place);
    await ready;
    try {
      const driver = new Driver(queue, words, ram.allocate(8), shared);
      const end = performance.now() + LIMIT;
      for (let count = 0; count < REQUESTS && performance.now() < end; count++) driver.request();
    } finally {
      Atomics.store(words, STOP, 1);
    }
  });
}
