/** Guests of Xen, with a stand-in for the two nodes. */

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { EINVAL } from "../../../ffi/errno.ts";
import type { DescriptorChain } from "../../../lib/virtio/descriptor_chain.ts";
import type { DeviceHost } from "../../../lib/virtio/device.ts";
import { SplitQueue } from "../../../lib/virtio/split_queue.ts";
import { DriverQueue } from "../../support/driver_queue.ts";
import { EchoDevice, HOLD_QUEUE } from "../../support/echo_device.ts";
import { Guest, type GuestOptions } from "../../support/guest.ts";
import { GuestRam, type RamRegion } from "../../support/guest_ram.ts";
import { InProcess } from "../../support/in_process.ts";
import {
  concatenate,
  memoryTable,
  PROTOCOL_CONFIGURE_MEM_SLOTS,
  PROTOCOL_REPLY_ACK,
  PROTOCOL_XEN_MMAP,
  region,
  REQUEST,
  u64,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VIRTIO_F_VERSION_1,
  type WireRegion,
  XEN,
} from "../../support/wire.ts";
import { XenStandIn } from "../../support/xen_stand_in.ts";

const PAGE = 4096;
const PROTOCOL = PROTOCOL_REPLY_ACK | PROTOCOL_CONFIGURE_MEM_SLOTS | PROTOCOL_XEN_MMAP;

/** A back-end on a host of Xen. */
function backEndOn(xen: XenStandIn): InProcess {
  return new InProcess(new EchoDevice(), xen.nodes);
}

/** A guest with its rings in the first region and its buffers in the second, if there is one. */
function guestOf(backEnd: InProcess, regions: RamRegion[], options: GuestOptions = {}): Guest {
  const ram = new GuestRam(regions);
  const buffers = regions[1];
  return new Guest(backEnd.connect(), {
    ram,
    ...(buffers === undefined ? {} : { buffers }),
    protocolFeatures: PROTOCOL,
    acknowledged: true,
    ...options,
  });
}

function connect(backEnd: InProcess) {
  const frontEnd = backEnd.connect();
  frontEnd.setProtocolFeatures(PROTOCOL);
  frontEnd.setFeatures(VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES);
  return frontEnd;
}

/** The outcome of a memory table of one region, which came with `fd`. */
function tell(backEnd: InProcess, description: WireRegion, fd: number): bigint {
  using frontEnd = connect(backEnd);
  return frontEnd.outcome(REQUEST.SET_MEM_TABLE, memoryTable([description]), [fd]);
}

Deno.test("xen: the feature is offered where there is a node", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  using frontEnd = backEnd.connect();
  const offered = () => (frontEnd.getProtocolFeatures() & PROTOCOL_XEN_MMAP) !== 0n;
  assertEquals(offered(), true);
  xen.missing = ["/dev/xen/gntdev"];
  assertEquals(offered(), true);
  xen.missing = ["/dev/xen/gntdev", "/dev/xen/privcmd"];
  assertEquals(offered(), false);
});

Deno.test("xen: the feature changes how regions are described, and not while there are some", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  using frontEnd = connect(backEnd);
  const foreign = xen.foreign(0, 2);
  const plain = region({ ...foreign, xen: undefined } as unknown as WireRegion);
  const outcome = (description: ArrayLike<number>) =>
    frontEnd.outcome(REQUEST.ADD_MEM_REG, concatenate(u64(0), description), [xen.privcmd]);
  assertEquals(outcome(plain), 1n);
  assertEquals(outcome(region(foreign)), 0n);
  const change = () =>
    frontEnd.outcome(REQUEST.SET_PROTOCOL_FEATURES, u64(PROTOCOL & ~PROTOCOL_XEN_MMAP));
  assertEquals(change(), 1n);
  frontEnd.removeRegion(foreign);
  assertEquals(xen.mappings, 0);
  assertEquals(change(), 0n);
  assertEquals(outcome(region(foreign)), 1n);
  assertEquals(backEnd.log.of("error").map((line) => line.replace(/^\S+ refused: /, "")), [
    "a region is described in 40 bytes, expected 48 with XEN_MMAP",
    "XEN_MMAP is agreed on before memory regions and rings, or not at all",
    "a region is described in 48 bytes, expected 40 without XEN_MMAP",
  ]);
});

/** Where rings and buffers are. */
const LAYOUTS: readonly (readonly [string, (xen: XenStandIn) => RamRegion[]])[] = [
  ["foreign memory", (xen) => [xen.foreign(0, 64)]],
  ["grants", (xen) => [xen.granted(0, 64)]],
  ["foreign memory that is not mapped in advance", (xen) => [
    xen.foreign(0, 64, XEN.FOREIGN | XEN.NO_ADVANCE_MAP),
  ]],
  ["grants that are not mapped in advance", (xen) => [
    xen.granted(0, 64, XEN.GRANT | XEN.NO_ADVANCE_MAP),
  ]],
  ["grants of which those of the rings are mapped in advance", (xen) => [
    xen.granted(0, 4),
    // As of the front-end there is: its value of the flag, and an address where it has mapped nothing.
    { ...xen.granted(4, 60, XEN.GRANT | XEN.NO_ADVANCE_MAP_TOO), userAddress: 0 },
  ]],
  ["grants beside foreign memory", (xen) => [xen.foreign(0, 4), xen.granted(4, 60)]],
];

for (const [where, layout] of LAYOUTS) {
  Deno.test(`xen: requests in ${where} are served`, () => {
    using xen = new XenStandIn();
    using backEnd = backEndOn(xen);
    {
      using guest = guestOf(backEnd, layout(xen));
      const idle = xen.mappings;
      for (const indirect of [false, true]) {
        const bytes = Array.from({ length: 200 }, (_, index) => index ^ (indirect ? 0xff : 0));
        const { response, length } = guest.request(bytes, 200, 0, indirect);
        assertEquals([...response], bytes);
        assertEquals(length, 200);
        // What was mapped for the request is not any more.
        assertEquals(xen.mappings, idle);
      }
    }
    assertEquals([xen.mappings, xen.indexes], [0, 0]);
    assertEquals(backEnd.log.of("warn"), []);
  });

  Deno.test(`xen: requests in ${where} can be held for long`, () => {
    using xen = new XenStandIn();
    using backEnd = backEndOn(xen);
    using guest = guestOf(backEnd, layout(xen));
    const idle = xen.mappings;
    const heads = [[1, 2, 3], [4, 5, 6]].map((bytes) => {
      const address = guest.ram.allocate(bytes.length);
      guest.ram.write(address, bytes);
      const response = guest.ram.allocate(3);
      guest.queues[HOLD_QUEUE].submit([
        { address, length: 3 },
        { address: response, length: 3, writable: true },
      ]);
      return response;
    });
    backEnd.settle();
    assertEquals([backEnd.device.held.length, xen.mappings], [2, idle]);
    for (const response of heads) {
      backEnd.device.release();
      assertEquals(guest.queues[HOLD_QUEUE].takeUsed()?.length, 3);
      assertEquals([...guest.ram.read(response, 3)], response === heads[0] ? [1, 2, 3] : [4, 5, 6]);
      assertEquals(xen.mappings, idle);
    }
  });

  Deno.test(`xen: buffers in ${where} may cross pages`, () => {
    using xen = new XenStandIn();
    using backEnd = backEndOn(xen);
    using guest = guestOf(backEnd, layout(xen));
    const length = 5 * PAGE + 100;
    const bytes = Array.from({ length }, (_, index) => index % 251);
    assertEquals([...guest.request(bytes, length).response], bytes);
  });
}

Deno.test("xen: what a request has taken is unmapped before the driver is told", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  using guest = guestOf(backEnd, [
    xen.granted(0, 4),
    xen.granted(4, 60, XEN.GRANT | XEN.NO_ADVANCE_MAP),
  ]);
  const idle = xen.mappings;
  const seen: number[] = [];
  const { add } = SplitQueue.prototype;
  // Once the used ring has it, the driver takes its grants back.
  SplitQueue.prototype.add = function (head, written) {
    seen.push(xen.mappings);
    add.call(this, head, written);
  };
  try {
    guest.request([1, 2, 3], 3);
    guest.queues[HOLD_QUEUE].submit(guest.segments([1], 1));
    backEnd.settle();
    backEnd.device.release();
    guest.queues[0].submit([{ address: guest.ram.allocate(8), length: 8 }, {
      address: 0,
      length: 8,
    }]);
    backEnd.settle();
  } finally {
    SplitQueue.prototype.add = add;
  }
  assertEquals(seen, [idle, idle, idle]);
});

Deno.test("xen: of a request's buffers, those to be read may be granted for reading only", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  using guest = guestOf(backEnd, [
    xen.granted(0, 4),
    xen.granted(4, 60, XEN.GRANT | XEN.NO_ADVANCE_MAP),
  ]);
  const request = guest.ram.allocate(PAGE, PAGE);
  const response = guest.ram.allocate(PAGE, PAGE);
  xen.grant(8 + request / PAGE, request / PAGE, true);
  guest.ram.write(request, [9, 8, 7]);
  const segments = [{ address: request, length: 3 }, {
    address: response,
    length: 3,
    writable: true,
  }];
  guest.queues[0].submit(segments);
  assertEquals(guest.queues[0].waitUsed(guest.frontEnd).length, 3);
  assertEquals([...guest.ram.read(response, 3)], [9, 8, 7]);
  // The other way round it is no request: nothing of it is used, and the guest is told.
  guest.queues[0].submit([segments[0], { ...segments[0], writable: true }]);
  assertEquals(guest.queues[0].waitUsed(guest.frontEnd).length, 0);
  assertEquals([xen.indexes, backEnd.device.requests], [0, 1]);
});

Deno.test("xen: a buffer that is not granted is given back, and others are served", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  using guest = guestOf(backEnd, [
    xen.granted(0, 4),
    xen.granted(4, 60, XEN.GRANT | XEN.NO_ADVANCE_MAP),
  ]);
  const idle = xen.mappings;
  const address = guest.ram.allocate(PAGE, PAGE);
  xen.grants.delete(8 + address / PAGE);
  for (let count = 0; count < 3; count++) {
    const good = guest.ram.allocate(16);
    guest.queues[0].submit([{ address: good, length: 16 }, {
      address,
      length: 16,
      writable: true,
    }]);
    assertEquals(guest.queues[0].waitUsed(guest.frontEnd).length, 0);
    assertEquals(xen.mappings, idle);
  }
  assertEquals([...guest.request([1], 1).response], [1]);
  assertEquals(backEnd.log.of("warn"), [
    "memory that a request needs is not there: mmap: Invalid argument (EINVAL)",
    "queue 0: the driver sent a malformed descriptor chain; it is returned unused, as will be " +
    "others of its kind",
  ]);
});

Deno.test("xen: foreign memory with gaps is mapped as requests need it", () => {
  using xen = new XenStandIn();
  xen.badFrames.set(xen.firstFrame + 40, EINVAL);
  using backEnd = backEndOn(xen);
  using guest = guestOf(backEnd, [xen.foreign(0, 64)]);
  assertEquals([...guest.request([1, 2], 2).response], [1, 2]);
  assertMatch(
    backEnd.log.of("warn")[0],
    /^region 0x100000\+0x40000 has gaps: frame 0x128 of domain 7 cannot be mapped: Invalid argu/,
  );
  const address = (xen.firstFrame + 39) * PAGE;
  guest.queues[0].submit([{ address, length: 2 * PAGE, writable: true }]);
  assertEquals(guest.queues[0].waitUsed(guest.frontEnd).length, 0);
  assertEquals([...guest.request([3], 1).response], [3]);
});

const refused: readonly [string, (xen: XenStandIn) => [WireRegion, number], RegExp][] = [
  ["of no kind", (xen) => [xen.foreign(0, 2, 0x100), xen.privcmd], /has Xen flags 0x100, expected/],
  ["of both kinds", (xen) => [xen.foreign(0, 2, 3), xen.privcmd], /has Xen flags 0x3, expected/],
  ["with a flag that nobody knows", (xen) => [xen.foreign(0, 2, 5), xen.privcmd], /flags 0x5/],
  [
    "of a domain that cannot be",
    (xen) => [{ ...xen.foreign(0, 2), xen: { flags: 1, domain: 0x7ff0 } }, xen.privcmd],
    /is said to be of domain 32752, which is no id/,
  ],
  [
    "of a domain that is not there",
    (xen) => [{ ...xen.foreign(0, 2), xen: { flags: 1, domain: 8 } }, xen.privcmd],
    /frame 0x100 of domain 8 cannot be mapped: No such process/,
  ],
  [
    "with an offset",
    (xen) => [{ ...xen.foreign(0, 2), fileOffset: PAGE }, xen.privcmd],
    /begins at offset 0x1000 of \/dev\/xen\/privcmd, expected 0/,
  ],
  [
    "of foreign memory with the other node",
    (xen) => [xen.foreign(0, 2), xen.gntdev],
    /is foreign memory and comes with a descriptor that is not of \/dev\/xen\/privcmd/,
  ],
  [
    "of grants with the other node",
    (xen) => [xen.granted(0, 2), xen.privcmd],
    /is granted memory and comes with a descriptor that is not of \/dev\/xen\/gntdev/,
  ],
  [
    "of frames that are not there",
    (xen) => [xen.foreign(64, 2), xen.privcmd],
    /cannot be mapped: frame 0x140 of domain 7/,
  ],
  [
    "of grants that are not there",
    (xen) => [{ ...xen.granted(0, 2), busAddress: 2n ** 63n + 2n ** 24n }, xen.gntdev],
    /region 0x8000000001000000\+0x2000 cannot be mapped: mmap: Invalid argument/,
  ],
  [
    "of foreign memory at a grant",
    (xen) => [{ ...xen.foreign(0, 2), busAddress: 2n ** 63n }, xen.privcmd],
    /is foreign memory at addresses of grants/,
  ],
  [
    "beyond the last grant",
    (xen) => [{ ...xen.granted(0, 2), busAddress: 2n ** 63n + 2n ** 44n - 4096n }, xen.gntdev],
    /ends beyond the last reference of a grant/,
  ],
  [
    "at an address with other bits beside bit 63",
    (xen) => [{ ...xen.granted(0, 2), busAddress: 2n ** 63n + 2n ** 52n }, xen.gntdev],
    /ends beyond the largest address/,
  ],
  [
    "off the page",
    (xen) => [{ ...xen.granted(0, 2), busAddress: 2n ** 63n + 0x8400n }, xen.gntdev],
    /is not aligned to 4096 bytes/,
  ],
];
for (const [what, describe, reason] of refused) {
  Deno.test(`xen: a region ${what} is refused`, () => {
    using xen = new XenStandIn();
    using backEnd = backEndOn(xen);
    const [description, fd] = describe(xen);
    assertEquals(tell(backEnd, description, fd), 1n);
    assertMatch(backEnd.log.of("error")[0], reason);
    assertEquals([xen.mappings, xen.indexes], [0, 0]);
  });
}

Deno.test("xen: memory of files goes beside that of other domains", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  using file = new GuestRam([{ guestAddress: 0x200_0000, size: 0x1_0000 }]);
  const ordinary = { ...file.regions[0], bytes: file.regions[0].bytes, close: () => {} };
  using guest = guestOf(backEnd, [
    xen.foreign(0, 4),
    { ...ordinary, xen: { flags: 0, domain: 0 } },
  ]);
  assertEquals([...guest.request([1, 2, 3], 3).response], [1, 2, 3]);
});

Deno.test("xen: what is mapped at a time is bounded", () => {
  using xen = new XenStandIn(80);
  using backEnd = backEndOn(xen);
  const options = { size: 128 };
  using guest = guestOf(backEnd, [
    xen.granted(0, 4),
    xen.granted(4, 76, XEN.GRANT | XEN.NO_ADVANCE_MAP),
  ], options);
  const idle = xen.mappings;
  const page = () => ({ address: guest.ram.allocate(1, PAGE), length: 1, writable: true });
  const segments = Array.from({ length: 65 }, page);
  const [queue] = guest.queues;
  queue.submit(segments.slice(0, 64));
  queue.waitUsed(guest.frontEnd);
  assertEquals(backEnd.device.requests, 1);
  queue.submit(segments);
  assertEquals(queue.waitUsed(guest.frontEnd).length, 0);
  assertEquals([backEnd.device.requests, xen.mappings], [1, idle]);
  assertMatch(
    backEnd.log.of("warn")[0],
    /a request needs more at a time than 64 parts or 8192 pages/,
  );
});

Deno.test("xen: a buffer of more pages than are mapped at a time is refused unseen", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  const wide = { ...xen.granted(4, 60, XEN.GRANT | XEN.NO_ADVANCE_MAP), size: 2 ** 40 };
  using guest = guestOf(backEnd, [xen.granted(0, 4), wide]);
  xen.calls.length = 0;
  guest.queues[0].submit([{ address: guest.ram.allocate(1, PAGE), length: 2 ** 32 - 1 }]);
  assertEquals(guest.queues[0].waitUsed(guest.frontEnd).length, 0);
  assertEquals(xen.calls, []);
  assertEquals([...guest.request([1], 1).response], [1]);
});

/** Rings in advance, and buffers that are mapped for as long as they are used. */
const lentBuffers = (xen: XenStandIn) => [
  xen.granted(0, 4),
  xen.granted(4, 60, XEN.GRANT | XEN.NO_ADVANCE_MAP),
];

/** Looks at requests before it holds or puts them back. */
class CuriousDevice extends EchoDevice {
  host: DeviceHost | undefined;
  putsBack = false;

  override attach(host: DeviceHost): void {
    super.attach(host);
    this.host = host;
  }

  override process(queue: number, chain: DescriptorChain): number {
    chain.readU8(0);
    return super.process(queue, chain);
  }

  override queueStopping(queue: number): void {
    if (!this.putsBack) return super.queueStopping(queue);
    for (const chain of this.held.splice(0).reverse()) {
      chain.readU8(0);
      this.host!.putBack(queue, chain);
    }
  }
}

Deno.test("xen: an answer to a ring that is gone leaves nothing mapped", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  const [rings, buffers] = lentBuffers(xen);
  using guest = guestOf(backEnd, [rings, buffers]);
  guest.queues[HOLD_QUEUE].submit(guest.segments([1], 1));
  backEnd.settle();
  guest.frontEnd.removeRegion(rings);
  assertEquals(xen.mappings, 0);
  backEnd.device.release();
  assertEquals([backEnd.device.held.length, xen.mappings], [0, 0]);
});

Deno.test("xen: a request that is put back is not mapped meanwhile", () => {
  using xen = new XenStandIn();
  const device = new CuriousDevice();
  using backEnd = new InProcess(device, xen.nodes);
  using guest = guestOf(backEnd, lentBuffers(xen));
  const idle = xen.mappings;
  const queue = guest.queues[HOLD_QUEUE];
  const head = queue.submit(guest.segments([7], 1));
  backEnd.settle();
  assertEquals([device.held.length, xen.mappings], [1, idle]);
  device.putsBack = true;
  assertEquals(guest.frontEnd.getVringBase(HOLD_QUEUE), 0);
  assertEquals(xen.mappings, idle);
  device.putsBack = false;
  guest.start(queue, 0);
  backEnd.settle();
  device.release();
  assertEquals(queue.takeUsed(), { head, length: 1 });
});

Deno.test("xen: what a device takes once more when a driver begins anew is not mapped", () => {
  using xen = new XenStandIn();
  const device = new CuriousDevice();
  using backEnd = new InProcess(device, xen.nodes);
  using guest = guestOf(backEnd, lentBuffers(xen));
  const { frontEnd } = guest;
  const hold = guest.queues[HOLD_QUEUE];
  const idle = xen.mappings;
  guest.request([1], 1);
  for (const { index } of guest.queues) frontEnd.setVringEnable(index, false);
  assertEquals(guest.queues.map(({ index }) => frontEnd.getVringBase(index)), [1, 0]);
  // Another driver, which has begun with the second queue.
  guest.start(hold, 0);
  frontEnd.setVringEnable(HOLD_QUEUE, true);
  hold.submit(guest.segments([5], 1));
  frontEnd.barrier();
  assertEquals([device.held.length, xen.mappings], [1, idle]);
  device.calls.length = 0;
  // Its other ring is among the buffers, and mapped in three parts while it is there.
  using again = new DriverQueue(0, guest.ram);
  guest.start(again, 0);
  frontEnd.setVringEnable(0, true);
  frontEnd.barrier();
  assertEquals(device.calls.includes("reset"), true);
  assertEquals([device.held.length, xen.mappings], [1, idle + 3]);
});

Deno.test("xen: the next front-end may be one that knows nothing of Xen", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  {
    using guest = guestOf(backEnd, [xen.granted(0, 64)]);
    assertEquals([...guest.request([1], 1).response], [1]);
  }
  // Nor of protocol features at all.
  using ram = new GuestRam();
  using frontEnd = backEnd.connect();
  frontEnd.setFeatures(VIRTIO_F_VERSION_1);
  frontEnd.setMemoryTable(ram);
  frontEnd.barrier();
  assertEquals(backEnd.log.of("error"), []);
});

Deno.test("xen: the feature does not change while a ring is started", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  using frontEnd = backEnd.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  frontEnd.setVringSize(0, 16);
  frontEnd.setVringKick(0, -1);
  assertEquals(frontEnd.outcome(REQUEST.SET_PROTOCOL_FEATURES, u64(PROTOCOL)), 1n);
  frontEnd.getVringBase(0);
  assertEquals(frontEnd.outcome(REQUEST.SET_PROTOCOL_FEATURES, u64(PROTOCOL)), 0n);
});

Deno.test("xen: a device that fails leaves nothing mapped", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  using guest = guestOf(backEnd, [
    xen.granted(0, 4),
    xen.granted(4, 60, XEN.GRANT | XEN.NO_ADVANCE_MAP),
  ]);
  backEnd.device.answer = (chain) => {
    chain.readU8(0);
    throw new Error("of the test");
  };
  const address = guest.ram.allocate(16);
  guest.queues[0].submit([{ address, length: 1 }]);
  backEnd.settle();
  assertEquals(backEnd.errors.splice(0).length, 1);
  // As the daemon does it then.
  backEnd.session.end("its device has failed");
  assertEquals([xen.mappings, xen.indexes], [0, 0]);
});

Deno.test("xen: the descriptors of a front-end are kept while they are needed, and one of each", () => {
  using xen = new XenStandIn();
  using backEnd = backEndOn(xen);
  const count = () =>
    [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
      try {
        return /memfd:xen-(privcmd|gntdev)/.test(Deno.readLinkSync(`/proc/self/fd/${name}`));
      } catch {
        return false;
      }
    }).length;
  const before = count();
  {
    using frontEnd = connect(backEnd);
    const lent = [4, 8, 12].map((page) => xen.granted(page, 2, XEN.GRANT | XEN.NO_ADVANCE_MAP_TOO));
    for (const one of lent) frontEnd.addRegion(one, xen.gntdev);
    frontEnd.addRegion(xen.foreign(0, 2), xen.privcmd);
    frontEnd.barrier();
    assertStrictEquals(count(), before + 1);
    for (const one of lent) frontEnd.removeRegion(one);
    frontEnd.barrier();
    assertStrictEquals(count(), before);
    frontEnd.addRegion(lent[0], xen.gntdev);
    frontEnd.barrier();
    assertStrictEquals(count(), before + 1);
  }
  backEnd.settle();
  assertStrictEquals(count(), before);
});
