import { assert, assertEquals } from "@std/assert";
import { DescriptorChain } from "../../../lib/virtio/descriptor_chain.ts";
import { GuestMemory } from "../../../lib/virtio/guest_memory.ts";
import { writeFailure } from "../../../lib/virtio/trailing_status.ts";
import { GuestRam } from "../../support/guest_ram.ts";

const SIZE = 20 * 2 ** 20;
const UNTOUCHED = 0xee;

/** Fails a request whose response has buffers of these lengths. */
function fail(lengths: number[], prepare = (_chain: DescriptorChain) => {}) {
  using ram = new GuestRam([{ guestAddress: 0x10_0000, size: SIZE }]);
  const memory = new GuestMemory();
  memory.setTable(ram.regions, ram.regions.map(({ fd }) => fd));
  const chain = new DescriptorChain(memory);
  chain.begin(0);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const first = ram.allocate(total + 1);
  ram.region(first).bytes.fill(UNTOUCHED);
  let address = first;
  for (const length of lengths) {
    assert(chain.append(address, length, true));
    address += length;
  }
  prepare(chain);
  const written = writeFailure(chain, 7);
  const bytes = ram.read(first, total + 1);
  memory.clear();
  return { written, at: (position: number) => bytes[position] };
}

Deno.test("R2 a status behind what was to be read counts as written, and all before it as zeros", () => {
  for (
    const [lengths, size] of [[[4, 1], 5], [[3, 2, 5000, 1], 5006], [[10_000], 10_000]] as const
  ) {
    const { written, at } = fail([...lengths]);
    assertEquals(written, size);
    for (let position = 0; position < size - 1; position++) assertEquals(at(position), 0);
    assertEquals([at(size - 1), at(size)], [7, UNTOUCHED]);
  }
});

Deno.test("R2 a response of the status alone is one byte, and one without room is none", () => {
  const { written, at } = fail([1]);
  assertEquals([written, at(0), at(1)], [1, 7, UNTOUCHED]);
  assertEquals(fail([]).written, 0);
  assertEquals(fail([0]).at(0), UNTOUCHED);
});

Deno.test("R2 of a response that is longer than any can be nothing is zeroed, and nothing counts", () => {
  const longest = 16 * 2 ** 20 + 1;
  assertEquals(fail([longest]).written, longest);
  const { written, at } = fail([longest + 1]);
  assertEquals([written, at(0), at(longest)], [0, UNTOUCHED, 7]);
});

Deno.test("R2 nothing is written, and nothing counts, while a chain's buffers are left alone", () => {
  const { written, at } = fail([4, 1], (chain) => chain.suspend());
  assertEquals([written, at(0), at(4)], [0, UNTOUCHED, UNTOUCHED]);
});
