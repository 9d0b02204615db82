import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  F_EVENT_IDX,
  F_INDIRECT_DESC,
  F_NOTIFY_ON_EMPTY,
  F_VERSION_1,
} from "../../../lib/virtio/features.ts";
import { DescriptorChain } from "../../../lib/virtio/descriptor_chain.ts";
import { GuestMemory } from "../../../lib/virtio/guest_memory.ts";
import {
  BAD_CHAIN,
  BROKEN,
  CHAIN,
  EMPTY,
  isQueueSize,
  SplitQueue,
} from "../../../lib/virtio/split_queue.ts";
import {
  DESC_INDIRECT,
  DESC_NEXT,
  DESC_WRITE,
  DriverQueue,
  type QueueOptions,
  writeDescriptor,
} from "../../support/driver_queue.ts";
import { GuestRam } from "../../support/guest_ram.ts";

const PLAIN = F_VERSION_1 | F_INDIRECT_DESC;

/** Both sides of a ring, with nothing in between. */
class Ring implements Disposable {
  readonly ram: GuestRam;
  readonly memory = new GuestMemory();
  readonly driver: DriverQueue;
  readonly device: SplitQueue;
  readonly chain = new DescriptorChain(this.memory);

  constructor(options: QueueOptions = {}, features = PLAIN, ram = new GuestRam()) {
    this.ram = ram;
    this.memory.setTable(ram.regions, ram.regions.map(({ fd }) => fd));
    const eventIndex = (features & F_EVENT_IDX) !== 0n;
    this.driver = new DriverQueue(0, ram, { ...options, eventIndex });
    const { size, addresses, base } = this.driver;
    const device = SplitQueue.open(this.memory, size, addresses, base, features);
    if (typeof device === "string") throw new Error(device);
    this.device = device;
  }

  /** Has the device take and return everything that there is. */
  serve(): number {
    for (let count = 0;; count++) {
      const found = this.device.pop(this.chain);
      if (found === EMPTY) return count;
      assertStrictEquals(found, CHAIN);
      this.device.push(this.chain.head, 0);
    }
  }

  /** Offers a chain that begins at `head` and tells what the device makes of it. */
  pop(head = 0): number {
    this.driver.offer(head);
    return this.device.pop(this.chain);
  }

  [Symbol.dispose](): void {
    this.device.close();
    this.driver[Symbol.dispose]();
    this.memory.clear();
    this.ram[Symbol.dispose]();
  }
}

Deno.test("a queue size is a power of two up to 32768", () => {
  const sizes = [0, 1, 2, 3, 4, 5, 255, 256, 32768, 65536, 2 ** 31].filter(isQueueSize);
  assertEquals(sizes, [1, 2, 4, 256, 32768]);
});

Deno.test("an empty ring gives nothing", () => {
  using ring = new Ring();
  assertEquals(ring.device.hasAvailable(), false);
  assertStrictEquals(ring.device.pop(ring.chain), EMPTY);
});

Deno.test("a chain comes with its head and the lengths of both its parts", () => {
  using ring = new Ring();
  const { ram, driver, device, chain } = ring;
  driver.place([{ address: ram.allocate(8), length: 8 }]);
  const head = driver.place([
    { address: ram.allocate(8), length: 8 },
    { address: ram.allocate(4), length: 4 },
    { address: ram.allocate(2), length: 2, writable: true },
  ]);
  driver.offer(head);
  assertEquals(device.hasAvailable(), true);
  assertStrictEquals(device.pop(chain), CHAIN);
  assertEquals([chain.head, chain.readableLength, chain.writableLength], [head, 12, 2]);
  assertEquals(device.hasAvailable(), false);
});

Deno.test("chains come in the order in which they were made available", () => {
  using ring = new Ring();
  const { ram, driver, device, chain } = ring;
  const heads = [1, 2, 3].map((length) => driver.place([{ address: ram.allocate(8), length }]));
  driver.offer(heads[2], heads[0], heads[1]);
  const lengths = heads.map(() => {
    device.pop(chain);
    return chain.readableLength;
  });
  assertEquals(lengths, [3, 1, 2]);
});

Deno.test("a returned chain appears in the used ring with its length", () => {
  using ring = new Ring();
  const { driver, device } = ring;
  device.push(5, 0x1234_5678);
  device.push(3, 0);
  assertEquals(driver.usedIndexOfDevice, 2);
  assertEquals(driver.takeUsed(), { head: 5, length: 0x1234_5678 });
  assertEquals(driver.takeUsed(), { head: 3, length: 0 });
});

Deno.test("of several chains in a row the driver sees those that are published, and the last at once", () => {
  using ring = new Ring();
  const { ram, driver, device, chain } = ring;
  const heads = [1, 2, 3].map(() => driver.place([{ address: ram.allocate(8), length: 8 }]));
  driver.offer(...heads);
  const seen = heads.map((head, index) => {
    device.pop(chain);
    device.add(head, 0);
    const before = driver.usedIndexOfDevice;
    if (index === 1) device.publish();
    return [before, driver.usedIndexOfDevice];
  });
  assertEquals(seen, [[0, 0], [0, 2], [3, 3]]);
});

Deno.test("R4 whoever asks whether a call is due has published what is used", () => {
  using ring = new Ring();
  const { ram, driver, device, chain } = ring;
  const head = driver.place([{ address: ram.allocate(8), length: 8 }]);
  driver.offer(head, head);
  device.pop(chain);
  device.add(head, 0);
  assertEquals(device.needsCall(), true);
  assertEquals(driver.usedIndexOfDevice, 1);
});

for (const size of [1, 2, 256, 32768]) {
  Deno.test(`R4 a queue of ${size} goes on when its indices wrap around`, () => {
    const ram = new GuestRam([{ guestAddress: 0, size: 0x40_0000 }]);
    using ring = new Ring({ size, base: 0xfff0 }, PLAIN, ram);
    const { driver } = ring;
    const address = ram.allocate(8);
    for (let count = 0; count < 40; count++) {
      const head = driver.place([{ address, length: 8 }]);
      driver.offer(head);
      assertEquals(ring.serve(), 1);
      assertEquals(driver.takeUsed(), { head, length: 0 });
    }
    assertStrictEquals(driver.usedIndexOfDevice, 0xfff0 + 40 - 0x10000);
    assertStrictEquals(ring.device.lastAvailable, 0xfff0 + 40 - 0x10000);
  });
}

Deno.test("R4 a queue of 32768 can be full", () => {
  const ram = new GuestRam([{ guestAddress: 0, size: 0x40_0000 }]);
  using ring = new Ring({ size: 32768 }, PLAIN, ram);
  const address = ram.allocate(8);
  const heads = Array.from(
    { length: 32768 },
    () => ring.driver.place([{ address, length: 8 }]),
  );
  ring.driver.offer(...heads);
  assertEquals(ring.serve(), 32768);
});

Deno.test("a ring that is reopened goes on where both of its indices are", () => {
  using ring = new Ring({ size: 4 });
  const { ram, driver, device, memory, chain } = ring;
  const address = ram.allocate(8);
  for (let count = 0; count < 3; count++) {
    driver.offer(driver.place([{ address, length: 8 }]));
    ring.serve();
    driver.takeUsed();
  }
  device.close();
  const { size, addresses } = driver;
  const again = SplitQueue.open(memory, size, addresses, device.lastAvailable, PLAIN);
  assert(typeof again !== "string");
  const head = driver.place([{ address, length: 8 }]);
  driver.offer(head);
  assertStrictEquals(again.pop(chain), CHAIN);
  again.push(chain.head, 1);
  again.close();
  assertEquals(driver.takeUsed(), { head, length: 1 });
});

// Notifications

Deno.test("R4 a call is due after a push, once", () => {
  using ring = new Ring();
  assertEquals(ring.device.needsCall(), false);
  ring.device.push(0, 0);
  ring.device.push(1, 0);
  assertEquals(ring.device.needsCall(), true);
  assertEquals(ring.device.needsCall(), false);
});

Deno.test("R4 NO_INTERRUPT keeps calls away", () => {
  using ring = new Ring();
  ring.driver.disableCalls();
  ring.device.push(0, 0);
  assertEquals(ring.device.needsCall(), false);
  ring.driver.enableCalls();
  ring.device.push(1, 0);
  assertEquals(ring.device.needsCall(), true);
});

Deno.test("R4 EVENT_IDX wants a call only when its index is passed", () => {
  using ring = new Ring({ base: 0xfffe }, PLAIN | F_EVENT_IDX);
  const { driver, device } = ring;
  device.push(0, 0);
  device.needsCall();
  driver.takeUsed();
  driver.enableCalls(2);
  const wanted = [0, 1, 2, 3].map((head) => {
    device.push(head, 0);
    return device.needsCall();
  });
  assertEquals(wanted, [false, false, true, false]);
});

Deno.test("R5 with EVENT_IDX the first push after the start wants a call, whatever was before", () => {
  using ring = new Ring({ base: 7 }, PLAIN | F_EVENT_IDX);
  const { driver, device } = ring;
  // The driver waits for an index that was passed before, and nobody has told it.
  driver.enableCalls(-3);
  const wanted = [0, 1].map((head) => {
    device.push(head, 0);
    return device.needsCall();
  });
  assertEquals(wanted, [true, false]);
});

Deno.test("R4 EVENT_IDX wants a call when several pushes at once pass its index", () => {
  using ring = new Ring({}, PLAIN | F_EVENT_IDX);
  ring.device.push(0, 0);
  ring.device.needsCall();
  ring.driver.enableCalls(2);
  for (let head = 0; head < 8; head++) ring.device.push(head, 0);
  assertEquals(ring.device.needsCall(), true);
});

Deno.test("NOTIFY_ON_EMPTY calls for the last buffer even under NO_INTERRUPT", () => {
  using ring = new Ring({}, PLAIN | F_NOTIFY_ON_EMPTY);
  const { ram, driver, device, chain } = ring;
  const place = () => driver.place([{ address: ram.allocate(8), length: 8 }]);
  driver.disableCalls();
  driver.offer(place(), place());
  device.pop(chain);
  device.push(chain.head, 0);
  assertEquals(device.needsCall(), false);
  device.pop(chain);
  device.push(chain.head, 0);
  assertEquals(device.needsCall(), true);
});

for (const features of [PLAIN, PLAIN | F_EVENT_IDX]) {
  const how = features & F_EVENT_IDX ? "EVENT_IDX" : "NO_NOTIFY";
  Deno.test(`R4 with ${how} the driver need not kick while the ring is being looked at`, () => {
    using ring = new Ring({ size: 4 }, features);
    const { ram, driver, device } = ring;
    const address = ram.allocate(8);
    const offer = () => {
      const before = driver.availableIndex;
      driver.offer(driver.place([{ address, length: 8 }]));
      return driver.wantsKick(before);
    };
    assertEquals(device.enableKicks(), false);
    assertEquals(offer(), true);
    device.disableKicks();
    assertEquals(offer(), false);
    assertEquals(ring.serve(), 2);
    assertEquals(device.enableKicks(), false);
    assertEquals(offer(), true);
  });
}

Deno.test("asking for kicks tells of what has come in the meantime", () => {
  using ring = new Ring();
  ring.device.disableKicks();
  ring.driver.offer(ring.driver.place([{ address: ring.ram.allocate(8), length: 8 }]));
  assertEquals(ring.device.enableKicks(), true);
});

// Drivers that break the rules

Deno.test("R1 a descriptor index outside of the table breaks the ring", () => {
  using ring = new Ring({ size: 4 });
  assertStrictEquals(ring.pop(4), BROKEN);
  assertStrictEquals(ring.device.pop(ring.chain), BROKEN);
});

Deno.test("R1 more available entries than the ring has breaks it", () => {
  using ring = new Ring({ size: 4 });
  ring.driver.pretendAvailable(5);
  assertStrictEquals(ring.device.pop(ring.chain), BROKEN);
});

Deno.test("R1 an available index that goes back breaks the ring", () => {
  using ring = new Ring({ size: 4, base: 7 });
  ring.driver.pretendAvailable(6);
  assertStrictEquals(ring.device.pop(ring.chain), BROKEN);
});

Deno.test("R1 a next field outside of the table is refused", () => {
  using ring = new Ring({ size: 4 });
  const address = ring.ram.allocate(8);
  ring.driver.setDescriptor(0, { address, length: 8, flags: DESC_NEXT, next: 4 });
  assertStrictEquals(ring.pop(), BAD_CHAIN);
  assertEquals(ring.chain.head, 0);
});

Deno.test("R1 a loop is refused", () => {
  using ring = new Ring({ size: 4 });
  const address = ring.ram.allocate(8);
  ring.driver.setDescriptor(0, { address, length: 8, flags: DESC_NEXT, next: 1 });
  ring.driver.setDescriptor(1, { address, length: 8, flags: DESC_NEXT, next: 0 });
  assertStrictEquals(ring.pop(), BAD_CHAIN);
});

Deno.test("R1 a chain of all descriptors is none too many", () => {
  using ring = new Ring({ size: 4 });
  const address = ring.ram.allocate(8);
  const head = ring.driver.place(Array.from({ length: 4 }, () => ({ address, length: 8 })));
  assertStrictEquals(ring.pop(head), CHAIN);
  assertEquals(ring.chain.readableLength, 32);
});

Deno.test("R1 an indirect table of as many descriptors as the queue has is none too many", () => {
  using ring = new Ring({ size: 4 });
  const segment = { address: ring.ram.allocate(8), length: 8 };
  const head = ring.driver.place(Array.from({ length: 4 }, () => segment), true);
  assertStrictEquals(ring.pop(head), CHAIN);
  assertStrictEquals(ring.chain.readableLength, 32);
});

Deno.test("R1 an indirect table with more descriptors than the queue is refused", () => {
  using ring = new Ring({ size: 4 });
  const segment = { address: ring.ram.allocate(8), length: 8 };
  const head = ring.driver.place(Array.from({ length: 5 }, () => segment), true);
  assertStrictEquals(ring.pop(head), BAD_CHAIN);
});

Deno.test("R1 a loop in an indirect table is refused", () => {
  using ring = new Ring({ size: 4 });
  const address = ring.ram.allocate(8);
  const table = ring.ram.allocate(16);
  const view = ring.ram.view(table, 16);
  writeDescriptor(view, 0, { address, length: 8, flags: DESC_NEXT, next: 0 });
  ring.driver.setDescriptor(0, { address: table, length: 16, flags: DESC_INDIRECT });
  assertStrictEquals(ring.pop(), BAD_CHAIN);
});

Deno.test("R1 an indirect table inside an indirect table is refused", () => {
  using ring = new Ring();
  const table = ring.ram.allocate(16);
  const view = ring.ram.view(table, 16);
  writeDescriptor(view, 0, { address: table, length: 16, flags: DESC_INDIRECT });
  ring.driver.setDescriptor(0, { address: table, length: 16, flags: DESC_INDIRECT });
  assertStrictEquals(ring.pop(), BAD_CHAIN);
});

for (const length of [0, 8, 17, 0xffff_ffff]) {
  Deno.test(`R1 an indirect table of ${length} bytes is refused`, () => {
    using ring = new Ring();
    const address = ring.ram.allocate(64);
    ring.driver.setDescriptor(0, { address, length, flags: DESC_INDIRECT });
    assertStrictEquals(ring.pop(), BAD_CHAIN);
  });
}

Deno.test("R1 a descriptor that is indirect and has a next one is refused", () => {
  using ring = new Ring();
  const table = ring.ram.allocate(16);
  writeDescriptor(ring.ram.view(table, 16), 0, { address: table, length: 8 });
  const flags = DESC_INDIRECT | DESC_NEXT;
  ring.driver.setDescriptor(0, { address: table, length: 16, flags, next: 1 });
  assertStrictEquals(ring.pop(), BAD_CHAIN);
});

Deno.test("R1 a next field outside of an indirect table is refused", () => {
  using ring = new Ring();
  const table = ring.ram.allocate(64);
  const view = ring.ram.view(table, 64);
  writeDescriptor(view, 0, { address: table, length: 8, flags: DESC_NEXT, next: 2 });
  writeDescriptor(view, 32, { address: table, length: 8 });
  ring.driver.setDescriptor(0, { address: table, length: 32, flags: DESC_INDIRECT });
  assertStrictEquals(ring.pop(), BAD_CHAIN);
});

Deno.test("R1 an indirect table is refused where the driver did not take the feature", () => {
  using ring = new Ring({}, F_VERSION_1);
  const head = ring.driver.place([{ address: ring.ram.allocate(8), length: 8 }], true);
  assertStrictEquals(ring.pop(head), BAD_CHAIN);
});

Deno.test("R1 an indirect table outside of guest memory is refused", () => {
  using ring = new Ring();
  for (const address of [0, 0x2f_fff8, 0x30_0000, 2n ** 53n, 2n ** 64n - 16n, 2n ** 64n - 1n]) {
    ring.driver.setDescriptor(0, { address, length: 32, flags: DESC_INDIRECT });
    assertStrictEquals(ring.pop(), BAD_CHAIN, `0x${address.toString(16)}`);
  }
});

Deno.test("R1 a buffer outside of guest memory is refused", () => {
  using ring = new Ring();
  for (const address of [0, 0xf_ffff, 0x2f_fff9, 0x30_0000, 2n ** 53n + 1n, 2n ** 64n - 8n]) {
    ring.driver.setDescriptor(0, { address, length: 8 });
    assertStrictEquals(ring.pop(), BAD_CHAIN, `0x${address.toString(16)}`);
  }
});

Deno.test("R1 a buffer that is longer than guest memory is refused", () => {
  using ring = new Ring();
  ring.driver.setDescriptor(0, { address: 0x10_0000, length: 0xffff_ffff });
  assertStrictEquals(ring.pop(), BAD_CHAIN);
});

Deno.test("R1 a readable buffer after a writable one is refused", () => {
  using ring = new Ring();
  const address = ring.ram.allocate(8);
  const head = ring.driver.place([{ address, length: 8, writable: true }, { address, length: 8 }]);
  assertStrictEquals(ring.pop(head), BAD_CHAIN);
});

Deno.test("R1 a good chain after a bad one is taken", () => {
  using ring = new Ring();
  ring.driver.setDescriptor(0, { address: 0, length: 8, flags: DESC_WRITE });
  assertStrictEquals(ring.pop(), BAD_CHAIN);
  ring.driver.setDescriptor(0, { address: 0x10_0000, length: 8, flags: DESC_WRITE });
  assertStrictEquals(ring.pop(), CHAIN);
  assertEquals([ring.chain.readableLength, ring.chain.writableLength], [0, 8]);
});

// Where the ring lies

Deno.test("a ring whose parts are outside of the memory table or misaligned cannot be opened", () => {
  using ring = new Ring({ size: 4 });
  const { memory, driver } = ring;
  const { descriptors, available, used } = driver.addresses;
  const end = ring.ram.regions[0].userAddress + ring.ram.regions[0].size;
  const wrong = [
    { descriptors: descriptors + 8, available, used },
    { descriptors, available: available + 1, used },
    { descriptors, available, used: used + 2 },
    { descriptors: 0, available, used },
    { descriptors: end - 32, available, used },
    { descriptors, available: end - 8, used },
    { descriptors, available, used: end - 16 },
    { descriptors, available, used: 2 ** 64 },
  ];
  for (const addresses of wrong) {
    assertEquals(typeof SplitQueue.open(memory, 4, addresses, 0, PLAIN), "string");
  }
});

/** Memory of one page after the other, each a region; the ring is in the first, a larger one. */
const PAGES = Array.from({ length: 40 }, (_, index) => ({
  guestAddress: 0x10_0000 + (index === 0 ? 0 : 0x10_0000 + index * 4096),
  size: index === 0 ? 0x10_1000 : 4096,
}));

Deno.test("a chain may have one segment for each descriptor and each region", () => {
  const ram = new GuestRam(PAGES);
  {
    using ring = new Ring({ size: 16 }, PLAIN, ram);
    const begin = PAGES[1].guestAddress;
    const across = Array.from({ length: 15 }, (_, index) => ({
      address: ram.allocate(16),
      length: 16,
      writable: index > 7,
    }));
    const head = ring.driver.place([{ address: begin, length: 39 * 4096 }, ...across]);
    assertStrictEquals(ring.pop(head), CHAIN);
    assertStrictEquals(ring.chain.readableLength, 39 * 4096 + 8 * 16);
  }
  ram[Symbol.dispose]();
});

Deno.test("R1 a chain that goes through all regions again and again is refused", () => {
  const ram = new GuestRam(PAGES);
  {
    using ring = new Ring({ size: 16 }, PLAIN, ram);
    const all = { address: PAGES[1].guestAddress, length: 39 * 4096 };
    const head = ring.driver.place([all, all, all, all]);
    assertStrictEquals(ring.pop(head), BAD_CHAIN);
    assertStrictEquals(ring.pop(ring.driver.place([all])), CHAIN);
  }
  ram[Symbol.dispose]();
});
