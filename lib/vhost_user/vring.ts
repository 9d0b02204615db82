/**
 * One virtqueue of a session: what the front-end has said of it, and the serving of its requests.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { errnoText } from "../../ffi/errno.ts";
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
import { DELIVERED, OWED, VringDescriptors } from "./vring_descriptors.ts";

/** How many requests are served before other descriptors get their turn. */
const BURST = 256;

/**
 * A virtqueue as the front-end configures, starts and stops it.
 *
 * It is stopped or started, and, independently of that, enabled or disabled. While it is started,
 * its memory can be missing: the memory table is without it, or the driver has broken it.
 */
export class Vring implements EventHandler {
  readonly index: number;

  readonly #device: VirtioDevice;
  readonly #memory: GuestMemory;
  readonly #scheduler: Scheduler;
  readonly #log: Logger;
  readonly #descriptors: VringDescriptors;
  // As the front-end has said
  #size = 0;
  #base = 0;
  #addresses: RingAddresses | undefined;
  #enabled = false;
  #started = false;
  #features = 0n;
  // At work
  #queue: SplitQueue | undefined;
  #serving = false;
  /** The driver may believe that it need not kick: somebody has to look at the ring. */
  #kicksOff = false;
  #requests = 0;
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
    this.#descriptors = new VringDescriptors(scheduler, this);
  }

  /** True between the front-end's kick descriptor and `GET_VRING_BASE`. */
  get started(): boolean {
    return this.#started;
  }

  /** A disabled ring keeps its requests waiting. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** The number of descriptors, 0 until the front-end has said so. */
  get size(): number {
    return this.#size;
  }

  /** How many requests have been served. */
  get requests(): number {
    return this.#requests;
  }

  // What the front-end says of it

  /** Sets the number of descriptors, for which the ring stops. */
  setSize(size: number): void {
    this.discard();
    this.#size = size;
  }

  /** Sets where the next start begins, for which the ring stops. */
  setBase(base: number): void {
    this.discard();
    this.#base = base;
  }

  /** Sets where the ring is. @returns as {@linkcode remap} */
  setAddresses(addresses: RingAddresses): string | undefined {
    this.#addresses = addresses;
    return this.remap();
  }

  /** Replaces the call descriptor; -1 for none. */
  setCall(fd: number): void {
    this.#report(this.#descriptors.setCall(fd));
  }

  /** Replaces the error descriptor; -1 for none. */
  setError(fd: number): void {
    this.#descriptors.setError(fd);
  }

  /** Enables or disables the ring; what waits in an enabled ring is served at once. */
  setEnabled(enabled: boolean): void {
    this.#enabled = enabled;
    if (enabled) this.look();
  }

  /**
   * Starts the ring, or goes on with a new kick descriptor.
   *
   * @param kick becomes the ring's; -1 stands for none: the ring is then polled
   * @returns a sentence that says what is missing, or `undefined`
   */
  start(kick: number, features: bigint): string | undefined {
    this.#features = features;
    const starts = !this.#started;
    this.#started = true;
    try {
      this.#descriptors.setKick(kick);
    } catch (error) {
      this.#halt();
      return `its kick descriptor cannot be watched: ${(error as Error).message}`;
    }
    if (starts) {
      const problem = this.#size === 0 ? "its size is not known" : this.remap();
      if (problem !== undefined) {
        this.#halt();
        return problem;
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
    if (this.#addresses === undefined) return "its addresses are not known";
    const queue = SplitQueue.open(
      this.#memory,
      this.#size,
      this.#addresses,
      this.#base,
      this.#features,
    );
    if (typeof queue === "string") return queue;
    this.#queue = queue;
    // What the ring says of kicks is from earlier times.
    this.#kicksOff = true;
    return undefined;
  }

  // How it ends

  /**
   * Stops the ring; afterwards nothing touches it. Chains that the device holds are returned to the
   * driver first, so that none is lost when the ring is started again where it stopped.
   *
   * @returns the index of the next available entry
   */
  stop(): number {
    if (this.#started) {
      this.#device.queueStopping(this.index);
      this.#halt();
    }
    return this.#base;
  }

  /**
   * Stops the ring without another access to it: its memory may have another use by now, or be
   * gone. What the front-end has said of it stays.
   */
  discard(): void {
    if (!this.#started) return;
    this.#closeQueue();
    // The driver may have given the buffers of chains that the device holds to somebody else.
    for (const chain of this.#chains) chain.forget();
    this.#device.queueStopping(this.index);
    this.#halt();
  }

  /** Puts the ring back to where it was before the front-end spoke of it. */
  reset(): void {
    this.discard();
    this.#descriptors.close();
    this.#size = 0;
    this.#base = 0;
    this.#addresses = undefined;
    this.#enabled = false;
    this.#requests = 0;
    this.#badChains = 0;
  }

  #halt(): void {
    this.#started = false;
    this.#descriptors.dropKick();
    this.#closeQueue();
  }

  #closeQueue(): void {
    if (this.#queue === undefined) return;
    this.#base = this.#queue.lastAvailable;
    this.#queue.close();
    this.#queue = undefined;
  }

  // At work

  /** The kick descriptor is ready. */
  onEvents(_events: number): void {
    this.#descriptors.takeKick();
    this.serve();
  }

  /** Has the ring served in this round of the event loop, for there may have been no kick. */
  look(): void {
    this.#scheduler.defer(this);
  }

  /** True if requests wait and may be served. */
  hasWork(): boolean {
    const queue = this.#queue;
    return this.#enabled && queue !== undefined && (this.#kicksOff || queue.hasAvailable());
  }

  /** Serves what is available and notifies the driver. */
  serve(): void {
    if (this.#drain(BURST)) this.look();
    this.#notify();
  }

  /** Serves everything that is available now, for a device that needs it before it goes on. */
  drain(): void {
    if (this.#serving) return;
    if (this.#drain(this.#size)) this.look();
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
    if (!this.#enabled || queue === undefined) return false;
    this.#serving = true;
    try {
      this.#kicksOff = true;
      queue.disableKicks();
      for (let count = 0; count < limit; count++) {
        const chain = this.#spare.pop() ?? this.#newChain();
        const found = queue.pop(chain);
        if (found === CHAIN) {
          this.#requests++;
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
      this.#base = queue.lastAvailable;
      this.#serving = false;
    }
  }

  #newChain(): DescriptorChain {
    const chain = new DescriptorChain(this.#memory);
    this.#chains.push(chain);
    return chain;
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
    this.#descriptors.reportError();
  }

  #notify(): void {
    if (this.#queue?.needsCall()) this.#report(this.#descriptors.call());
  }

  /** Logs what became of a call, where that is worth it: the guest may be gone. */
  #report(outcome: number): void {
    if (outcome === DELIVERED || outcome === OWED) return;
    this.#log.debug(`queue ${this.index}: the call was not delivered: ${errnoText(outcome)}`);
  }
}
