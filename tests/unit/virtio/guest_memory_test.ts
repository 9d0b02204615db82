import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { close, open, regularFileSize } from "../../../ffi/fd.ts";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { EPERM, SystemError } from "../../../ffi/errno.ts";
import { GuestMemory, MAX_REGIONS, RegionError } from "../../../lib/virtio/guest_memory.ts";
import { createMemfd, setFileSize } from "../../support/kernel_objects.ts";
import { GuestRam } from "../../support/guest_ram.ts";

const PAGE = 4096;
const FILE_SIZE = 16 * PAGE;
const GOOD = { guestAddress: 4 * PAGE, size: 2 * PAGE, userAddress: 64 * PAGE, fileOffset: 0 };

/** How many mappings of the files of these tests there are. */
function mappings(): number {
  const lines = Deno.readTextFileSync("/proc/self/maps").split("\n");
  return lines.filter((line) => line.includes("memfd:slots")).length;
}

class File implements Disposable {
  readonly fd: number;

  constructor(size = FILE_SIZE) {
    this.fd = createMemfd("slots", size);
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

Deno.test("addresses are found in their region and nowhere else", () => {
  using ram = new GuestRam([
    { guestAddress: 8 * PAGE, size: PAGE },
    { guestAddress: 2 * PAGE, size: 2 * PAGE },
  ]);
  const memory = new GuestMemory();
  memory.setTable(ram.regions, ram.regions.map(({ fd }) => fd));
  const found = [
    0,
    2 * PAGE - 1,
    2 * PAGE,
    4 * PAGE - 1,
    4 * PAGE,
    8 * PAGE,
    9 * PAGE - 1,
    9 * PAGE,
  ]
    .map((address) => memory.find(address));
  assertEquals(found, [-1, -1, 0, 0, -1, 1, 1, -1]);
  assertEquals([-1, NaN, Infinity, 2 ** 64].map((address) => memory.find(address)), [
    -1,
    -1,
    -1,
    -1,
  ]);
  memory.clear();
  assertEquals(memory.find(2 * PAGE), -1);
});

Deno.test("the back-end sees what the guest writes, and the other way round", () => {
  using ram = new GuestRam([{ guestAddress: PAGE, size: PAGE, fileOffset: 2 * PAGE }]);
  const memory = new GuestMemory();
  memory.setTable(ram.regions, [ram.regions[0].fd]);
  ram.write(PAGE + 5, [0x42]);
  assertEquals(memory.bytes[0][5], 0x42);
  memory.views[0].setUint8(6, 0x43);
  assertEquals(ram.read(PAGE + 6, 1)[0], 0x43);
  memory.clear();
});

const refused: [string, Partial<typeof GOOD>][] = [
  ["without a size", { size: 0 }],
  ["at a guest address off the page", { guestAddress: 4 * PAGE + 8 }],
  ["at a front-end address off the page", { userAddress: 64 * PAGE + 1 }],
  ["at a file offset off the page", { fileOffset: 512 }],
  ["whose guest addresses overflow", { guestAddress: 2 ** 64 - PAGE }],
  ["whose front-end addresses overflow", { userAddress: 2 ** 64 - PAGE }],
  ["whose file offset overflows", { fileOffset: 2 ** 64 - PAGE }],
  ["of 2^64 bytes less one page", { size: 2 ** 64 - PAGE }],
  ["beyond the end of its file", { fileOffset: FILE_SIZE - PAGE }],
  ["that is larger than its file", { size: FILE_SIZE + PAGE }],
  ["that is one byte larger than its file", { size: FILE_SIZE + 1 }],
];
for (const [what, change] of refused) {
  Deno.test(`V9 a region ${what} is refused and the old table stays`, () => {
    using file = new File();
    const memory = new GuestMemory();
    memory.setTable([GOOD], [file.fd]);
    assertThrows(() => memory.setTable([{ ...GOOD, ...change }], [file.fd]), RegionError);
    assertEquals(memory.regionCount, 1);
    assertEquals(memory.find(GOOD.guestAddress), 0);
    assertEquals(memory.views[0].getUint8(0), 0);
    memory.clear();
    assertEquals(mappings(), 0);
  });
}

Deno.test("V9 regions that overlap in guest or front-end addresses are refused", () => {
  using file = new File();
  const memory = new GuestMemory();
  const elsewhere = { ...GOOD, guestAddress: 32 * PAGE, userAddress: 128 * PAGE };
  const overlapping = [
    { ...elsewhere, guestAddress: GOOD.guestAddress },
    { ...elsewhere, guestAddress: GOOD.guestAddress + PAGE },
    { ...elsewhere, guestAddress: GOOD.guestAddress - PAGE },
    { ...elsewhere, userAddress: GOOD.userAddress + PAGE },
    { ...elsewhere, guestAddress: 0, size: FILE_SIZE },
  ];
  for (const other of overlapping) {
    assertThrows(() => memory.setTable([GOOD, other], [file.fd, file.fd]), RegionError);
  }
  memory.setTable([GOOD, elsewhere], [file.fd, file.fd]);
  assertEquals(memory.regionCount, 2);
  memory.clear();
  assertEquals(mappings(), 0);
});

Deno.test("V9 regions that touch are accepted", () => {
  using file = new File();
  const memory = new GuestMemory();
  const next = {
    ...GOOD,
    guestAddress: GOOD.guestAddress + GOOD.size,
    userAddress: GOOD.userAddress + GOOD.size,
  };
  memory.setTable([next, GOOD], [file.fd, file.fd]);
  assertStrictEquals(memory.size, 4 * PAGE);
  memory.clear();
});

Deno.test("V9 a descriptor that is no memory is refused", () => {
  const memory = new GuestMemory();
  const eventfd = createEventfd();
  assertThrows(() => memory.setTable([GOOD], [eventfd]), RegionError);
  close(eventfd);
  assertThrows(() => memory.setTable([GOOD], []), RegionError);
  assertThrows(() => memory.setTable([GOOD], [-1]), RegionError);
  const folder = open("/", 0);
  assertThrows(() => memory.setTable([GOOD], [folder]), RegionError);
  close(folder);
  const device = open("/dev/null", 2);
  assertThrows(() => memory.setTable([GOOD], [device]), SystemError);
  close(device);
});

Deno.test("V9 a file that is open for reading only is refused", () => {
  using file = new File();
  const readOnly = open(`/proc/self/fd/${file.fd}`, 0);
  assertThrows(() => new GuestMemory().setTable([GOOD], [readOnly]), SystemError);
  close(readOnly);
});

Deno.test("V9 a memfd that was accepted cannot be cut afterwards, where it can be sealed", () => {
  using file = new File();
  const memory = new GuestMemory();
  memory.setTable([GOOD], [file.fd]);
  assertStrictEquals(assertThrows(() => setFileSize(file.fd, 0), SystemError).errno, EPERM);
  assertStrictEquals(regularFileSize(file.fd), FILE_SIZE);
  memory.clear();
});

Deno.test("V9 as many regions as announced fit, and not one more", () => {
  const count = MAX_REGIONS;
  using file = new File((count + 1) * PAGE);
  const memory = new GuestMemory();
  const slot = (index: number) => ({
    guestAddress: 2 * index * PAGE,
    size: PAGE,
    userAddress: (4096 + index) * PAGE,
    fileOffset: index * PAGE,
  });
  for (let index = 0; index < count; index++) memory.addRegion(slot(index), file.fd);
  assertStrictEquals(memory.regionCount, count);
  assertEquals(mappings() > 0, true);
  for (let index = 0; index < count; index++) {
    const chunk = memory.find(2 * index * PAGE + 7);
    memory.bytes[chunk][7] = index & 0xff;
  }
  assertThrows(() => memory.addRegion(slot(count), file.fd), RegionError);
  const bytes = new Uint8Array(1);
  using reader = Deno.openSync(`/proc/self/fd/${file.fd}`);
  reader.seekSync(300 * PAGE + 7, Deno.SeekMode.Start);
  reader.readSync(bytes);
  assertStrictEquals(bytes[0], 300 & 0xff);
  memory.clear();
  assertEquals(mappings(), 0);
});

Deno.test("V9 a region is removed by its addresses and size", () => {
  using file = new File();
  const memory = new GuestMemory();
  const other = { guestAddress: 0, size: PAGE, userAddress: PAGE, fileOffset: 3 * PAGE };
  memory.addRegion(GOOD, file.fd);
  memory.addRegion(other, file.fd);
  assertThrows(() => memory.removeRegion({ ...GOOD, size: PAGE }), RegionError);
  assertThrows(() => memory.removeRegion({ ...GOOD, userAddress: 0 }), RegionError);
  memory.removeRegion({ ...GOOD, fileOffset: 0 });
  assertEquals(memory.find(GOOD.guestAddress), -1);
  assertEquals(memory.find(0), 0);
  assertThrows(() => memory.removeRegion(GOOD), RegionError);
  memory.clear();
  assertEquals(mappings(), 0);
});

Deno.test("V9 a table of which one region is refused leaves no mapping behind", () => {
  using file = new File();
  const memory = new GuestMemory();
  const bad = { ...GOOD, guestAddress: 32 * PAGE, userAddress: 128 * PAGE, size: 2 * FILE_SIZE };
  for (let round = 0; round < 10; round++) {
    assertThrows(() => memory.setTable([GOOD, bad], [file.fd, file.fd]), RegionError);
  }
  assertEquals(mappings(), 0);
});

Deno.test("views of memory that was unmapped are of no length", () => {
  using file = new File();
  const memory = new GuestMemory();
  memory.setTable([GOOD], [file.fd]);
  const [view] = memory.views;
  const part = memory.userBuffer(GOOD.userAddress, 16);
  memory.clear();
  assertThrows(() => view.getUint8(0), TypeError);
  assertEquals(part?.buffer.byteLength, 0);
});

Deno.test("a part of the front-end's memory must lie within one region", () => {
  using file = new File();
  const memory = new GuestMemory();
  memory.setTable([GOOD], [file.fd]);
  const at = (address: number, length: number) => memory.userBuffer(address, length) !== undefined;
  assertEquals(at(GOOD.userAddress, GOOD.size), true);
  assertEquals(at(GOOD.userAddress + GOOD.size - 8, 8), true);
  assertEquals(at(GOOD.userAddress + GOOD.size - 8, 9), false);
  assertEquals(at(GOOD.userAddress - 1, 2), false);
  assertEquals(at(GOOD.guestAddress, 8), false);
  assertEquals(at(2 ** 64, 8), false);
  memory.clear();
});
