import {
  assert,
  assertFalse,
  assertLess,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import { ChainPool } from "../../../lib/virtio/chain_pool.ts";
import type { DescriptorChain } from "../../../lib/virtio/descriptor_chain.ts";
import { GuestMemory } from "../../../lib/virtio/guest_memory.ts";
import { GuestRam } from "../../support/guest_ram.ts";

/** A pool, and memory for its chains. */
class Pool implements Disposable {
  readonly ram = new GuestRam();
  readonly memory = new GuestMemory();
  readonly pool = new ChainPool(this.memory);

  constructor() {
    this.memory.setTable(this.ram.regions, [this.ram.regions[0].fd]);
  }

  /** A chain of that many segments. */
  take(segments: number): DescriptorChain {
    const chain = this.pool.take();
    chain.begin(0);
    const { guestAddress } = this.ram.regions[0];
    for (let count = 0; count < segments; count++) assert(chain.append(guestAddress, 1, false));
    return chain;
  }

  [Symbol.dispose](): void {
    this.memory.clear();
    this.ram[Symbol.dispose]();
  }
}

Deno.test("chains that come back are used again", () => {
  using it = new Pool();
  const [first, second] = [it.take(3), it.take(3)];
  assertNotStrictEquals(first, second);
  it.pool.give(second);
  assertStrictEquals(it.take(1), second);
  it.pool.hold(first);
  it.pool.giveBack(first);
  assertStrictEquals(it.take(1), first);
  assertStrictEquals(it.pool.all.length, 2);
});

Deno.test("a long chain that was held is used again without the memory that it took", () => {
  using it = new Pool();
  const chain = it.take(5000);
  assert(chain.capacity >= 5000);
  it.pool.hold(chain);
  it.pool.giveBack(chain);
  assertStrictEquals(it.take(1), chain);
  assertStrictEquals(chain.capacity, 8);
});

Deno.test("the pool is full while long chains are held, and only then", () => {
  using it = new Pool();
  const held: DescriptorChain[] = [];
  while (!it.pool.isFull) {
    held.push(it.take(1024));
    it.pool.hold(held.at(-1)!);
  }
  const count = held.length;
  assertStrictEquals(count, 64);
  // Given again after a reset of the device, a chain counts once.
  it.pool.hold(held[0]);
  it.pool.giveBack(held.pop()!);
  assertFalse(it.pool.isFull);
  for (const chain of held) it.pool.giveBack(chain);
  for (let index = 0; index < 1000; index++) it.pool.hold(it.take(16));
  assertFalse(it.pool.isFull);
  it.pool.hold(it.take(65536));
  assert(it.pool.isFull);
  it.pool.clear();
  assertFalse(it.pool.isFull);
  assertStrictEquals(it.pool.all.length, 0);
  assertLess(it.take(1).capacity, 16);
});
