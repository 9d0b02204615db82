import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { DescriptorChain, HostBuffer } from "../../lib/virtio/descriptor_chain.ts";
import { F_INDIRECT_DESC, F_VERSION_1 } from "../../lib/virtio/features.ts";
import { GuestMemory } from "../../lib/virtio/guest_memory.ts";
import { CHAIN, SplitQueue } from "../../lib/virtio/split_queue.ts";
import { decodeXenAddress } from "../../lib/virtio/xen_address.ts";
import { XenQueue } from "../../lib/virtio/xen_queue.ts";
import {
  DESC_INDIRECT,
  DESC_NEXT,
  DESC_WRITE,
  DriverQueue,
  writeDescriptor,
} from "../support/driver_queue.ts";
import { fuzz } from "../support/fuzz.ts";
import { GuestRam } from "../support/guest_ram.ts";
import type { Random } from "../support/random.ts";
import { u64, XEN } from "../support/wire.ts";
import { XenStandIn } from "../support/xen_stand_in.ts";

const PAGE = 4096;
const SIZE = 8;

interface Entry {
  address: number;
  length: number;
  flags: number;
  next: number;
}

/** What the specification makes of a chain: its buffers in order, or nothing. */
function walk(
  ring: readonly Entry[],
  tables: ReadonlyMap<number, readonly Entry[]>,
  inMemory: (address: number, length: number) => boolean,
): Entry[] | undefined {
  const buffers: Entry[] = [];
  let table = ring;
  let entry: Entry | undefined = ring[0];
  while (entry !== undefined) {
    if (entry.flags & DESC_INDIRECT) {
      const inner = tables.get(entry.address);
      if (table !== ring || entry.flags & DESC_NEXT || inner === undefined) return undefined;
      if (entry.length === 0 || entry.length % 16 !== 0) return undefined;
      table = inner.slice(0, entry.length / 16);
      entry = table[0];
      continue;
    }
    if (!inMemory(entry.address, entry.length)) return undefined;
    const late = buffers.some(({ flags, length }) => flags & DESC_WRITE && length > 0);
    if (late && !(entry.flags & DESC_WRITE)) return undefined;
    buffers.push(entry);
    if (buffers.length > SIZE) return undefined;
    if (!(entry.flags & DESC_NEXT)) return buffers;
    entry = table[entry.next];
  }
  return undefined;
}

function randomEntry(random: Random, entries: number, addresses: readonly number[]): Entry {
  return {
    address: random.pick(addresses) + random.below(200),
    length: random.pick([0, 1, 2, 7, 16, 100, 5000]),
    flags: (random.oneIn(3) ? 0 : DESC_NEXT) | (random.oneIn(2) ? DESC_WRITE : 0),
    next: random.below(entries + (random.oneIn(10) ? 3 : 0)),
  };
}

Deno.test("R1 R3 chains are what the specification says they are, whatever they are", () => {
  using ram = new GuestRam([
    { guestAddress: 0x100_0000, size: 16 * PAGE },
    { guestAddress: PAGE, size: PAGE },
    { guestAddress: 2 * PAGE, size: 2 * PAGE, userAddress: 0x1000_0000 },
    { guestAddress: 16 * PAGE, size: PAGE },
  ]);
  const memory = new GuestMemory();
  memory.setTable(ram.regions, ram.regions.map(({ fd }) => fd));
  followChains(ram, memory, SplitQueue, (address) => address);
  memory.clear();
});

Deno.test("R1 R3 so are chains of grants that are mapped as they are followed", () => {
  using xen = new XenStandIn();
  const flags = XEN.GRANT | XEN.NO_ADVANCE_MAP;
  using ram = new GuestRam([
    xen.granted(32, 16),
    xen.granted(1, 1, flags),
    { ...xen.granted(2, 2, flags), userAddress: 0x1000_0000 },
    xen.granted(16, 1, flags),
  ]);
  const memory = new GuestMemory();
  memory.xen = xen.nodes;
  const described = ram.regions.map(({ busAddress = 0n, size, userAddress, fileOffset, xen }) => {
    const guestAddress = decodeXenAddress(new DataView(u64(busAddress).buffer), 0);
    return { guestAddress, size, userAddress, fileOffset, xen };
  });
  memory.setTable(described, ram.regions.map(({ fd }) => fd));
  const idle = xen.mappings;
  // Also where there is no grant.
  const busAddress = (address: number) => 2n ** 63n + BigInt(address + 8 * PAGE);
  followChains(ram, memory, XenQueue, busAddress, (chain) => {
    chain.unmap();
    assertEquals([xen.mappings, xen.indexes], [idle, 0]);
  });
  memory.clear();
  assertEquals(xen.mappings, 0);
});

/**
 * Has random chains followed, over two regions side by side and one on its own; the first region of
 * all is for the rings.
 *
 * @param busAddress what a descriptor has for an address
 * @param done is called after each of them
 */
function followChains(
  ram: GuestRam,
  memory: GuestMemory,
  queue: typeof SplitQueue,
  busAddress: (address: number) => number | bigint,
  done: (chain: DescriptorChain) => void = () => {},
): void {
  const inMemory = (address: number, length: number) =>
    length === 0 || (address >= PAGE && address + length <= 4 * PAGE) ||
    (address >= 16 * PAGE && address + length <= 17 * PAGE);
  const addresses = [PAGE - 100, PAGE, 2 * PAGE - 100, 3 * PAGE, 4 * PAGE - 150, 17 * PAGE - 110];
  using driver = new DriverQueue(0, ram, { size: SIZE });
  const features = F_VERSION_1 | F_INDIRECT_DESC;
  const device = queue.open(memory, SIZE, driver.addresses, 0, features);
  assert(typeof device !== "string");
  const chain = new DescriptorChain(memory);
  // One with the rings, one where buffers are.
  const places = [ram.allocate(16 * 12), 16 * PAGE + 512];
  const buffer = new HostBuffer(1 << 16);
  let good = 0;

  fuzz((random) => {
    const ring = Array.from({ length: SIZE }, () => randomEntry(random, SIZE, addresses));
    const tables = new Map(places.map((place) => {
      const table = Array.from({ length: 12 }, () => randomEntry(random, 8, addresses));
      return [place, table];
    }));
    for (const table of [ring, ...tables.values()]) {
      for (const entry of table) {
        if (!random.oneIn(12)) continue;
        entry.flags = DESC_INDIRECT | (random.oneIn(8) ? DESC_NEXT : 0) |
          (random.oneIn(4) ? DESC_WRITE : 0);
        entry.address = random.pick(places);
        entry.length = random.pick([16, 32, 64, 128, 192, 0, 8, 24]);
      }
    }
    const onBus = (entry: Entry) => ({ ...entry, address: busAddress(entry.address) });
    ring.forEach((entry, index) => driver.setDescriptor(index, onBus(entry)));
    for (const [place, table] of tables) {
      const view = ram.view(place, 192);
      table.forEach((entry, index) => writeDescriptor(view, index * 16, onBus(entry)));
    }
    for (const address of addresses) {
      if (inMemory(address, 100)) ram.write(address, random.bytes(100));
    }

    driver.offer(0);
    const found = device.pop(chain);
    const expected = walk(ring, tables, inMemory);
    assertStrictEquals(found === CHAIN, expected !== undefined);
    if (expected === undefined) return done(chain);
    good++;
    const readable = expected.filter(({ flags }) => !(flags & DESC_WRITE));
    const bytes = readable.flatMap(({ address, length }) => [...ram.read(address, length)]);
    assertStrictEquals(chain.readableLength, bytes.length);
    assertStrictEquals(chain.read(0, buffer, 0, bytes.length + 1), bytes.length);
    assertEquals([...buffer.bytes.subarray(0, bytes.length)], bytes);
    const at = random.below(bytes.length + 1);
    const byte = (offset: number) => bytes[offset] ?? 0;
    assertStrictEquals(chain.readU8(at), byte(at));
    assertStrictEquals(chain.readU16(at), byte(at) + 256 * byte(at + 1));

    // What is written arrives where the last of the buffers that overlap there says.
    const writable = expected.filter(({ flags }) => flags & DESC_WRITE);
    const room = writable.reduce((sum, { length }) => sum + length, 0);
    assertStrictEquals(chain.writableLength, room);
    const content = random.bytes(256);
    for (let index = 0; index < room; index++) buffer.bytes[index] = content[index & 0xff];
    assertStrictEquals(chain.write(0, buffer, 0, room), room);
    const expectedBytes = new Map<number, number>();
    let place = 0;
    for (const { address, length } of writable) {
      for (let index = 0; index < length; index++) {
        expectedBytes.set(address + index, content[place++ & 0xff]);
      }
    }
    for (const [address, value] of expectedBytes) {
      assertStrictEquals(ram.read(address, 1)[0], value);
    }
    done(chain);
  });
  assert(good > 0 || Deno.env.has("FUZZ_SEED"), "no chain was a good one");
  device.close();
}
