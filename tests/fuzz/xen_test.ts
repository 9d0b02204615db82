/** Front-ends of Xen that describe whatever they like, with a stand-in for the nodes. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { EINVAL, ENOENT, ENOMEM } from "../../ffi/errno.ts";
import { EchoDevice } from "../support/echo_device.ts";
import type { FrontEnd } from "../support/front_end.ts";
import { fuzz } from "../support/fuzz.ts";
import { Guest } from "../support/guest.ts";
import { GuestRam, type RamRegion } from "../support/guest_ram.ts";
import { InProcess } from "../support/in_process.ts";
import { fdCount } from "../support/process_state.ts";
import type { Random } from "../support/random.ts";
import {
  concatenate,
  FLAG_NEED_REPLY,
  FLAGS_VERSION_1,
  memoryTable,
  message,
  PROTOCOL_CONFIGURE_MEM_SLOTS,
  PROTOCOL_REPLY_ACK,
  PROTOCOL_XEN_MMAP,
  region,
  REQUEST,
  u64,
  type WireRegion,
  XEN,
} from "../support/wire.ts";
import { XenStandIn } from "../support/xen_stand_in.ts";

const PAGE = 4096;
const PAGES = 64;
const RINGS = 4;
const PROTOCOL = PROTOCOL_REPLY_ACK | PROTOCOL_CONFIGURE_MEM_SLOTS | PROTOCOL_XEN_MMAP;

/** The regions of a guest that behaves: its rings, and its buffers. */
function regionsOf(random: Random, xen: XenStandIn): RamRegion[] {
  const flag = () => random.pick([0, XEN.NO_ADVANCE_MAP, XEN.NO_ADVANCE_MAP_TOO]);
  const make = (first: number, count: number) =>
    random.oneIn(2)
      ? xen.foreign(first, count, XEN.FOREIGN | flag())
      : xen.granted(first, count, XEN.GRANT | flag());
  return [make(0, RINGS), make(RINGS, PAGES - RINGS)];
}

/** A region that may be anything. */
function wild(random: Random, xen: XenStandIn): [WireRegion, number] {
  const page = random.below(PAGES + 4);
  const good = random.oneIn(2) ? xen.foreign(page, 1) : xen.granted(page, 1);
  const { busAddress = BigInt(good.guestAddress) } = good;
  const flags = random.pick([0, 1, 2, 3, 8, 9, 10, 0x101, 0x102, 0x10a, 4, 0xffff_ffff]);
  return [
    {
      ...good,
      busAddress: random.oneIn(8) ? random.pick([0n, 2n ** 63n, 2n ** 64n - 4096n]) : busAddress,
      size: random.pick([0, 1, PAGE, 3 * PAGE, 100 * PAGE, 2 ** 40, 2n ** 63n]),
      userAddress: random.oneIn(4) ? 0 : good.userAddress + random.below(8) * PAGE,
      fileOffset: random.oneIn(8) ? PAGE : 0,
      xen: { flags, domain: random.oneIn(8) ? random.pick([0, 8, 0x7ff0, 0xffff_ffff]) : xen.id },
    },
    random.pick([xen.privcmd, xen.gntdev, 0]),
  ];
}

/** The front-end, or the domain, does something. */
function act(random: Random, xen: XenStandIn, guest: Guest, regions: RamRegion[]): void {
  // With an acknowledgement, what is refused does not end the connection.
  const send = (request: number, payload: ArrayLike<number>, fds: number[] = []) =>
    guest.frontEnd.sendBytes(message(request, payload, FLAGS_VERSION_1 | FLAG_NEED_REPLY), fds);
  const [wildRegion, fd] = wild(random, xen);
  const one = random.pick(regions);
  const single = (description: WireRegion) => concatenate(u64(0), region(description));
  switch (random.below(12)) {
    case 0:
      return send(REQUEST.ADD_MEM_REG, single(wildRegion), [fd]);
    case 1:
      return send(REQUEST.REM_MEM_REG, single(one));
    case 2:
      return send(REQUEST.ADD_MEM_REG, single(one), [one.fd]);
    case 3: {
      const all = random.oneIn(2) ? [...regions, wildRegion] : regions;
      const fds = [...regions.map(({ fd }) => fd), fd].slice(0, all.length);
      return send(REQUEST.SET_MEM_TABLE, memoryTable(all), fds);
    }
    case 4:
      xen.grants.delete(8 + random.below(PAGES));
      return;
    case 5:
      xen.badFrames.set(xen.firstFrame + random.below(PAGES), random.pick([EINVAL, ENOENT]));
      return;
    case 6:
      xen.failing = {
        call: random.pick(["mmap", "ioctl"]),
        after: random.below(3),
        number: random.pick([EINVAL, ENOENT, ENOMEM]),
      };
      return;
    case 7:
      return guest.frontEnd.setVringEnable(random.below(2), random.oneIn(2));
    default: {
      const queue = guest.queues[random.below(2)];
      const length = random.pick([1, 100, PAGE, 3 * PAGE]);
      const address = () => guest.ram.regions.at(-1)!.guestAddress + random.below(50 * PAGE);
      const segments = [
        { address: address(), length },
        { address: address(), length, writable: true },
      ];
      try {
        queue.submit(segments, random.oneIn(3));
      } catch (error) {
        // Nothing has come back for long.
        if (!(error instanceof RangeError)) throw error;
      }
      if (random.oneIn(2)) queue.takeUsed();
    }
  }
}

Deno.test("no front-end of Xen upsets a session for good, or leaves anything mapped", () => {
  using xen = new XenStandIn(PAGES);
  using backEnd = new InProcess(new EchoDevice(), xen.nodes);
  const wellBehaved = () => {
    xen.badFrames.clear();
    xen.failing = undefined;
    using guest = new Guest(backEnd.connect(), {
      ram: new GuestRam([xen.granted(0, PAGES)]),
      protocolFeatures: PROTOCOL,
    });
    assertEquals([...guest.request([1, 2, 3], 3).response], [1, 2, 3]);
  };
  wellBehaved();
  backEnd.settle();
  const descriptors = fdCount();
  fuzz((random) => {
    const regions = regionsOf(random, xen);
    let frontEnd: FrontEnd | undefined;
    try {
      frontEnd = backEnd.connect();
      const options = {
        ram: new GuestRam(regions),
        buffers: regions[1],
        protocolFeatures: PROTOCOL,
        eventIndex: random.oneIn(2),
      };
      using guest = new Guest(frontEnd, options);
      for (let count = random.below(60); count > 0; count--) {
        act(random, xen, guest, regions);
        if (random.oneIn(3)) backEnd.settle();
        if (random.oneIn(6)) backEnd.device.release();
        frontEnd.discard();
      }
    } catch (error) {
      // The back-end may have had enough of this front-end.
      const known = ["SystemError", "ConnectionClosed"];
      if (!known.includes((error as Error).name)) throw error;
    } finally {
      frontEnd?.close();
    }
    backEnd.settle();
    assertEquals(backEnd.errors, [], "a handler has thrown");
    assertEquals([xen.mappings, xen.indexes], [0, 0], "something was left mapped");
    assertStrictEquals(fdCount(), descriptors, "descriptors were left open");
    wellBehaved();
    backEnd.log.lines.length = 0;
    backEnd.device.calls.length = 0;
  });
});
