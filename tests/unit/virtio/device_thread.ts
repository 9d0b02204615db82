/**
 * A device on a thread of its own that serves one ring, sleeping (in a tight loop) whenever there is
 * nothing to do.
 *
 * @module
 */

import { DescriptorChain } from "../../../lib/virtio/descriptor_chain.ts";
import { GuestMemory } from "../../../lib/virtio/guest_memory.ts";
import type { RegionDescription } from "../../../lib/virtio/memory_region.ts";
import { CHAIN, type RingAddresses, SplitQueue } from "../../../lib/virtio/split_queue.ts";
import { stayOn } from "../../support/processors.ts";
import { Random } from "../../support/random.ts";
import { spin, yieldProcessor } from "../../support/wait.ts";

/** Words of the memory that stands in for the eventfds. */
export const KICKS = 0;
export const CALLS = 1;
export const STOP = 2;

/** Where the ring is. */
export interface RingPlace {
  readonly regions: readonly RegionDescription[];
  readonly fds: readonly number[];
  readonly size: number;
  readonly addresses: RingAddresses;
  readonly features: bigint;
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Where the thread runs. */
  readonly processor: number;
  /** True if the driver has to run there, too. */
  readonly shared: boolean;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<RingPlace>) => void;
  postMessage(message: unknown): void;
  close(): void;
};

function serve(queue: SplitQueue, chain: DescriptorChain, { words, shared }: RingPlace): void {
  let seen = 0;
  const random = new Random(6);
  while (Atomics.load(words, STOP) === 0) {
    const kicks = Atomics.load(words, KICKS);
    if (kicks === seen) {
      if (shared) yieldProcessor();
      continue;
    }
    seen = kicks;
    do {
      queue.disableKicks();
      while (queue.pop(chain) === CHAIN) queue.push(chain.head, 0);
      if (queue.needsCall()) Atomics.add(words, CALLS, 1);
      // So that the driver's next request comes at any moment of what follows.
      spin(random.below(100));
    } while (queue.enableKicks());
  }
}

scope.onmessage = ({ data }) => {
  stayOn(data.processor);
  const memory = new GuestMemory();
  memory.setTable(data.regions, data.fds);
  const queue = SplitQueue.open(memory, data.size, data.addresses, 0, data.features);
  if (typeof queue === "string") throw new Error(queue);
  scope.postMessage("ready");
  serve(queue, new DescriptorChain(memory), data);
  queue.close();
  memory.clear();
  scope.close();
};
