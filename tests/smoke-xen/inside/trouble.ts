/** What is wrong with a domain's memory, and domains that go away. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { close, O_RDWR, open } from "../../../ffi/fd.ts";
import { command, Daemon } from "../../support/daemon.ts";
import type { GuestOptions } from "../../support/guest.ts";
import { GuestRam, type RamRegion } from "../../support/guest_ram.ts";
import { I2cGuest, OK } from "../../support/i2c_driver.ts";
import { GPIO, GpioGuest, IN, IRQ, OUT } from "../../support/gpio_driver.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import {
  concatenate,
  memoryTable,
  PROTOCOL_CONFIGURE_MEM_SLOTS,
  PROTOCOL_REPLY_ACK,
  PROTOCOL_XEN_MMAP,
  region,
  REQUEST,
  u64,
  VIRTIO_F_VERSION_1,
  type WireRegion,
  XEN,
} from "../../support/wire.ts";
import { LAYOUTS, RING_PAGES, XenDomain } from "../../support/xen_domain.ts";

const PAGE = 4096;
const PROTOCOL = PROTOCOL_REPLY_ACK | PROTOCOL_CONFIGURE_MEM_SLOTS | PROTOCOL_XEN_MMAP;
const PROGRAM = "vhost-device-i2c";
const ARGS = ["--sandbox", "on", "-l", "s:80"];

/** A guest with its rings in the first region and its buffers in the last. */
function options(regions: RamRegion[]): GuestOptions & { arena: number } {
  const ram = new GuestRam(regions);
  return {
    ram,
    buffers: regions[regions.length - 1],
    protocolFeatures: PROTOCOL,
    acknowledged: true,
    size: 16,
    arena: 1024,
  };
}

/** Rings and buffers of a domain, in advance and not. */
function lent(domain: XenDomain): RamRegion[] {
  const count = domain.pages - RING_PAGES;
  return [
    domain.granted(0, RING_PAGES),
    domain.granted(RING_PAGES, count, XEN.GRANT | XEN.NO_ADVANCE_MAP),
  ];
}

/** Another guest of the same daemon, with memory of its own, is served as ever. */
function serves(daemon: Daemon): void {
  using other = new I2cGuest(daemon.connect(1), { size: 16 });
  assertEquals(other.write(0x50, 0x20, 42), OK);
  assertEquals(other.writeRead(0x50, [0x20], 1), [42]);
}

for (const kind of ["hvm", "pv"] as const) {
  Deno.test(`${kind}: a domain that is destroyed while it is served harms nobody`, async () => {
    await using daemon = await Daemon.start(PROGRAM, ARGS, { count: 2 });
    for (const { name, regions, lent } of LAYOUTS) {
      using domain = new XenDomain(kind);
      {
        using guest = new I2cGuest(daemon.connect(), options(regions(domain)));
        assertEquals(guest.write(0x50, 0, 1), OK, name);
        domain.destroy();
        // What is mapped stays so; what would have to be mapped now is there, or not any more.
        const isMapped = lent !== true && !name.includes("not in advance");
        const [queue] = guest.queues;
        const address = guest.ram.allocate(64);
        queue.submit([{ address, length: 8 }, {
          address: address + 16,
          length: 1,
          writable: true,
        }]);
        const { length } = queue.waitUsed(guest.frontEnd);
        assert(length === 1 || length === 0 && !isMapped, name);
        assertEquals(guest.frontEnd.getVringBase(0), 2, name);
      }
      serves(daemon);
    }
    assertEquals(XenDomain.ids(), [0]);
  });
}

Deno.test("frames and references that are not there are refused by name", async () => {
  await using daemon = await Daemon.start(PROGRAM, ARGS, { count: 2 });
  using hvm = new XenDomain("hvm", 16);
  using pv = new XenDomain("pv", 16);
  const other = open("/dev/null", O_RDWR);
  const gone = new XenDomain("hvm", 16);
  gone[Symbol.dispose]();
  const wrong: [WireRegion, number, RegExp][] = [];
  for (const domain of [hvm, pv]) {
    const foreign = domain.foreign(0, 4);
    const granted = domain.granted(0, 4);
    const { privcmd, gntdev } = domain;
    const nowhere = { ...foreign, guestAddress: 0x7fff_f000_0000 };
    wrong.push(
      [nowhere, privcmd, /frame 0x7fffff000\d* of domain \d+ cannot be mapped|frame 0x7fff/],
      [{ ...foreign, xen: { flags: 1, domain: 0x7ff0 } }, privcmd, /domain 32752, which is no id/],
      [{ ...foreign, xen: { flags: 1, domain: gone.id } }, privcmd, /No such process/],
      [{ ...granted, size: 5 * PAGE }, gntdev, /cannot be mapped: mmap: Invalid argument/],
      [{ ...granted, xen: { flags: 2, domain: gone.id } }, gntdev, /cannot be mapped: mmap: Inv/],
      [foreign, gntdev, /comes with a descriptor that is not of \/dev\/xen\/privcmd/],
      [granted, other, /comes with a descriptor that is not of \/dev\/xen\/gntdev/],
      [{ ...foreign, fileOffset: PAGE }, privcmd, /begins at offset 0x1000 of/],
    );
  }
  for (const [description, fd, reason] of wrong) {
    using frontEnd = daemon.connect();
    frontEnd.setProtocolFeatures(PROTOCOL);
    const before = daemon.log.length;
    const table = memoryTable([description]);
    assertEquals(frontEnd.outcome(REQUEST.SET_MEM_TABLE, table, [fd]), 1n);
    assertMatch(daemon.log.slice(before), reason);
  }
  serves(daemon);
  close(other);
});

Deno.test("a node that is passed off as memory ends the front-end's connection alone", async () => {
  await using daemon = await Daemon.start(PROGRAM, ARGS, { count: 2 });
  using domain = new XenDomain("hvm", 16);
  using frontEnd = daemon.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  const wrong = { guestAddress: 0, size: 4 * PAGE, userAddress: PAGE, fileOffset: 0 };
  const outcome = (fd: number) =>
    frontEnd.outcome(REQUEST.SET_MEM_TABLE, memoryTable([wrong]), [fd]);
  assertEquals(outcome(domain.gntdev), 1n);
  // Of privcmd, pages can be had that are nowhere: a touch would end a process.
  assertEquals(outcome(domain.privcmd), 0n);
  frontEnd.setFeatures(VIRTIO_F_VERSION_1);
  frontEnd.setVringSize(0, 16);
  frontEnd.setVringAddresses(0, { descriptors: PAGE, available: 2 * PAGE, used: 3 * PAGE });
  frontEnd.setVringKick(0, -1);
  assert(frontEnd.isClosed());
  serves(daemon);
});

Deno.test("a daemon serves domains without a right to the nodes", async () => {
  const [first, ...rest] = command(PROGRAM);
  using folder = new TemporaryFolder();
  const program = folder.file("program");
  const line = `su -m -s /bin/sh -c 'exec "$0" "$@"' -- nobody ${first} ${rest.join(" ")}`;
  Deno.writeTextFileSync(program, `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
  Deno.chmodSync(folder.path, 0o755);
  // The daemon's folder is made for this user's sockets, too.
  const prepare = 'chmod 777 "${1%/*}"';
  await using daemon = await Daemon.start(PROGRAM, ARGS, { program, prepare, count: 2 });
  assertMatch(Deno.readTextFileSync(`/proc/${daemon.pid}/status`), /^Uid:\t65534/m);
  for (const { name, regions } of LAYOUTS) {
    using domain = new XenDomain("hvm");
    using guest = new I2cGuest(daemon.connect(), options(regions(domain)));
    assertEquals(guest.write(0x50, 0x10, 1), OK, name);
  }
});

Deno.test("foreign memory with a gap is served around it", async () => {
  await using daemon = await Daemon.start(PROGRAM, ARGS, { count: 2 });
  for (const kind of ["hvm", "pv"] as const) {
    using domain = new XenDomain(kind, 16);
    // More than the domain has: frames of a PV domain are followed by those of others.
    const regions = [{ ...domain.foreign(0, 16), size: 80 * PAGE }];
    using guest = new I2cGuest(daemon.connect(), options(regions));
    assertEquals(guest.writeRead(0x50, [0x10], 1).length, 1);
    if (kind === "hvm") {
      const address = (domain.firstFrame + 16) * PAGE;
      guest.queues[0].submit([{ address, length: 8 }]);
      assertEquals(guest.queues[0].waitUsed(guest.frontEnd).length, 0);
    }
    assertEquals(guest.writeRead(0x50, [0x10], 1).length, 1);
    assertMatch(daemon.log, new RegExp(`has gaps: frame 0x[0-9a-f]+ of domain ${domain.id} `));
  }
  serves(daemon);
});

Deno.test("a buffer that is not granted is given back, and the next one is served", async () => {
  await using daemon = await Daemon.start(PROGRAM, ARGS, { count: 2 });
  using domain = new XenDomain("hvm", 32);
  const regions = lent(domain);
  using guest = new I2cGuest(daemon.connect(), options(regions));
  const [queue] = guest.queues;
  const page = guest.ram.allocate(PAGE, PAGE) / PAGE - domain.firstFrame;
  const address = (domain.firstFrame + page) * PAGE;
  domain.end(page, 1);
  queue.submit([{ address, length: 8 }]);
  assertEquals(queue.waitUsed(guest.frontEnd).length, 0);
  assertEquals(guest.writeRead(0x50, [0x10], 1).length, 1);
  assertMatch(daemon.log, /memory that a request needs is not there: mmap: Invalid argument/);

  // For reading only, it is good for what is read, and for nothing else.
  domain.granted(page, 1, XEN.GRANT, true);
  const status = guest.ram.allocate(1, PAGE);
  guest.ram.write(address, [0x50 << 1, 0, 0, 0, 0, 0, 0, 0]);
  queue.submit([{ address, length: 8 }, { address: status, length: 1, writable: true }]);
  assertEquals(queue.waitUsed(guest.frontEnd).length, 1);
  assertEquals([...guest.ram.read(status, 1)], [OK]);
  queue.submit([{ address, length: 8 }, { address, length: 1, writable: true }]);
  assertEquals(queue.waitUsed(guest.frontEnd).length, 0);
  assertEquals(domain.mapped(page, 1), 0);
  serves(daemon);
});

Deno.test("a region that is removed is not mapped any more, whatever the device holds", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["--sandbox", "on", "-l", "s2"]);
  using domain = new XenDomain("hvm", 32);
  const regions = lent(domain);
  using guest = new GpioGuest(daemon.connect(), options(regions));
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  guest.get(GPIO.SET_DIRECTION, 1, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 1, IRQ.FALLING);
  guest.unmask(1);
  assertEquals(domain.mapped(0, RING_PAGES), RING_PAGES);
  guest.frontEnd.tell(REQUEST.REM_MEM_REG, concatenate(u64(0), region(regions[0])));
  assertEquals(domain.mapped(0, domain.pages), 0);
  guest.frontEnd.tell(REQUEST.REM_MEM_REG, concatenate(u64(0), region(regions[1])));
  for (const one of regions) {
    guest.frontEnd.tell(REQUEST.ADD_MEM_REG, concatenate(u64(0), region(one)), [one.fd]);
  }
  guest.frontEnd.barrier();
  assertEquals(guest.get(GPIO.GET_DIRECTION, 0), OUT);
  assert(domain.mapped(0, RING_PAGES) > 0);
  guest.frontEnd.close();
  daemon.untilLogged(/front-end gone/);
  assertEquals(domain.mapped(0, domain.pages), 0);
});
