import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { close, fileStatus, open } from "../../../ffi/fd.ts";
import { ADDRESS_SPACE, hugePageSize, Mapping } from "../../../ffi/memory.ts";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { EPERM, SystemError } from "../../../ffi/errno.ts";
import { GuestMemory, MAX_REGIONS } from "../../../lib/virtio/guest_memory.ts";
import { RegionError } from "../../../lib/virtio/memory_region.ts";
import { createHugeMemfd, createMemfd, setFileSize } from "../../support/kernel_objects.ts";
import { GuestRam } from "../../support/guest_ram.ts";

const PAGE = 4096;
const FILE_SIZE = 16 * PAGE;
const GOOD = { guestAddress: 4 * PAGE, size: 2 * PAGE, userAddress: 64 * PAGE, fileOffset: 0 };

/** Where the files of these tests are mapped. */
function addresses(): string[] {
  const lines = Deno.readTextFileSync("/proc/self/maps").split("\n");
  return lines.filter((line) => line.includes("memfd:slots")).map((line) => line.split(" ")[0]);
}

/** How many mappings of the files of these tests there are. */
const mappings = () => addresses().length;

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
  const chunk = memory.find(PAGE);
  assertEquals(memory.bytes[chunk][5], 0x42);
  memory.views[chunk].setUint8(6, 0x43);
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
  assertEquals(memory.size, 4 * PAGE);
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
  assertEquals(fileStatus(file.fd).size, FILE_SIZE);
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
  assertEquals(memory.regionCount, count);
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
  assertEquals(bytes[0], 300 & 0xff);
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
  assertThrows(() => memory.removeRegion({ ...GOOD, guestAddress: PAGE }), RegionError);
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
  const view = memory.views[memory.find(GOOD.guestAddress)];
  assertEquals(view.getUint8(0), 0);
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

const GIBIBYTE = 2 ** 30;
/** Of 64 GiB, far from the good region. */
const LARGE = {
  guestAddress: 2 ** 40,
  size: 64 * GIBIBYTE,
  userAddress: 2 ** 45,
  fileOffset: 0,
};

Deno.test("buffers are made for the parts of guest memory that are looked at", () => {
  using file = new File(LARGE.size);
  const memory = new GuestMemory();
  memory.setTable([LARGE], [file.fd]);
  assertEquals(memory.views.length, 0);
  const address = LARGE.guestAddress + 40 * GIBIBYTE + 5;
  const chunk = memory.find(address);
  assertEquals(memory.views.length, 1);
  assertEquals(memory.starts[chunk], address - 5);
  assertEquals(memory.ends[chunk], address - 5 + GIBIBYTE);
  memory.views[chunk].setUint8(5, 0x55);
  using reader = Deno.openSync(`/proc/self/fd/${file.fd}`);
  reader.seekSync(40 * GIBIBYTE + 5, Deno.SeekMode.Start);
  const byte = new Uint8Array(1);
  reader.readSync(byte);
  assertEquals(byte[0], 0x55);
  memory.clear();
});

Deno.test("every chunk is found again, however many were looked at", () => {
  using file = new File(LARGE.size);
  const memory = new GuestMemory();
  memory.setTable([LARGE], [file.fd]);
  const offsets = Array.from({ length: 64 }, (_, index) => (index * 27 % 64) * GIBIBYTE + index);
  for (const offset of offsets) {
    const chunk = memory.find(LARGE.guestAddress + offset);
    memory.bytes[chunk][LARGE.guestAddress + offset - memory.starts[chunk]] = 1 + offset % 64;
  }
  for (const offset of offsets) {
    const chunk = memory.find(LARGE.guestAddress + offset);
    const at = LARGE.guestAddress + offset - memory.starts[chunk];
    assertEquals(memory.views[chunk].getUint8(at), 1 + offset % 64);
  }
  memory.clear();
});

Deno.test("large chunks are opened a few at a time, beyond the first ones of a table", () => {
  const region = { ...LARGE, size: 80 * GIBIBYTE };
  using file = new File(region.size);
  const memory = new GuestMemory();
  memory.setTable([region], [file.fd]);
  const open = (first: number, count: number) => {
    for (let index = first; index < first + count; index++) {
      assertNotEquals(memory.find(region.guestAddress + index * GIBIBYTE), -1);
    }
  };
  open(0, 64);
  assertStrictEquals(memory.isExhausted, true);
  assertStrictEquals(memory.find(region.guestAddress + 64 * GIBIBYTE), -1);
  open(0, 64);
  memory.replenish();
  assertStrictEquals(memory.isExhausted, false);
  open(64, 4);
  assertStrictEquals(memory.find(region.guestAddress + 70 * GIBIBYTE), -1);
  memory.addRegion(GOOD, file.fd);
  memory.replenish();
  open(68, 12);
  memory.clear();
});

/** The addresses and buffers of a large region that was looked at, to be compared later. */
function state(memory: GuestMemory) {
  const chunks = [0, 7, 63].map((index) => memory.find(LARGE.guestAddress + index * GIBIBYTE));
  return {
    mapped: addresses().filter((range) => {
      const [begin, end] = range.split("-").map((text) => parseInt(text, 16));
      return end - begin === LARGE.size;
    }),
    views: chunks.map((chunk) => memory.views[chunk]),
    bytes: chunks.map((chunk) => memory.bytes[chunk]),
  };
}

const keeping: [string, (memory: GuestMemory, fd: number) => void][] = [
  ["a region is added beside it", (memory, fd) => memory.addRegion(GOOD, fd)],
  ["a region beside it is removed", (memory, fd) => {
    memory.addRegion(GOOD, fd);
    memory.find(GOOD.guestAddress);
    memory.removeRegion(GOOD);
  }],
  ["the table repeats it", (memory, fd) => memory.setTable([LARGE], [fd])],
  ["the table repeats it with a new descriptor of its file", (memory, fd) => {
    const other = open(`/proc/self/fd/${fd}`, 2);
    memory.setTable([GOOD, LARGE], [fd, other]);
    close(other);
  }],
  ["a table that repeats it is refused", (memory, fd) => {
    assertThrows(() => memory.setTable([LARGE, { ...GOOD, size: 0 }], [fd, fd]), RegionError);
  }],
];
for (const [what, change] of keeping) {
  Deno.test(`a region keeps its mapping and its buffers when ${what}`, () => {
    using file = new File(LARGE.size);
    const memory = new GuestMemory();
    memory.setTable([LARGE], [file.fd]);
    const before = state(memory);
    change(memory, file.fd);
    const after = state(memory);
    assertEquals(after.mapped, before.mapped);
    after.views.forEach((view, index) => assertStrictEquals(view, before.views[index]));
    after.bytes.forEach((bytes, index) => assertStrictEquals(bytes, before.bytes[index]));
    assertEquals(before.views[2].getUint8(0), 0);
    memory.clear();
    assertEquals(mappings(), 0);
  });
}

Deno.test("a region that goes leaves its chunks to those that come", () => {
  using file = new File();
  const memory = new GuestMemory();
  for (let round = 0; round < 100; round++) {
    memory.addRegion(GOOD, file.fd);
    const chunk = memory.find(GOOD.guestAddress);
    assertEquals(memory.views[chunk].byteLength, GOOD.size);
    memory.removeRegion(GOOD);
    assertEquals(memory.find(GOOD.guestAddress), -1);
  }
  assertEquals(memory.views.length, 1);
  memory.clear();
});

const otherwise: [string, Partial<typeof GOOD>, boolean][] = [
  ["of another file", {}, true],
  ["of another part of its file", { fileOffset: 4 * PAGE }, false],
  ["at another front-end address", { userAddress: 512 * PAGE }, true],
  ["of another size", { size: PAGE }, true],
];
for (const [what, change, different] of otherwise) {
  Deno.test(`a region ${what} than before is another one`, () => {
    using file = new File();
    using other = new File();
    const fd = different ? other.fd : file.fd;
    const memory = new GuestMemory();
    const region = { ...GOOD, ...change };
    memory.setTable([GOOD], [file.fd]);
    memory.views[memory.find(GOOD.guestAddress)].setUint8(0, 1);
    memory.setTable([region], [fd]);
    const chunk = memory.find(region.guestAddress);
    assertEquals(memory.views[chunk].getUint8(0), 0);
    assertEquals(memory.views[chunk].byteLength, region.size);
    assertNotEquals(memory.userBuffer(region.userAddress, region.size), undefined);
    memory.clear();
    assertEquals(mappings(), 0);
  });
}

Deno.test("a region of a device is mapped anew, for it may be another with each opening", () => {
  const memory = new GuestMemory();
  const device = open("/dev/zero", 2);
  memory.setTable([GOOD], [device]);
  memory.views[memory.find(GOOD.guestAddress)].setUint8(0, 1);
  memory.setTable([GOOD], [device]);
  assertEquals(memory.views[memory.find(GOOD.guestAddress)].getUint8(0), 0);
  memory.clear();
  close(device);
});

Deno.test("V9 a region keeps its mapping only where its file is still long enough", () => {
  const path = Deno.makeTempFileSync();
  const fd = open(path, 2);
  setFileSize(fd, FILE_SIZE);
  const memory = new GuestMemory();
  memory.setTable([GOOD], [fd]);
  setFileSize(fd, PAGE);
  assertThrows(() => memory.setTable([GOOD], [fd]), RegionError);
  memory.clear();
  close(fd);
  Deno.removeSync(path);
});

Deno.test("V9 more memory than the limit is refused, in one region or in several", () => {
  using file = new File();
  const memory = new GuestMemory({ limit: 3 * PAGE });
  const other = { guestAddress: 0, size: PAGE, userAddress: PAGE, fileOffset: 0 };
  memory.setTable([GOOD, other], [file.fd, file.fd]);
  const more = { ...other, guestAddress: 2 * PAGE, userAddress: 4 * PAGE };
  const refusal = assertThrows(() => memory.addRegion(more, file.fd), RegionError);
  assertMatch(
    refusal.message,
    /^region 0x2000\+0x1000 makes .* 16384 bytes; .* map 12288 bytes .*$/,
  );
  const table = [GOOD, { ...other, size: 2 * PAGE }];
  assertThrows(() => memory.setTable(table, [file.fd, file.fd]), RegionError);
  assertEquals(memory.size, 3 * PAGE);
  memory.removeRegion(other);
  memory.addRegion(more, file.fd);
  memory.clear();
});

Deno.test("V9 a guest can have 8 TiB of memory where addresses have 47 bits, but not half of them", () => {
  using file = new File(2 ** 60);
  const memory = new GuestMemory();
  if (ADDRESS_SPACE >= 2 ** 47) {
    memory.setTable([{ ...LARGE, size: 2 ** 43 }], [file.fd]);
    assertNotEquals(memory.find(2 ** 43), -1);
  }
  const half = { ...LARGE, guestAddress: 0, size: ADDRESS_SPACE / 2 };
  assertThrows(() => memory.setTable([half], [file.fd]), RegionError);
  memory.clear();
});

Deno.test("V9 a region is whole pages of its file", () => {
  const fd = createHugeMemfd("slots");
  if (fd < 0) return;
  setFileSize(fd, 2 ** 30);
  assertEquals(hugePageSize(fd)! > PAGE, true);
  assertThrows(() => new GuestMemory().setTable([GOOD], [fd]), RegionError, "whole pages");
  assertEquals(mappings(), 0);
  close(fd);
});

Deno.test("V9 memory for which there are no pages is refused rather than touched", () => {
  const [, free] = /HugePages_Free: +(\d+)/.exec(Deno.readTextFileSync("/proc/meminfo")) ?? [];
  const fd = createHugeMemfd("slots");
  if (fd < 0 || free === undefined) return;
  const size = (Number(free) + 1) * hugePageSize(fd)!;
  setFileSize(fd, size);
  const region = { ...GOOD, size };
  assertThrows(() => new GuestMemory().setTable([region], [fd]), SystemError);
  close(fd);
});

Deno.test("memory that could not be unmapped is told of, and unmapped with the next change", () => {
  using file = new File();
  const errors: Error[] = [];
  const memory = new GuestMemory({ onStuck: (error) => errors.push(error) });
  memory.setTable([GOOD], [file.fd]);
  const close = Mapping.prototype.close;
  Mapping.prototype.close = () => {
    throw new SystemError("munmap", EPERM);
  };
  try {
    memory.removeRegion(GOOD);
  } finally {
    Mapping.prototype.close = close;
  }
  assertEquals(errors.map(({ message }) => message), [
    "munmap: Operation not permitted (EPERM)",
  ]);
  assertEquals(memory.find(GOOD.guestAddress), -1);
  assertEquals(mappings(), 1);
  memory.addRegion(GOOD, file.fd);
  assertEquals(mappings(), 1);
  memory.clear();
  assertEquals(mappings(), 0);
});
