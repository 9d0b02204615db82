import { assert, assertEquals, assertFalse, assertLess, assertStrictEquals } from "@std/assert";
import { DescriptorChain, HostBuffer } from "../../../lib/virtio/descriptor_chain.ts";
import { GuestMemory } from "../../../lib/virtio/guest_memory.ts";
import { GuestRam, type RegionOptions } from "../../support/guest_ram.ts";
import { Random } from "../../support/random.ts";

const PAGE = 4096;
/** Three regions of one page, side by side in the guest and far apart in the front-end. */
const SIDE_BY_SIDE: RegionOptions[] = [0, 1, 2].map((index) => ({
  guestAddress: PAGE * (1 + index),
  size: PAGE,
  userAddress: 0x7f00_0000_0000 - index * 0x10_0000,
  fileOffset: PAGE * index,
}));

class Memory implements Disposable {
  readonly ram: GuestRam;
  readonly memory = new GuestMemory();
  readonly chain = new DescriptorChain(this.memory);

  constructor(regions?: RegionOptions[]) {
    this.ram = new GuestRam(regions);
    this.share(this.ram);
  }

  share(ram: GuestRam): void {
    this.memory.setTable(ram.regions, ram.regions.map(({ fd }) => fd));
  }

  [Symbol.dispose](): void {
    this.memory.clear();
    this.ram[Symbol.dispose]();
  }
}

Deno.test("numbers are read in little-endian order", () => {
  using it = new Memory();
  const address = it.ram.allocate(8);
  it.ram.write(address, [1, 2, 3, 4, 5, 6, 7, 0xff]);
  it.chain.begin(0);
  assert(it.chain.append(address, 8, false));
  assertEquals(it.chain.readU8(7), 0xff);
  assertEquals(it.chain.readU16(1), 0x0302);
  assertEquals(it.chain.readU32(4), 0xff07_0605);
});

Deno.test("R3 a request that is cut up byte by byte reads like one in one piece", () => {
  using it = new Memory();
  const bytes = [1, 2, 3, 4, 5, 6, 7, 0xff];
  it.chain.begin(0);
  for (const byte of bytes) {
    const address = it.ram.allocate(1);
    it.ram.write(address, [byte]);
    assert(it.chain.append(address, 1, false));
  }
  assertEquals(it.chain.readableLength, 8);
  assertEquals(it.chain.readU8(3), 4);
  assertEquals(it.chain.readU16(0), 0x0201);
  assertEquals(it.chain.readU32(4), 0xff07_0605);
  const target = new HostBuffer(8);
  assertEquals(it.chain.read(0, target, 0, 8), 8);
  assertEquals([...target.bytes], bytes);
});

Deno.test("R3 a number that ends in another buffer than it begins in is read from both", () => {
  using it = new Memory();
  for (const first of [1, 2, 3]) {
    const address = it.ram.allocate(16);
    it.ram.write(address, [1, 2, 3, 4, ...new Array(8).fill(0xee), 5, 6, 7, 8]);
    // The bytes behind the first buffer are not those of the second.
    it.chain.begin(0);
    assert(it.chain.append(address, first, false));
    assert(it.chain.append(address + 12, 4, false));
    const bytes = Uint8Array.of(...[1, 2, 3].slice(0, first), 5, 6, 7, 8);
    const view = new DataView(bytes.buffer);
    assertEquals(it.chain.readU32(0), view.getUint32(0, true));
    assertEquals(it.chain.readU16(first - 1), view.getUint16(first - 1, true));
  }
});

Deno.test("R3 buffers of no length are passed over", () => {
  using it = new Memory();
  const address = it.ram.allocate(4);
  it.ram.write(address, [1, 2, 3, 4]);
  it.chain.begin(0);
  assert(it.chain.append(address, 0, false));
  assert(it.chain.append(address, 4, false));
  assert(it.chain.append(0, 0, false));
  assertEquals(it.chain.readU32(0), 0x0403_0201);
});

Deno.test("R3 a response is spread over however many buffers there are", () => {
  using it = new Memory();
  const first = it.ram.allocate(16);
  const second = it.ram.allocate(16);
  it.ram.write(first, new Uint8Array(16).fill(0xee));
  it.ram.write(second, new Uint8Array(16).fill(0xee));
  it.chain.begin(0);
  assert(it.chain.append(first, 3, true));
  assert(it.chain.append(second, 5, true));
  const source = new HostBuffer(8);
  source.bytes.set([1, 2, 3, 4, 5, 6, 7, 8]);
  assertEquals(it.chain.write(1, source, 1, 6), 6);
  assertEquals([...it.ram.read(first, 4)], [0xee, 2, 3, 0xee]);
  assertEquals([...it.ram.read(second, 6)], [4, 5, 6, 7, 0xee, 0xee]);
  it.chain.writeU8(7, 0x55);
  it.chain.writeU8(0, 0x44);
  assertEquals(it.ram.read(second, 5)[4], 0x55);
  assertEquals(it.ram.read(first, 1)[0], 0x44);
});

Deno.test("R3 a number goes to one buffer, to two, or as far as there is room", () => {
  using it = new Memory();
  const address = it.ram.allocate(16);
  const parts: [number, number[]][] = [
    [2, [0x34, 0x12, 0xee, 0xee]],
    [1, [0x34, 0xee, 0x12, 0xee]],
  ];
  for (const [first, expected] of parts) {
    it.ram.write(address, new Uint8Array(4).fill(0xee));
    it.chain.begin(0);
    assert(it.chain.append(address, first, true));
    if (first < 2) assert(it.chain.append(address + 2, 1, true));
    it.chain.writeU16(0, 0x1234);
    assertEquals([...it.ram.read(address, 4)], expected);
  }
  it.chain.begin(0);
  assert(it.chain.append(address, 1, true));
  it.chain.writeU16(0, 0x5678);
  assertEquals([...it.ram.read(address, 4)], [0x78, 0xee, 0x12, 0xee]);
  it.chain.begin(0);
  assert(it.chain.append(address, 2, true));
  it.chain.suspend();
  it.chain.writeU16(0, 0);
  assertEquals([...it.ram.read(address, 2)], [0x78, 0xee]);
});

Deno.test("nothing is read or written beyond a chain's parts", () => {
  using it = new Memory();
  const address = it.ram.allocate(16);
  it.ram.write(address, new Uint8Array(16).fill(0xee));
  it.chain.begin(0);
  assert(it.chain.append(address, 2, false));
  assert(it.chain.append(address + 4, 2, true));
  const buffer = new HostBuffer(8);
  assertEquals(it.chain.readU8(2), 0);
  assertEquals(it.chain.readU32(0), 0xeeee);
  assertEquals(it.chain.readU32(2), 0);
  assertEquals(it.chain.read(0, buffer, 0, 8), 2);
  assertEquals(it.chain.read(5, buffer, 0, 1), 0);
  assertEquals(it.chain.write(1, buffer, 4, 4), 1);
  it.chain.writeU8(2, 0x11);
  it.chain.writeU8(100, 0x11);
  assertEquals([...it.ram.read(address + 4, 4)], [0xee, 0, 0xee, 0xee]);
});

Deno.test("R3 buffers that cross from region to region are whole to the device", () => {
  using it = new Memory(SIDE_BY_SIDE);
  const random = new Random(1);
  const bytes = random.bytes(PAGE + 20);
  it.ram.write(2 * PAGE - 10, bytes);
  it.chain.begin(0);
  assert(it.chain.append(2 * PAGE - 10, PAGE + 20, false));
  assertStrictEquals(it.chain.readableLength, PAGE + 20);
  const target = new HostBuffer(PAGE + 20);
  assertStrictEquals(it.chain.read(0, target, 0, PAGE + 20), PAGE + 20);
  assertEquals(target.bytes, bytes);
  assertStrictEquals(it.chain.readU32(8), new DataView(bytes.buffer).getUint32(8, true));
});

Deno.test("R3 a response that crosses from region to region arrives whole", () => {
  using it = new Memory(SIDE_BY_SIDE);
  const source = new HostBuffer(PAGE + 20);
  source.bytes.set(new Random(2).bytes(PAGE + 20));
  it.chain.begin(0);
  assert(it.chain.append(2 * PAGE - 10, PAGE + 20, true));
  assertStrictEquals(it.chain.write(0, source, 0, PAGE + 20), PAGE + 20);
  assertEquals(it.ram.read(2 * PAGE - 10, PAGE + 20), source.bytes);
});

Deno.test("R3 a buffer that runs into a gap between regions is refused", () => {
  using it = new Memory([
    { guestAddress: PAGE, size: PAGE },
    { guestAddress: 3 * PAGE, size: PAGE },
  ]);
  it.chain.begin(0);
  assertEquals(it.chain.append(2 * PAGE - 4, 8, false), false);
  it.chain.begin(0);
  assertEquals(it.chain.append(2 * PAGE - 4, 4, false), true);
});

Deno.test("R3 a buffer across the chunks of a region of more than 1 GiB is whole", () => {
  const gibibyte = 2 ** 30;
  using it = new Memory([{ guestAddress: 0, size: 2 * gibibyte + PAGE }]);
  for (const boundary of [gibibyte, 2 * gibibyte]) {
    const bytes = new Random(boundary).bytes(64);
    it.ram.regions[0].bytes.set(bytes, boundary - 30);
    it.chain.begin(0);
    assert(it.chain.append(boundary - 30, 64, false));
    const target = new HostBuffer(64);
    assertEquals(it.chain.read(0, target, 0, 64), 64);
    assertEquals(target.bytes, bytes);
  }
});

Deno.test("large and small copies give the same bytes", () => {
  using it = new Memory();
  const size = 100_000;
  const address = it.ram.allocate(2 * size);
  const bytes = new Random(3).bytes(size);
  it.ram.write(address, bytes);
  const target = new HostBuffer(size + 3);
  it.chain.begin(0);
  assert(it.chain.append(address, 20_001, false));
  assert(it.chain.append(address + 20_001, size - 20_001, false));
  assert(it.chain.append(address + size, size, true));
  assertStrictEquals(it.chain.read(1, target, 3, size), size - 1);
  assertEquals(target.bytes.subarray(3, size + 2), bytes.subarray(1));
  assertStrictEquals(it.chain.write(0, target, 3, size - 1), size - 1);
  assertEquals(it.ram.read(address + size, size - 1), bytes.subarray(1));
});

Deno.test("a chain of more than 4 GiB is refused", () => {
  using it = new Memory([{ guestAddress: 0, size: 3 * 2 ** 30 }]);
  it.chain.begin(0);
  assert(it.chain.append(0, 3 * 2 ** 30, false));
  assert(it.chain.append(0, 2 ** 30, true));
  assertEquals(it.chain.append(0, 1, true), false);
  it.chain.begin(0);
  assert(it.chain.append(0, 2 ** 30, false));
  assert(it.chain.append(0, 3 * 2 ** 30, true));
  assertEquals(it.chain.append(0, 1, true), false);
});

Deno.test("R1 a buffer to be read behind one to be written is refused, however long it is", () => {
  using it = new Memory(SIDE_BY_SIDE);
  for (const length of [0, 1, 2 * PAGE]) {
    it.chain.begin(0);
    assert(it.chain.append(PAGE, 1, true));
    assertFalse(it.chain.append(PAGE, length, false), `${length} bytes`);
  }
});

Deno.test("a chain that is kept finds its buffers after a change of the memory table", () => {
  using it = new Memory(SIDE_BY_SIDE);
  it.ram.write(3 * PAGE, [1, 2, 3, 4]);
  it.chain.begin(0);
  assert(it.chain.append(3 * PAGE, 4, false));
  assert(it.chain.append(3 * PAGE + 8, 1, true));
  const { fd, ...region } = it.ram.regions[2];
  it.memory.setTable([region], [fd]);
  assertEquals(it.chain.readU32(0), 0x0403_0201);
  it.chain.writeU8(0, 0x77);
  assertEquals(it.ram.read(3 * PAGE + 8, 1)[0], 0x77);
});

Deno.test("a chain that is kept touches nothing once its memory is gone", () => {
  using it = new Memory(SIDE_BY_SIDE);
  it.ram.write(3 * PAGE, [1, 2, 3, 4]);
  it.chain.begin(0);
  assert(it.chain.append(3 * PAGE, 4, false));
  assert(it.chain.append(3 * PAGE + 8, 1, true));
  const { fd, ...region } = it.ram.regions[0];
  it.memory.setTable([region], [fd]);
  const buffer = new HostBuffer(4);
  assertEquals(it.chain.readU8(0), 0);
  assertEquals(it.chain.readU16(0), 0);
  assertEquals(it.chain.readU32(0), 0);
  assertEquals(it.chain.read(0, buffer, 0, 4), 0);
  assertEquals(it.chain.write(0, buffer, 0, 1), 0);
  it.chain.writeU8(0, 1);
  assertEquals(it.ram.read(3 * PAGE + 8, 1)[0], 0);
});

Deno.test("R3 any way of cutting up a request and its response gives the same bytes", () => {
  using it = new Memory(SIDE_BY_SIDE);
  const random = new Random(4);
  for (let round = 0; round < 200; round++) {
    const length = 1 + random.below(300);
    const bytes = random.bytes(length);
    it.chain.begin(0);
    const place = (writable: boolean, from: number) => {
      const pieces: [number, number][] = [];
      for (let rest = length, at = from; rest > 0;) {
        const part = Math.min(rest, random.below(40));
        assert(it.chain.append(at, part, writable));
        pieces.push([at, part]);
        at += part + random.below(3);
        rest -= part;
      }
      return pieces;
    };
    // Both parts are around a region boundary.
    const readable = place(false, 2 * PAGE - random.below(length));
    const writable = place(true, 3 * PAGE - random.below(length));
    let done = 0;
    for (const [address, part] of readable) {
      it.ram.write(address, bytes.subarray(done, done + part));
      done += part;
    }
    const buffer = new HostBuffer(length);
    assertStrictEquals(it.chain.read(0, buffer, 0, length), length);
    assertEquals(buffer.bytes, bytes);
    assertStrictEquals(it.chain.write(0, buffer, 0, length), length);
    const written = writable.flatMap(([address, part]) => [...it.ram.read(address, part)]);
    assertEquals(written, [...bytes]);
  }
});

Deno.test("a chain has no more segments than it may, however it came to them", () => {
  using it = new Memory(SIDE_BY_SIDE);
  it.chain.begin(0, 100);
  for (let count = 0; count < 100; count++) assert(it.chain.append(PAGE, 1, false));
  assertFalse(it.chain.append(PAGE, 1, false));
  it.chain.begin(0, 2);
  for (let count = 0; count < 2; count++) assert(it.chain.append(PAGE, 1, false));
  assertFalse(it.chain.append(PAGE, 1, false));
  // Room that is there from before is no licence.
  it.chain.begin(0, 4);
  assert(it.chain.append(PAGE, 3 * PAGE, false));
  assertFalse(it.chain.append(PAGE, 3 * PAGE, false));
});

Deno.test("a chain that was trimmed is empty, and takes as much as ever", () => {
  using it = new Memory();
  const address = it.ram.allocate(100);
  it.ram.write(address, Array.from({ length: 100 }, (_, index) => index));
  it.chain.begin(0);
  for (let count = 0; count < 100; count++) it.chain.append(address + count, 1, false);
  const before = it.chain.capacity;
  it.chain.trim();
  assertLess(it.chain.capacity, before);
  assertStrictEquals(it.chain.readableLength, 0);
  assertStrictEquals(it.chain.readU8(0), 0);
  it.chain.begin(0);
  for (let count = 0; count < 100; count++) it.chain.append(address + count, 1, false);
  const target = new HostBuffer(100);
  assertStrictEquals(it.chain.read(0, target, 0, 100), 100);
  assertStrictEquals(target.bytes[99], 99);
});
