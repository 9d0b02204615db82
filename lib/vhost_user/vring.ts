/**
 * One virtqueue of a session: what the front-end has said of it, and the serving of its requests.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLET, EPOLLIN } from "../../ffi/epoll.ts";
import { EAGAIN, errno, errnoText } from "../../ffi/errno.ts";
import { clearEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { close, isEventfd, setNonBlocking } from "../../ffi/fd.ts";
import { DescriptorChain } from "../virtio/descriptor_chain.ts";
import { type EventHandler, HELD, type VirtioDevice } from "../virtio/device.ts";
import type { GuestMemory } from "../virtio/guest_memory.ts";
import {
  BAD_CHAIN,
  BROKEN,
  CHAIN,
  EMPTY,
  type RingAddresses,
  SplitQueue,
} from "../virtio/split_queue.ts";
import type { Scheduler } from "./scheduler.ts";

/** How many requests are served before other descriptors get their turn. */
const BURST = 256;

/** A virtqueue as the front-end configures, starts and stops it. */
export class Vring implements EventHandler {
  readonly index: number;
  /** The number of descriptors, 0 until the front-end has said so. */
  size = 0;
  /** Where the next start begins. */
  base = 0;
  addresses: RingAddresses | undefined;
  /** A disabled ring keeps its requests waiting. */
  enabled = false;
  /** How many requests have been served. */
  requests = 0;

  readonly #device: VirtioDevice;
  readonly #memory: GuestMemory;
  readonly #scheduler: Scheduler;
  readonly #log: Logger;
  #queue: SplitQueue | undefined;
  #features = 0n;
  #started = false;
  #kick = -1;
  #kickIsEventfd = false;
  #call = -1;
  #error = -1;
  #serving = false;
  /** The driver may believe that it need not kick: somebody has to look at the ring. */
  #kicksOff = false;
  /** The driver was owed a call when there was no descriptor for one. */
  #callOwed = false;
  #badChains = 0;
  /** All that were made, in use or not. */
  readonly #chains: DescriptorChain[] = [];
  #spare: DescriptorChain[] = [];

  constructor(
    index: number,
    device: VirtioDevice,
    memory: GuestMemory,
    scheduler: Scheduler,
    log: Logger,
  ) {
    this.index = index;
    this.#device = device;
    this.#memory = memory;
    this.#scheduler = scheduler;
    this.#log = log;
  }

  /** True between the front-end's kick descriptor and `GET_VRING_BASE`. */
  get started(): boolean {
    return this.#started;
  }

  /**
   * Starts the ring, or goes on with a new kick descriptor.
   *
   * @param kick becomes the ring's; -1 stands for none: the ring is then polled
   * @returns a sentence that says what is missing, or `undefined`
   */
  start(kick: number, features: bigint): string | undefined {
    this.#dropKick();
    this.#kick = kick;
    this.#features = features;
    if (!this.#started) {
      this.#started = true;
      const problem = this.size === 0 ? "its size is not known" : this.remap();
      if (problem !== undefined) {
        this.#close();
        return problem;
      }
    }
    if (kick < 0) {
      this.#scheduler.attach(this, false);
    } else {
      this.#kickIsEventfd = isEventfd(kick);
      // The counter of an eventfd need not be read: every write is an edge of its own.
      if (!this.#kickIsEventfd) setNonBlocking(kick);
      try {
        this.#scheduler.watch(kick, this.#kickIsEventfd ? EPOLLIN | EPOLLET : EPOLLIN, this);
        this.#scheduler.attach(this, true);
      } catch (error) {
        this.#close();
        return `its kick descriptor cannot be watched: ${(error as Error).message}`;
      }
    }
    this.look();
    return undefined;
  }

  /**
   * Looks the ring up again in guest memory, after a change of addresses or of the memory table.
   *
   * @returns a sentence that says why it is not there, or `undefined`
   */
  remap(): string | undefined {
    if (!this.#started) return undefined;
    this.#closeQueue();
    if (this.addresses === undefined) return "its addresses are not known";
    const { size, addresses, base } = this;
    const queue = SplitQueue.open(this.#memory, size, addresses, base, this.#features);
    if (typeof queue === "string") return queue;
    this.#queue = queue;
    // What the ring says of kicks is from earlier times.
    this.#kicksOff = true;
    return undefined;
  }

  /** Gives up the ring's memory, which is about to go away; {@linkcode remap} finds it again. */
  unmap(): void {
    this.#closeQueue();
  }

  /**
   * Stops the ring; afterwards nothing touches it. Chains that the device holds are returned to the
   * driver first, so that none is lost when the ring is started again where it stopped.
   *
   * @returns the index of the next available entry
   */
  stop(): number {
    if (this.#started) {
      this.#device.queueStopping(this.index);
      this.#close();
    }
    return this.base;
  }

  /** Stops the ring at once: its memory may have another use by now, or be gone. */
  abandon(): void {
    if (!this.#started) return;
    this.#closeQueue();
    // The driver may have given the buffers of chains that the device holds to somebody else.
    for (const chain of this.#chains) chain.forget();
    this.#device.queueStopping(this.index);
    this.#close();
  }

  #newChain(): DescriptorChain {
    const chain = new DescriptorChain(this.#memory);
    this.#chains.push(chain);
    return chain;
  }

  #close(): void {
    this.#started = false;
    this.#dropKick();
    this.#closeQueue();
  }

  /** Puts the ring back to where it was before the front-end spoke of it. */
  reset(): void {
    this.abandon();
    this.size = 0;
    this.base = 0;
    this.addresses = undefined;
    this.enabled = false;
    this.#badChains = 0;
    this.requests = 0;
    this.#callOwed = false;
    close(this.#call);
    close(this.#error);
    this.#call = this.#error = -1;
  }

  /** Replaces the call descriptor; -1 for none. */
  setCall(fd: number): void {
    close(this.#call);
    this.#call = fd;
    if (fd < 0) return;
    // A full socket or counter must not block the daemon.
    setNonBlocking(fd);
    if (this.#callOwed) this.#signalCall();
  }

  /** Replaces the error descriptor; -1 for none. */
  setError(fd: number): void {
    close(this.#error);
    this.#error = fd;
    if (fd >= 0) setNonBlocking(fd);
  }

  /** Enables or disables the ring; what waits in an enabled ring is served at once. */
  setEnabled(enabled: boolean): void {
    this.enabled = enabled;
    if (enabled) this.look();
  }

  /** The kick descriptor is ready. */
  onEvents(_events: number): void {
    if (!this.#kickIsEventfd) {
      const count = clearEventfd(this.#kick);
      // The other end has gone; the connection will tell.
      if (count === 0 || (count < 0 && errno() !== EAGAIN)) this.#dropKick();
    }
    this.serve();
  }

  /** Has the ring served in this round of the event loop, for there may have been no kick. */
  look(): void {
    this.#scheduler.defer(this);
  }

  /** True if requests wait and may be served. */
  hasWork(): boolean {
    const queue = this.#queue;
    return this.enabled && queue !== undefined && (this.#kicksOff || queue.hasAvailable());
  }

  /** Serves what is available and notifies the driver. */
  serve(): void {
    if (this.#drain(BURST)) this.look();
    this.#notify();
  }

  /** Serves everything that is available now, for a device that needs it before it goes on. */
  drain(): void {
    if (this.#serving) return;
    if (this.#drain(this.size)) this.look();
    this.#notify();
  }

  /** Returns a chain that the device held. */
  complete(chain: DescriptorChain, written: number): void {
    this.#spare.push(chain);
    const queue = this.#queue;
    if (queue === undefined) return;
    queue.push(chain.head, written);
    if (!this.#serving) this.#notify();
  }

  /** @returns true if there may be more than `limit` allowed for */
  #drain(limit: number): boolean {
    const queue = this.#queue;
    if (!this.enabled || queue === undefined) return false;
    this.#serving = true;
    try {
      this.#kicksOff = true;
      queue.disableKicks();
      for (let count = 0; count < limit; count++) {
        const chain = this.#spare.pop() ?? this.#newChain();
        const found = queue.pop(chain);
        if (found === CHAIN) {
          this.requests++;
          const written = this.#device.process(this.index, chain);
          if (written === HELD) continue;
          queue.push(chain.head, written);
          this.#spare.push(chain);
          continue;
        }
        this.#spare.push(chain);
        if (found === EMPTY) {
          // The driver's wake-up takes long; what remains to be done here fits into it.
          this.#notify();
          if (!queue.enableKicks()) {
            this.#kicksOff = false;
            return false;
          }
          queue.disableKicks();
        } else if (found === BAD_CHAIN) {
          this.#refuse(queue, chain);
        } else if (found === BROKEN) {
          this.#break();
          return false;
        }
      }
      return true;
    } finally {
      this.base = queue.lastAvailable;
      this.#serving = false;
    }
  }

  #refuse(queue: SplitQueue, chain: DescriptorChain): void {
    queue.push(chain.head, 0);
    if (this.#badChains++ > 0) return;
    this.#log.warn(
      `queue ${this.index}: the driver sent a malformed descriptor chain; ` +
        "it is returned unused, as will be others of its kind",
    );
  }

  #break(): void {
    this.#log.error(
      `queue ${this.index}: the driver has broken the ring (impossible index); ` +
        "it is not served until the driver starts it anew",
    );
    this.#closeQueue();
    if (this.#error >= 0) signalEventfd(this.#error);
  }

  #notify(): void {
    if (this.#queue === undefined || !this.#queue.needsCall()) return;
    if (this.#call < 0) this.#callOwed = true;
    else this.#signalCall();
  }

  #signalCall(): void {
    this.#callOwed = false;
    if (signalEventfd(this.#call) === 8) return;
    const number = errno();
    // A full counter or socket already tells the driver; a broken one means the guest is gone.
    if (number === EAGAIN) return;
    this.#log.debug(`queue ${this.index}: the call was not delivered: ${errnoText(number)}`);
  }

  #closeQueue(): void {
    if (this.#queue === undefined) return;
    this.base = this.#queue.lastAvailable;
    this.#queue.close();
    this.#queue = undefined;
  }

  #dropKick(): void {
    this.#scheduler.detach(this);
    if (this.#kick < 0) return;
    this.#scheduler.unwatch(this.#kick);
    this.#closeKick();
  }

  #closeKick(): void {
    close(this.#kick);
    this.#kick = -1;
  }
}
