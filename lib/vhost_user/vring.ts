/**
 * One virtqueue of a session: what the front-end has said of it, and the serving of its requests.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EINTR, errnoText } from "../../ffi/errno.ts";
import { close } from "../../ffi/fd.ts";
import { ChainPool } from "../virtio/chain_pool.ts";
import type { DescriptorChain } from "../virtio/descriptor_chain.ts";
import { type EventHandler, HELD, type VirtioDevice } from "../virtio/device.ts";
import type { GuestMemory } from "../virtio/guest_memory.ts";
import {
  BAD_CHAIN,
  BROKEN,
  CHAIN,
  EMPTY,
  LATER,
  type RingAddresses,
  type RingPosition,
  SplitQueue,
} from "../virtio/split_queue.ts";
import { XenQueue } from "../virtio/xen_queue.ts";
import { DELIVERED } from "./foreign_descriptor.ts";
import { beginsAnew, type RingHistory, wasAtWork } from "./driver_start.ts";
import type { Scheduler } from "./scheduler.ts";
import { Turn, TURN_TIME } from "./turn.ts";
import { OWED, VringDescriptors } from "./vring_descriptors.ts";

/** How many requests are served before other descriptors get their turn. */
const BURST = 256;
/**
 * How long a device may have everything served that it needs before it goes on, in milliseconds.
 * What a driver does in its right mind takes less.
 */
const DRAIN_TIME = 10;

/** All rings of a device, as one of them sees them. */
export interface RingSet {
  /** It shows at `ring`, which has let go of everything, that a driver begins anew. */
  driverBeginsAnew(ring: Vring): void;
}

/** What the device has returned while the driver could not be told. */
interface LateReturn {
  readonly chain: DescriptorChain;
  readonly written: number;
}

/**
 * A virtqueue as the front-end configures, starts and stops it.
 *
 * It is stopped or started, and, independently of that, enabled or disabled. A started ring may
 * lack its memory: addresses come later, a memory table is without it, or the driver has broken it.
 *
 * A disabled ring is not touched, nor are the buffers of its chains: what the device writes and
 * returns meanwhile takes effect when the ring is enabled again, or never. So it is with a ring
 * that is stopped while it is disabled, until the driver goes on or another begins anew.
 */
export class Vring implements EventHandler, RingHistory {
  readonly index: number;

  readonly #device: VirtioDevice;
  readonly #memory: GuestMemory;
  readonly #scheduler: Scheduler;
  readonly #log: Logger;
  readonly #rings: RingSet;
  readonly #descriptors: VringDescriptors;

  // What the front-end has said
  #size = 0;
  #base = 0;
  #addresses: RingAddresses | undefined;
  #enabled = false;
  #started = false;
  #features = 0n;

  // What has become of it since the device was reset
  #stopped = false;
  #startedAgain = false;
  #used = false;
  #left: RingPosition | undefined;
  #goesOn = false;

  // At work
  #queue: SplitQueue | undefined;
  /** Whether the driver goes on or begins anew is still to be seen. */
  #undecided = false;
  #broken = false;
  #missing = false;
  #serving = false;
  /** The driver may believe that it need not kick: somebody has to look at the ring. */
  #kicksOff = false;
  #requests = 0;
  #badChains = 0;

  readonly #turn = new Turn();
  readonly #chains: ChainPool;
  /** What is available waits until the device has returned some of what it holds. */
  #waiting = false;
  /** Ring and buffers are left alone. */
  #suspended = false;
  #late: LateReturn[] = [];
  /** Where chains go that the device has to give back. */
  #recalled: DescriptorChain[] | undefined;

  constructor(
    index: number,
    device: VirtioDevice,
    memory: GuestMemory,
    scheduler: Scheduler,
    rings: RingSet,
    log: Logger,
  ) {
    this.index = index;
    this.#device = device;
    this.#memory = memory;
    this.#scheduler = scheduler;
    this.#rings = rings;
    this.#log = log;
    this.#descriptors = new VringDescriptors(scheduler, this);
    this.#chains = new ChainPool(memory);
  }

  /** True between the front-end's kick descriptor and `GET_VRING_BASE`. */
  get started(): boolean {
    return this.#started;
  }

  /** True if it was started after it had been stopped, since the device was reset. */
  get startedAgain(): boolean {
    return this.#startedAgain;
  }

  get left(): RingPosition | undefined {
    return this.#left;
  }

  /** True if its driver had used it before it was first started here since the device was reset. */
  get goesOn(): boolean {
    return this.#goesOn;
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

  // What the front-end says

  /** Sets the number of descriptors. */
  setSize(size: number): void {
    this.#setUp();
    this.#size = size;
  }

  /** Sets where the next start begins. */
  setBase(base: number): void {
    this.#setUp();
    this.#base = base;
  }

  #setUp(): void {
    if (!beginsAnew(this)) return;
    this.discard();
    this.#rings.driverBeginsAnew(this);
  }

  /** Sets where the ring is. @returns a sentence that says why it is not there, or `undefined` */
  setAddresses(addresses: RingAddresses): string | undefined {
    this.#addresses = addresses;
    return this.#started && !this.#broken ? this.#open(addresses) : undefined;
  }

  /** Replaces the call descriptor; -1 for none. */
  setCall(fd: number): void {
    this.#descriptors.setCall(fd);
    if (this.#enabled) this.#report(this.#descriptors.callOwed());
  }

  /** Replaces the error descriptor; -1 for none. */
  setError(fd: number): void {
    this.#descriptors.setError(fd);
  }

  /** Enables or disables the ring; what waits in an enabled ring is served at once. */
  setEnabled(enabled: boolean): void {
    this.#enabled = enabled;
    if (enabled) {
      if (this.#queue !== undefined) this.#resume();
      this.#report(this.#descriptors.callOwed());
    } else {
      this.#suspended = true;
      for (const chain of this.#chains.all) chain.suspend();
    }
  }

  /**
   * Starts the ring, or goes on with a new kick descriptor. Its addresses may come later.
   *
   * @param kick becomes the ring's; -1 stands for none: the ring is then polled
   * @returns a sentence that says what is missing, or `undefined`
   */
  start(kick: number, features: bigint): string | undefined {
    if (this.#size === 0) {
      close(kick);
      return "its size is not known";
    }
    this.#features = features;
    try {
      this.#descriptors.setKick(kick);
    } catch (error) {
      this.stop();
      return `its kick descriptor cannot be watched: ${(error as Error).message}`;
    }
    if (this.#started) {
      this.serveSoon();
      return undefined;
    }
    this.#started = true;
    this.#startedAgain = this.#stopped;
    this.#undecided = true;
    this.#broken = this.#missing = false;
    const problem = this.#addresses === undefined ? undefined : this.#open(this.#addresses);
    if (problem !== undefined) this.#halt();
    return problem;
  }

  /**
   * Looks the ring up again after a change of the memory table.
   *
   * @returns a sentence that says why it is no longer there, where that is news, or `undefined`
   */
  remap(): string | undefined {
    if (!this.#started || this.#broken || this.#addresses === undefined) return undefined;
    const missing = this.#missing;
    const problem = this.#open(this.#addresses);
    return missing ? undefined : problem;
  }

  /** @returns a sentence that says why the ring is not there, or `undefined` */
  #open(addresses: RingAddresses): string | undefined {
    this.#closeQueue();
    const kind = this.#memory.xen === undefined ? SplitQueue : XenQueue;
    const queue = kind.open(this.#memory, this.#size, addresses, this.#base, this.#features);
    this.#missing = typeof queue === "string";
    if (typeof queue === "string") return queue;
    if (this.#undecided && beginsAnew(this, queue.position)) {
      this.#drop();
      this.#rings.driverBeginsAnew(this);
    }
    if (this.#undecided && this.#left === undefined) this.#goesOn = wasAtWork(queue.position);
    this.#undecided = false;
    this.#queue = queue;
    // What the ring says of kicks is from earlier times.
    this.#kicksOff = true;
    if (this.#chains.hasLost) this.#loseAnswers();
    else if (this.#enabled) this.#resume();
    return undefined;
  }

  /** Tells the driver what it could not be told while the ring was disabled, and goes on. */
  #resume(): void {
    if (this.#suspended) {
      this.#suspended = false;
      for (const chain of this.#chains.all) chain.resume();
      for (const { chain, written } of this.#late.splice(0)) this.complete(chain, written);
    }
    this.serveSoon();
  }

  // How it ends

  /**
   * Stops the ring; afterwards nothing touches it. Chains that the device holds are returned to the
   * driver first, so that none is lost when the ring is started again where it stopped. If the ring
   * is disabled, the device keeps them for then.
   *
   * @returns the index of the next available entry
   */
  stop(): number {
    if (this.#started) {
      this.#stopped = true;
      if (this.#enabled) this.#device.queueStopping(this.index);
      this.#halt();
    }
    return this.#base;
  }

  /**
   * Stops the ring without another access to it: its memory may have another use by now, or be
   * gone. What the front-end has said of it stays.
   */
  discard(): void {
    this.#closeQueue();
    this.#drop();
    if (this.#started) this.#halt();
  }

  /** Puts the ring back to where it was before the front-end spoke of it. */
  reset(): void {
    this.discard();
    this.#chains.clear();
    this.#descriptors.close();
    this.#size = 0;
    this.#base = 0;
    this.#addresses = undefined;
    this.#enabled = false;
    this.#requests = 0;
    this.#badChains = 0;
  }

  /**
   * Takes the chains back that the device holds, before that is reset under a ring that goes on.
   * Nothing is written to them.
   *
   * @returns what {@linkcode giveAgain} takes
   */
  recall(): DescriptorChain[] {
    const recalled: DescriptorChain[] = [];
    for (const chain of this.#chains.all) chain.suspend();
    this.#recalled = recalled;
    try {
      this.#device.queueStopping(this.index);
    } finally {
      this.#recalled = undefined;
    }
    return recalled;
  }

  /** Has the device process chains that it held before it was reset. */
  giveAgain(recalled: readonly DescriptorChain[]): void {
    for (const chain of recalled) {
      chain.dropLate();
      if (!this.#suspended) chain.resume();
      const written = this.#device.process(this.index, chain);
      if (written === HELD) chain.unmap();
      else this.complete(chain, written);
    }
  }

  /** Drops all chains: the driver may have given their buffers to somebody else. */
  #drop(): void {
    if (this.#started || this.#stopped) {
      for (const chain of this.recall()) this.#chains.giveBack(chain);
      for (const { chain } of this.#late.splice(0)) this.#chains.giveBack(chain);
      this.#chains.forget();
      this.#waiting = false;
    }
    this.#descriptors.forgetCall();
    this.#left = undefined;
    this.#used = this.#stopped = this.#startedAgain = false;
    this.#goesOn = false;
  }

  #halt(): void {
    this.#started = false;
    this.#descriptors.dropKick();
    this.#closeQueue();
  }

  #closeQueue(): void {
    if (this.#queue === undefined) return;
    this.#base = this.#queue.lastAvailable;
    if (this.#used) this.#left = this.#queue.position;
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
  serveSoon(): void {
    this.#scheduler.defer(this);
  }

  /** True if requests wait and may be served. */
  hasWork(): boolean {
    const queue = this.#queue;
    return this.#enabled && queue !== undefined && !this.#waiting &&
      (this.#kicksOff || queue.hasAvailable());
  }

  /** Serves what is available and notifies the driver. */
  serve(): void {
    if (this.#serveUpTo(BURST, TURN_TIME)) this.serveSoon();
    this.#notify();
  }

  /** Serves everything that is available now, for a device that needs it before it goes on. */
  drain(): void {
    if (this.#serving) return;
    if (this.#serveUpTo(this.#size, DRAIN_TIME)) this.serveSoon();
    this.#notify();
  }

  /** Returns a chain that the device held. */
  complete(chain: DescriptorChain, written: number): void {
    if (this.#recalled !== undefined) {
      this.#recalled.push(chain);
      return;
    }
    if (this.#suspended) {
      this.#late.push({ chain, written });
      if (this.#chains.hasLost && this.#queue !== undefined) this.#loseAnswers();
      return;
    }
    this.#giveBack(chain);
    const queue = this.#queue;
    if (queue === undefined) return chain.unmap();
    queue.release(chain);
    queue.push(chain.head, written);
    if (!this.#serving) this.#notify();
  }

  /** Makes a chain that the device held available again. */
  putBack(chain: DescriptorChain): boolean {
    if (this.#queue !== undefined && !this.#queue.putBack(chain)) return false;
    chain.unmap();
    this.#requests--;
    this.#giveBack(chain);
    return true;
  }

  /**
   * @param time how long it may take, in milliseconds
   * @returns true if there may be more than the limits allowed for
   */
  #serveUpTo(limit: number, time: number): boolean {
    const queue = this.#queue;
    if (!this.#enabled || queue === undefined || this.#waiting) return false;
    const turn = this.#turn;
    turn.begin(time);
    this.#memory.replenish();
    this.#serving = true;
    let chain: DescriptorChain | undefined;
    // Behind a chain that is held come those that belong to it, or that are held as well.
    let held = false;
    try {
      this.#kicksOff = true;
      queue.disableKicks();
      for (let count = 0; count < limit; count++) {
        if (!held && turn.isDue()) {
          // The driver sees answers one by one where they take their time.
          queue.publish();
          if (queue.hasAvailable() && turn.isOver()) return true;
        }
        chain ??= this.#chains.take();
        const found = queue.pop(chain);
        if (this.#memory.isLost) {
          this.#lose();
          return false;
        }
        if (found === CHAIN) {
          this.#used = true;
          this.#requests++;
          const written = this.#device.process(this.index, chain);
          queue.release(chain);
          held = written === HELD;
          if (held) {
            this.#chains.hold(chain);
            chain = undefined;
            this.#waiting = this.#chains.isFull;
            if (this.#waiting) return false;
            continue;
          }
          queue.add(chain.head, written);
          continue;
        }
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
        } else if (found === LATER) {
          return true;
        } else if (found === BROKEN) {
          this.#break();
          return false;
        }
      }
      return true;
    } finally {
      if (chain !== undefined) this.#chains.give(chain);
      queue.publish();
      this.#base = queue.lastAvailable;
      this.#serving = false;
    }
  }

  #giveBack(chain: DescriptorChain): void {
    this.#chains.giveBack(chain);
    if (!this.#waiting || this.#chains.isFull) return;
    this.#waiting = false;
    this.serveSoon();
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
    this.#broken = true;
    this.#closeQueue();
    this.#descriptors.reportError();
  }

  /** Stops serving a ring whose memory is gone, until whoever has the connection ends that. */
  #lose(): void {
    this.#broken = true;
    this.#closeQueue();
  }

  /** Stops serving a ring that was disabled for so long that what is to be told is too much. */
  #loseAnswers(): void {
    this.#log.error(
      `queue ${this.index}: the answers to more requests than can be kept came while the ring was ` +
        "disabled; it is not served until the driver starts it anew",
    );
    this.#broken = true;
    this.#closeQueue();
    this.#descriptors.reportError();
  }

  #notify(): void {
    if (this.#enabled && this.#queue?.needsCall()) this.#report(this.#descriptors.call());
  }

  /** Logs what became of a call, where that is worth it: the guest may be gone. */
  #report(outcome: number): void {
    if (outcome === DELIVERED || outcome === OWED) return;
    if (outcome === EINTR) {
      this.#log.warn(
        `queue ${this.index}: the front-end has let a call wait; ` +
          "the driver is not called any more until there is another call descriptor",
      );
      return;
    }
    this.#log.debug(`queue ${this.index}: the call was not delivered: ${errnoText(outcome)}`);
  }
}
