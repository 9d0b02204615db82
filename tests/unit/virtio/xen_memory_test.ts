/** Memory of other domains, with a stand-in for the nodes that map it. */

import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { EINVAL } from "../../../ffi/errno.ts";
import { DescriptorChain, HostBuffer } from "../../../lib/virtio/descriptor_chain.ts";
import { GuestMemory } from "../../../lib/virtio/guest_memory.ts";
import { MAX_WINDOW_PAGES, MAX_WINDOWS } from "../../../lib/virtio/windows.ts";
import { decodeXenAddress, GRANTS } from "../../../lib/virtio/xen_address.ts";
import { type RegionDescription, RegionError } from "../../../lib/virtio/memory_region.ts";
import type { RamRegion } from "../../support/guest_ram.ts";
import { u64, XEN } from "../../support/wire.ts";
import { XenStandIn } from "../../support/xen_stand_in.ts";

const PAGE = 4096;
const LENT = XEN.GRANT | XEN.NO_ADVANCE_MAP;

function decode(value: bigint): number {
  return decodeXenAddress(new DataView(u64(value).buffer), 0);
}

/** As the transport describes it. */
function described(region: RamRegion): RegionDescription {
  const guestAddress = decode(region.busAddress ?? BigInt(region.guestAddress));
  const { size, userAddress, fileOffset, xen } = region;
  return { guestAddress, size, userAddress, fileOffset, xen };
}

/** A memory with these regions, and where the first of them begins. */
function memoryOf(xen: XenStandIn, ...regions: RamRegion[]): [GuestMemory, number, string[]] {
  const remarks: string[] = [];
  const memory = new GuestMemory({ onRemark: (text) => remarks.push(text) });
  memory.xen = xen.nodes;
  memory.setTable(regions.map(described), regions.map(({ fd }) => fd));
  return [memory, described(regions[0]).guestAddress, remarks];
}

Deno.test("xen: bit 63 of an address is moved to where no other gets lost", () => {
  assertStrictEquals(decode(0x1234_5678_9abcn), 0x1234_5678_9abc);
  assertStrictEquals(decode(2n ** 63n + 0xfff_ffff_f123n), GRANTS + 0xfff_ffff_f123);
  assertStrictEquals(decode(2n ** 63n + 1n), GRANTS + 1);
  assert(decode(2n ** 63n + 2n ** 52n) > Number.MAX_SAFE_INTEGER);
  assert(decode(2n ** 64n - 1n) > Number.MAX_SAFE_INTEGER);
  assert(decode(2n ** 62n) > Number.MAX_SAFE_INTEGER);
});

Deno.test("xen: a window belongs to the one who has opened it", () => {
  using xen = new XenStandIn();
  const [memory, base] = memoryOf(xen, xen.granted(0, 16, LENT));
  assertEquals(memory.find(base), -1);
  const window = memory.openWindow(base + PAGE + 8, 16, true)!;
  assertEquals(memory.starts[window.chunk], base + PAGE);
  assertEquals(memory.ends[window.chunk], base + 2 * PAGE);
  memory.bytes[window.chunk][8] = 9;
  assertEquals(xen.bytes[PAGE + 8], 9);
  // Others do not find it, or they would write where nobody may.
  assertEquals(memory.find(base + PAGE + 8), -1);
  const other = memory.openWindow(base + PAGE + 8, 16, false)!;
  assertNotStrictEquals(other.chunk, window.chunk);
  memory.closeWindow(window);
  memory.closeWindow(window);
  assertEquals(memory.starts[window.chunk], NaN);
  assertEquals(xen.mappings, 1);
  memory.closeWindow(other);
  assertEquals(xen.mappings, 0);
  const chunks = [0, 1, 2].map(() => memory.openWindow(base, 1, false)!.chunk);
  assertEquals(new Set(chunks).size, 3);
  memory.clear();
});

Deno.test("xen: chunks of regions and those of windows never take each other's numbers", () => {
  using xen = new XenStandIn();
  const region = xen.foreign(0, 4);
  const lent = xen.granted(4, 4, LENT);
  const [memory] = memoryOf(xen, lent);
  const window = memory.openWindow(described(lent).guestAddress, 1, false)!;
  memory.addRegion(described(region), region.fd);
  const chunk = memory.find(region.guestAddress);
  assertNotStrictEquals(chunk, window.chunk);
  memory.removeRegion(described(region));
  memory.closeWindow(window);
  const next = memory.openWindow(described(lent).guestAddress, 1, false)!;
  assertNotStrictEquals(next.chunk, chunk);
  assertStrictEquals(next.chunk, window.chunk);
  memory.closeWindow(next);
  for (const one of [region, xen.foreign(8, 4), xen.foreign(12, 4)]) {
    memory.addRegion(described(one), one.fd);
    assertNotStrictEquals(memory.find(one.guestAddress), window.chunk);
  }
  memory.clear();
  assertEquals(xen.mappings, 0);
});

Deno.test("xen: a window ends where its region does", () => {
  using xen = new XenStandIn();
  const short = { ...xen.granted(0, 2, LENT), size: PAGE + 100 };
  const [memory, base] = memoryOf(xen, short);
  const window = memory.openWindow(base + PAGE, 2 * PAGE, true)!;
  assertEquals(memory.ends[window.chunk], base + PAGE + 100);
  assertEquals(memory.openWindow(base + 2 * PAGE, 1, true), undefined);
  memory.clear();
});

Deno.test("xen: a region's removal ends its windows, and those who have them find no memory", () => {
  using xen = new XenStandIn();
  const lent = xen.granted(0, 16, LENT);
  const [memory, base] = memoryOf(xen, lent);
  const chain = new DescriptorChain(memory);
  chain.begin(0);
  assert(chain.append(base, 4, false) && chain.append(base + PAGE, 4, true));
  xen.bytes[0] = 7;
  assertEquals([chain.readU8(0), xen.mappings], [7, 2]);
  memory.removeRegion(described(lent));
  assertEquals(xen.mappings, 0);
  assertEquals([chain.readU8(0), chain.write(0, new HostBuffer(4), 0, 4)], [0, 0]);
  // Should it come back, so does what the chain is about.
  memory.addRegion(described(lent), lent.fd);
  assertEquals([chain.readU8(0), xen.mappings], [7, 2]);
  chain.unmap();
  assertEquals(xen.mappings, 0);
  assertEquals([chain.readU8(0), xen.mappings], [7, 2]);
  memory.clear();
  assertEquals([xen.mappings, xen.indexes], [0, 0]);
});

Deno.test("xen: a region's removal leaves the windows of others", () => {
  using xen = new XenStandIn();
  const [one, other] = [xen.granted(0, 4, LENT), xen.granted(4, 4, LENT)];
  const [memory, base] = memoryOf(xen, one, other);
  const window = memory.openWindow(base, 1, true)!;
  memory.removeRegion(described(other));
  assertEquals([memory.starts[window.chunk], xen.mappings], [base, 1]);
  memory.clear();
});

Deno.test("xen: several regions may be where the front-end has mapped nothing, at address 0", () => {
  using xen = new XenStandIn();
  const nowhere = (region: RamRegion) => ({ ...region, userAddress: 0 });
  const lent = [nowhere(xen.granted(0, 4, LENT)), nowhere(xen.granted(4, 4, LENT))];
  // Front-ends without mappings of their own may give the guest's addresses, 0 among them.
  const [memory] = memoryOf(xen, ...lent, nowhere(xen.foreign(8, 4)));
  const buffer = memory.userBuffer(8, 16)!;
  new Uint8Array(buffer.buffer)[0] = 5;
  assertEquals(xen.bytes[8 * PAGE + 8], 5);
  buffer.release();
  assertThrows(
    () => memory.addRegion(described(nowhere(xen.foreign(12, 4))), xen.privcmd),
    RegionError,
    "in front-end addresses",
  );
  memory.clear();
  // Nobody means a ring by that.
  memory.setTable([described(lent[0])], [xen.gntdev]);
  assertEquals(memory.userBuffer(8, 16), undefined);
  memory.clear();
  assertEquals(xen.mappings, 0);
});

Deno.test("xen: of what is read, nothing is mapped for writing, and what is mapped twice is not", () => {
  using xen = new XenStandIn();
  xen.grant(8, 0, true);
  const lent = xen.granted(1, 15, LENT);
  const region = { ...lent, size: 16 * PAGE, busAddress: 2n ** 63n + BigInt(8 * PAGE) };
  const [memory, base, remarks] = memoryOf(xen, region);
  const chain = new DescriptorChain(memory);
  chain.begin(0);
  assert(chain.append(base, 100, false) && chain.append(base + 200, 100, false));
  assertEquals(xen.mappings, 1);
  // Nor is it when it is mapped again.
  chain.unmap();
  xen.bytes[0] = 3;
  assertEquals([chain.readU8(0), xen.mappings], [3, 1]);
  assertEquals(chain.append(base + 300, 100, true), false);
  assertEquals(remarks.length, 1);
  chain.unmap();
  memory.clear();
});

Deno.test("xen: windows are bounded in number and in pages, all together", () => {
  using xen = new XenStandIn(MAX_WINDOW_PAGES + 2);
  const lent = xen.granted(0, MAX_WINDOW_PAGES + 2, LENT);
  const [memory, base, remarks] = memoryOf(xen, lent);
  const windows = Array.from(
    { length: MAX_WINDOWS },
    (_, index) => memory.openWindow(base + index * PAGE, 1, true)!,
  );
  assertEquals(memory.openWindow(base, 1, true), undefined);
  memory.closeWindow(windows.pop()!);
  const rest = MAX_WINDOW_PAGES - windows.length;
  assertEquals(memory.openWindow(base, rest * PAGE + 1, true), undefined);
  assert(memory.openWindow(base, rest * PAGE, true) !== undefined);
  // However often it happens, and however it is meant: it is said once for each table.
  assertEquals(remarks.length, 1);
  assertEquals(memory.openWindow(base, 1, true), undefined);
  memory.clear();
  assertEquals(xen.mappings, 0);
  memory.setTable([described(lent)], [lent.fd]);
  assertEquals(memory.openWindow(base, (MAX_WINDOW_PAGES + 1) * PAGE, true), undefined);
  assertEquals(remarks.length, 2);
  assert(memory.openWindow(base, MAX_WINDOW_PAGES * PAGE, true) !== undefined);
  memory.clear();
});

Deno.test("xen: what takes no address space does not count as mapped", () => {
  using xen = new XenStandIn();
  const memory = new GuestMemory({ limit: 8 * PAGE });
  memory.xen = xen.nodes;
  const lent = { ...xen.granted(8, 8, LENT), size: 2 ** 40, userAddress: 0 };
  memory.setTable([described(lent), described(xen.foreign(0, 8))], [lent.fd, xen.privcmd]);
  assertEquals(memory.find(xen.foreign(0, 8).guestAddress) >= 0, true);
  assertThrows(
    () => memory.addRegion(described(xen.foreign(16, 1)), xen.privcmd),
    RegionError,
    "the daemon can map 32768 bytes for each of its guests",
  );
  memory.clear();
});

Deno.test("xen: a table that is refused leaves the old one as it is, and nothing else", () => {
  using xen = new XenStandIn();
  const lent = xen.granted(0, 4, LENT);
  const [memory, base] = memoryOf(xen, lent);
  const window = memory.openWindow(base, 1, true)!;
  const good = xen.foreign(4, 4);
  xen.badFrames.set(xen.firstFrame + 8, EINVAL);
  const bad = xen.foreign(8, 1);
  const other = xen.granted(20, 4, LENT);
  try {
    const all = [good, other, bad];
    memory.setTable(all.map(described), all.map(({ fd }) => fd));
    throw new Error("it was taken");
  } catch (error) {
    assertStrictEquals((error as Error).name, "RegionError");
  }
  assertEquals([memory.regionCount, xen.mappings], [1, 1]);
  assertEquals(memory.starts[window.chunk], base);
  memory.clear();
  assertEquals(xen.mappings, 0);
});
