/** A front-end that cuts the file short that it shares as the guest's memory. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { signalEventfd } from "../../ffi/eventfd.ts";
import { Daemon } from "../support/daemon.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { setFileSize } from "../support/kernel_objects.ts";
import { Random } from "../support/random.ts";
import { encodeHead, RESULT, SpiGuest } from "../support/spi_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";

const RINGS = 0x10_0000;
const BUFFERS = 0x20_0000;
const SIZE = 0x4_0000;

/** Memory whose second region has the buffers; none of it can be sealed. */
function unsealable(): GuestRam {
  return new GuestRam([RINGS, BUFFERS].map((guestAddress) => ({
    guestAddress,
    size: SIZE,
    sealable: false,
  })));
}

/** A daemon with a guest that loses its memory, and a neighbour. */
function start(...args: string[]): Promise<Daemon> {
  return Daemon.start("vhost-device-spi", ["-l", "s1", ...args], { count: 2 });
}

function echoes(guest: SpiGuest, count = 1): void {
  for (let index = 0; index < count; index++) {
    const { result, rx } = guest.exchange([index & 0xff, 2, 3]);
    assertEquals([result, rx], [RESULT.OK, [index & 0xff, 2, 3]]);
  }
}

/** Offers a transfer, and cuts a region before the daemon is told. */
function loseWhileAsking(guest: SpiGuest, ram: GuestRam, region: number, size: number): void {
  const [queue] = guest.queues;
  const request = BUFFERS + 0x1000;
  const response = BUFFERS + 0x8000;
  ram.write(request, encodeHead({}));
  queue.offer(queue.place([
    { address: request, length: 48 },
    { address: response, length: 17, writable: true },
  ]));
  setFileSize(ram.regions[region].fd, size);
  signalEventfd(queue.kickFd);
}

/** Lines that tell of an end, or of something that should not be. */
function gone(log: string): string[] {
  return log.split("\n").filter((line) => / error |gone/.test(line));
}

const cases: readonly (readonly [what: string, region: number, size: number])[] = [
  ["its rings", 0, 0],
  ["its requests and answers", 1, 0],
  ["its answers", 1, 0x8000],
];
for (const [what, region, size] of cases) {
  Deno.test(`V9 a front-end that takes ${what} away loses its connection, and nobody else does`, async () => {
    await using daemon = await start();
    using neighbour = new SpiGuest(daemon.connect(1));
    echoes(neighbour);
    using ram = unsealable();
    using guest = new SpiGuest(daemon.connect(0), { ram });
    echoes(guest);
    loseWhileAsking(guest, ram, region, size);
    assert(guest.frontEnd.isClosed());
    daemon.untilLogged(/error guest 0: front-end gone: memory .* was taken away .*; \d requests/);
    assertEquals(gone(daemon.log).length, 1, daemon.log);
    echoes(neighbour, 100);
    using next = new SpiGuest(daemon.connect(0));
    echoes(next);
  });
}

Deno.test("V9 a front-end that is the only one, and takes its memory away, loses its connection", async () => {
  await using daemon = await Daemon.start("vhost-device-spi", ["-l", "s1"]);
  for (const [, region, size] of cases) {
    using ram = unsealable();
    using guest = new SpiGuest(daemon.connect(), { ram });
    echoes(guest);
    loseWhileAsking(guest, ram, region, size);
    assert(guest.frontEnd.isClosed());
  }
  using next = new SpiGuest(daemon.connect());
  echoes(next);
  assertEquals(gone(daemon.log).length, cases.length, daemon.log);
});

Deno.test("V9 memory that is taken away from a thread that looks for work is noticed", async () => {
  await using daemon = await start("--poll-us", "1000000");
  using ram = unsealable();
  using guest = new SpiGuest(daemon.connect(0), { ram });
  echoes(guest);
  setFileSize(ram.regions[0].fd, 0);
  assert(guest.frontEnd.isClosed());
  daemon.untilLogged(/guest 0: front-end gone: memory .* was taken away/);
});

Deno.test("V9 memory that is taken away and never used again is no loss", async () => {
  await using daemon = await start();
  using ram = unsealable();
  {
    using guest = new SpiGuest(daemon.connect(0), { ram });
    echoes(guest);
    setFileSize(ram.regions[1].fd, 0);
    guest.frontEnd.barrier();
  }
  using next = new SpiGuest(daemon.connect(0));
  echoes(next);
  daemon.untilLogged(/guest 0: front-end gone: (?!memory)/);
});

Deno.test("V9 memory that is cut again and again while it is used: the neighbour loses nothing", async () => {
  await using daemon = await start();
  using neighbour = new SpiGuest(daemon.connect(1));
  const random = new Random(1);
  const descriptors = daemon.fdCount();
  let lost = 0;
  for (let round = 0; round < 60; round++) {
    using ram = unsealable();
    using guest = new SpiGuest(daemon.connect(0), { ram, size: 256 });
    const [queue] = guest.queues;
    const head = queue.place([
      { address: BUFFERS + random.below(SIZE - 4096), length: 40 + random.below(2000) },
      { address: BUFFERS + random.below(SIZE - 4096), length: 2100, writable: true },
    ]);
    queue.offer(...new Array(200).fill(head));
    queue.kick();
    echoes(neighbour, random.below(4));
    // Some find the daemon in the middle of it, and some do not.
    setFileSize(ram.regions[random.below(2)].fd, random.below(8) * 4096);
    signalEventfd(queue.kickFd);
    echoes(neighbour, 5);
    if (guest.frontEnd.isClosed(20)) lost++;
  }
  assertLess(20, lost);
  using next = new SpiGuest(daemon.connect(0));
  echoes(next);
  assertEquals(daemon.fdCount(), descriptors + 4);
  assertEquals(daemon.log.match(/internal error|panick/g), null);
});

Deno.test("V9 a guest that has the bus loses its memory: the bus is the other's", async () => {
  using folder = new TemporaryFolder();
  const config = folder.file("config.yaml");
  Deno.writeTextFileSync(
    config,
    "guests:\n  - simulated: { parts: [{ part: loopback }] }\n  - share: 0\n",
  );
  await using daemon = await Daemon.start("vhost-device-spi", ["--config", config], { count: 2 });
  using neighbour = new SpiGuest(daemon.connect(1));
  using ram = unsealable();
  using guest = new SpiGuest(daemon.connect(0), { ram, eventIndex: true });
  const [queue] = guest.queues;
  ram.write(BUFFERS, encodeHead({ frequency: 1000 }));
  queue.submit([
    { address: BUFFERS, length: 32 + 20 },
    { address: BUFFERS + 0x1000, length: 21, writable: true },
  ]);
  until("the transfer is under way", () => queue.isTaken);
  setFileSize(ram.regions[1].fd, 0);
  echoes(neighbour);
  assert(guest.frontEnd.isClosed());
  echoes(neighbour);
});
