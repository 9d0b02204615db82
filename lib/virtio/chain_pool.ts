/**
 * The chains of one ring: in use, held by the device, or to spare.
 *
 * @module
 */

import { DescriptorChain, type KeptBack } from "./descriptor_chain.ts";
import type { GuestMemory } from "./guest_memory.ts";

/** How many segments a chain may have and cost nothing: those of real drivers have fewer. */
const USUAL_SEGMENTS = 16;
/**
 * How many segments there may be in chains that are longer than usual and held, 1.3 MB of them. The
 * ring has to wait with more than that.
 */
const MAX_HELD_SEGMENTS = 65536;
/** How much may be kept back, in bytes: twice the longest answer of a device. */
const MAX_KEPT_BACK = 32 * 2 ** 20;

/**
 * Hands out chains and takes them back. Chains that are returned are used again, so that nothing is
 * allocated while requests come and go; the memory of a long one is let go of.
 */
export class ChainPool {
  readonly #memory: GuestMemory;
  /** In use or not. */
  readonly #all: DescriptorChain[] = [];
  readonly #spare: DescriptorChain[] = [];
  readonly #held = new Map<DescriptorChain, number>();
  #heldSegments = 0;
  /** What the chains keep back while they are suspended. */
  readonly #keptBack: KeptBack = { bytes: 0, limit: MAX_KEPT_BACK, exceeded: false };

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** All chains, wherever they are. */
  get all(): readonly DescriptorChain[] {
    return this.#all;
  }

  /** True if the chains that the device holds take so much memory that no other may be held. */
  get isFull(): boolean {
    return this.#heldSegments >= MAX_HELD_SEGMENTS;
  }

  /** True if more was to be kept back than may be: some answers are not whole. */
  get hasLost(): boolean {
    return this.#keptBack.exceeded;
  }

  /** A chain to be filled. */
  take(): DescriptorChain {
    return this.#spare.pop() ?? this.#make();
  }

  /** Takes back a chain that was used at once. */
  give(chain: DescriptorChain): void {
    this.#spare.push(chain);
  }

  /** The device keeps a chain. */
  hold(chain: DescriptorChain): void {
    const { capacity } = chain;
    if (capacity <= USUAL_SEGMENTS || this.#held.has(chain)) return;
    this.#held.set(chain, capacity);
    this.#heldSegments += capacity;
  }

  /** Takes back a chain that the device may have kept. */
  giveBack(chain: DescriptorChain): void {
    if (chain.capacity > USUAL_SEGMENTS) {
      this.#heldSegments -= this.#held.get(chain) ?? 0;
      this.#held.delete(chain);
      chain.trim();
    }
    this.#spare.push(chain);
  }

  /** Lets go of all buffers; the chains that are out are taken back as they come. */
  forget(): void {
    for (const chain of this.#all) chain.forget();
    this.#keptBack.exceeded = false;
  }

  /** Forgets all chains; those that are out belong to nobody. */
  clear(): void {
    this.forget();
    this.#all.length = this.#spare.length = 0;
    this.#held.clear();
    this.#heldSegments = 0;
  }

  #make(): DescriptorChain {
    const chain = new DescriptorChain(this.#memory, this.#keptBack);
    this.#all.push(chain);
    return chain;
  }
}
