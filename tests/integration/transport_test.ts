import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { createEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { createMemfd, setFileSize, socketPair } from "../support/kernel_objects.ts";
import { Daemon } from "../support/daemon.ts";
import { F_IRQ, GPIO, GpioGuest } from "../support/gpio_driver.ts";
import { gpioTest, visit } from "../support/gpio_test.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { until } from "../support/wait.ts";
import {
  concatenate,
  memoryTable,
  message,
  PROTOCOL_BACKEND_REQ,
  PROTOCOL_CONFIG,
  PROTOCOL_CONFIGURE_MEM_SLOTS,
  PROTOCOL_MQ,
  PROTOCOL_REPLY_ACK,
  PROTOCOL_RESET_DEVICE,
  PROTOCOL_STATUS,
  REQUEST,
  u32,
  u64,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_F_VERSION_1,
} from "../support/wire.ts";

gpioTest("V1 malformed messages end their own connection only", (daemon) => {
  const malformed = [
    message(REQUEST.GET_FEATURES, [], 0),
    message(REQUEST.GET_FEATURES, [], 0x5),
    message(REQUEST.GET_FEATURES, u64(0)),
    message(REQUEST.SET_FEATURES, u32(0)),
    message(REQUEST.SET_MEM_TABLE, [], 1, 0xffff_ffff),
    message(0xffff_ffff, [], 1, 0xffff_ffff),
    new Uint8Array(4096).fill(0xaa),
  ];
  for (const bytes of malformed) {
    using frontEnd = daemon.connect();
    frontEnd.sendBytes(bytes);
    assert(frontEnd.isClosed());
  }
});

gpioTest("V2 every message of the protocol is served in one guest's life", (daemon) => {
  using guest = new GpioGuest(daemon.connect(), {
    acknowledged: true,
    protocolFeatures: ~0n,
  });
  const { frontEnd, queues: [queue] } = guest;
  const [here, there] = socketPair();
  frontEnd.tell(REQUEST.SET_BACKEND_REQ_FD, [], [there]);
  assertEquals(frontEnd.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
  assert(frontEnd.askNumber(REQUEST.GET_MAX_MEM_SLOTS) >= 32n);
  frontEnd.tell(REQUEST.SET_STATUS, u64(15));
  assertEquals(frontEnd.askNumber(REQUEST.GET_STATUS), 15n);
  guest.get(GPIO.GET_VALUE, 1);
  assertNotEquals(frontEnd.outcome(REQUEST.SET_CONFIG, u32(0, 0, 0)), 0n);
  frontEnd.tell(REQUEST.RESET_DEVICE);
  frontEnd.tell(REQUEST.RESET_OWNER);
  assertStrictEquals(frontEnd.getVringBase(0), queue.availableIndex);
  close(here);
  close(there);
});

gpioTest("V2 an unknown request is refused where an answer is wanted, logged once", (daemon) => {
  using frontEnd = daemon.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  for (let count = 0; count < 5; count++) assertNotEquals(frontEnd.outcome(77), 0n);
  frontEnd.send(77, new Uint8Array(100));
  frontEnd.barrier();
  assertEquals(daemon.log.match(/request 77/g)?.length, 1);
});

gpioTest("V3 an acknowledgement comes after the effect, zero or not", (daemon) => {
  using guest = new GpioGuest(daemon.connect(), { acknowledged: true });
  const { frontEnd, queues: [queue] } = guest;
  frontEnd.getVringBase(0);
  frontEnd.setVringEnable(0, false);
  guest.start(queue, queue.availableIndex);
  assertNotEquals(frontEnd.outcome(REQUEST.SET_VRING_NUM, u32(0, 3)), 0n);
  assertNotEquals(frontEnd.outcome(REQUEST.SET_VRING_ENABLE, u32(7, 1)), 0n);
  const fds = daemon.fdCount();
  frontEnd.setVringCall(0, -1);
  assertStrictEquals(daemon.fdCount(), fds - 1);
});

gpioTest("V4 a kick before SET_VRING_ENABLE is not lost", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const { frontEnd, queues: [queue] } = guest;
  frontEnd.setVringEnable(0, false);
  frontEnd.barrier();
  const head = queue.place(guest.segments([2, 0, 0, 0, 0, 0, 0, 0], 2));
  queue.offer(head);
  queue.kick();
  frontEnd.barrier();
  assertEquals(queue.hasUsed(), false);
  frontEnd.setVringEnable(0, true);
  assertEquals(queue.waitUsed(frontEnd), { head, length: 2 });
});

gpioTest("V4 a kick before SET_VRING_CALL is not lost", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const { frontEnd, queues: [queue] } = guest;
  frontEnd.setVringCall(0, -1);
  // A kick may overtake the message.
  frontEnd.barrier();
  const head = queue.place(guest.segments([2, 0, 0, 0, 0, 0, 0, 0], 2));
  queue.offer(head);
  queue.kick();
  until("the request is used", () => queue.hasUsed());
  assertEquals(queue.takeCalls(), 0);
  frontEnd.setVringCall(0, queue.callFd);
  frontEnd.barrier();
  assertEquals(queue.takeCalls(), 1);
});

gpioTest("V5 a ring that stops says where, is left alone, and goes on from there", (daemon) => {
  using guest = new GpioGuest(daemon.connect(), { size: 4 });
  const { frontEnd, queues: [queue] } = guest;
  for (let round = 0; round < 10; round++) {
    for (let count = 0; count <= round; count++) guest.get(GPIO.GET_VALUE, 1);
    const base = frontEnd.getVringBase(0);
    assertStrictEquals(base, queue.availableIndex);
    const head = queue.place(guest.segments([2, 0, 0, 0, 0, 0, 0, 0], 2));
    queue.offer(head);
    queue.kick();
    frontEnd.barrier();
    assertEquals(queue.hasUsed(), false);
    guest.start(queue, base);
    assertStrictEquals(queue.waitUsed(frontEnd).head, head);
  }
});

gpioTest("V5 a guest kernel that restarts on the same connection is served afresh", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  guest.get(GPIO.SET_DIRECTION, 3, 1);
  for (let round = 0; round < 3; round++) {
    for (const index of [1, 0]) guest.frontEnd.setVringEnable(index, false);
    using ram = new GuestRam([{ guestAddress: 0x40_0000, size: 0x10_0000 }]);
    using again = new SameConnection(guest, ram);
    assertEquals(again.guest.get(GPIO.GET_DIRECTION, 3), 0, "the direction is from before");
    assertEquals(again.guest.get(GPIO.SET_DIRECTION, 3, 1), 0);
  }
});

/** A guest on another one's connection, which stays open when it goes. */
class SameConnection implements Disposable {
  readonly guest: GpioGuest;

  constructor(before: GpioGuest, ram: GuestRam) {
    this.guest = new GpioGuest(before.frontEnd, { ram });
  }

  [Symbol.dispose](): void {
    for (const queue of this.guest.queues) queue[Symbol.dispose]();
  }
}

gpioTest("V6 any part of the configuration space, and nothing beyond it", (daemon) => {
  using frontEnd = daemon.connect();
  const whole = frontEnd.getConfig(0, 8);
  assert(whole);
  assertEquals(whole.subarray(0, 4), u32(8).map((byte, index) => index < 2 ? byte : 0));
  for (let offset = 0; offset < 8; offset++) {
    for (let size = 1; offset + size <= 8; size++) {
      assertEquals(frontEnd.getConfig(offset, size), whole.slice(offset, offset + size));
    }
  }
  for (const [offset, size] of [[0, 9], [8, 1], [7, 2], [0xffff_fffc, 8], [0, 256]]) {
    assertEquals(frontEnd.getConfig(offset, size), undefined);
  }
});

gpioTest("V7 10,000 reconnects leave the number of descriptors as it was", (daemon) => {
  const eventfd = createEventfd();
  const region = { guestAddress: 0, size: 4096, userAddress: 0, fileOffset: 0 };
  const memfd = createMemfd("guest", 4096);
  const setup = concatenate(
    message(REQUEST.SET_OWNER),
    message(REQUEST.SET_FEATURES, u64(VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES)),
  );
  const visitBriefly = () => {
    using frontEnd = daemon.connect();
    frontEnd.sendBytes(setup);
    frontEnd.sendBytes(message(REQUEST.SET_MEM_TABLE, memoryTable([region])), [memfd]);
    frontEnd.sendBytes(message(REQUEST.SET_VRING_CALL, u64(0)), [eventfd]);
    frontEnd.sendBytes(message(REQUEST.SET_VRING_ERR, u64(1)), [eventfd]);
    // Sometimes there is somebody left to hear the answer.
    frontEnd.sendBytes(message(REQUEST.GET_FEATURES));
  };
  visitBriefly();
  for (let count = 0; count < 10_000; count++) visitBriefly();
  close(eventfd);
  close(memfd);
  visit(daemon);
  assert(daemon.residentMemory() < 400e6, `${daemon.residentMemory()} bytes`);
}, { args: ["-l", "s8", "--log-level", "warn"] });

gpioTest("V7 descriptors that do not fit the process's limit do not stay", (daemon) => {
  const eventfds = Array.from({ length: 250 }, () => createEventfd());
  for (let count = 0; count < 5; count++) {
    using frontEnd = daemon.connect();
    // Nobody knows what these are for, so that none is missed.
    frontEnd.sendBytes(message(77, u64(0)), eventfds);
    frontEnd.barrier();
    frontEnd.sendBytes(message(REQUEST.SET_MEM_TABLE, new Uint8Array(8 + 250 * 32)), eventfds);
    assert(frontEnd.isClosed());
  }
  for (const fd of eventfds) close(fd);
}, { prepare: "ulimit -n 128" });

Deno.test("V8 the socket of a living daemon is not stolen", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8"]);
  const path = daemon.folder.file("socket");
  const args = ["-l", "s8", "-s", path, "-c", "1"];
  await using second = await Daemon.start("vhost-device-gpio", args, { socketOption: false });
  assertEquals(await second.ended(), 1);
  assertMatch(second.log, /in use/);
  assertEquals(second.log.trim().split("\n").length, 1);
  visit(daemon);
});

Deno.test("V8 a stale socket is replaced", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8"]);
  await daemon.stop("SIGKILL");
  assert(Deno.lstatSync(daemon.socket()).isSocket);
  const args = ["-l", "s8", "-s", daemon.folder.file("socket"), "-c", "1"];
  await using second = await Daemon.start("vhost-device-gpio", args, { socketOption: false });
  second.untilLogged(/simulated lines at/);
  visit(daemon);
});

Deno.test("V8 a file that is in the way is left alone", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8"]);
  const path = daemon.folder.file("other");
  Deno.writeTextFileSync(`${path}0`, "precious");
  const args = ["-l", "s8", "-s", path, "-c", "1"];
  await using second = await Daemon.start("vhost-device-gpio", args, { socketOption: false });
  assertEquals(await second.ended(), 1);
  assertMatch(second.log, /a file/);
  assertEquals(Deno.readTextFileSync(`${path}0`), "precious");
});

gpioTest("V8 a front-end that comes again finds the same socket", (daemon) => {
  const { ino } = Deno.lstatSync(daemon.socket());
  for (let count = 0; count < 20; count++) visit(daemon);
  assertStrictEquals(Deno.lstatSync(daemon.socket()).ino, ino);
});

gpioTest("V9 regions that make no sense are refused", (daemon) => {
  const page = 4096;
  using ram = new GuestRam([{ guestAddress: 0, size: 16 * page }]);
  const [{ fd }] = ram.regions;
  const good = { guestAddress: 0, size: 16 * page, userAddress: 0x1000_0000, fileOffset: 0 };
  const elsewhere = { ...good, guestAddress: 0x100_0000, userAddress: 0x2000_0000 };
  const tables = [
    [{ ...good, guestAddress: 1 }],
    [{ ...good, userAddress: 7 }],
    [{ ...good, fileOffset: 100 }],
    [{ ...good, size: 0 }],
    [{ ...good, size: 17 * page }],
    [{ ...good, fileOffset: page }],
    [{ ...good, guestAddress: 2n ** 64n - 4096n }],
    [{ ...good, userAddress: 2n ** 64n - 4096n }],
    [{ ...good, size: 2n ** 63n }],
    [good, { ...elsewhere, guestAddress: 15 * page }],
    [good, { ...elsewhere, userAddress: good.userAddress - page }],
    [good, good],
  ];
  using frontEnd = daemon.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  const outcome = (table: typeof tables[number]) =>
    frontEnd.outcome(REQUEST.SET_MEM_TABLE, memoryTable(table), table.map(() => fd));
  for (const table of tables) assertNotEquals(outcome(table), 0n);
  assertEquals(outcome([good, elsewhere]), 0n);
});

gpioTest("V9 as many regions as announced are taken", (daemon) => {
  using frontEnd = daemon.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK | PROTOCOL_CONFIGURE_MEM_SLOTS);
  frontEnd.acknowledged = true;
  const slots = Number(frontEnd.askNumber(REQUEST.GET_MAX_MEM_SLOTS));
  const size = 4096;
  const fd = createMemfd("slots", slots * size);
  for (let slot = 0; slot < slots; slot++) {
    frontEnd.addRegion({
      guestAddress: 2 * slot * size,
      userAddress: 0x7000_0000 + slot * size,
      fileOffset: slot * size,
      size,
    }, fd);
  }
  const one = concatenate(u64(0), u64(2 * slots * size, size, 0, 0));
  assertNotEquals(frontEnd.outcome(REQUEST.ADD_MEM_REG, one, [fd]), 0n);
  close(fd);
});

gpioTest("V9 a memfd that was cut is refused", (daemon) => {
  using ram = new GuestRam([{ guestAddress: 0, size: 0x10_0000 }]);
  setFileSize(ram.regions[0].fd, 0x1000);
  using frontEnd = daemon.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  const table = memoryTable(ram.regions);
  assertNotEquals(frontEnd.outcome(REQUEST.SET_MEM_TABLE, table, [ram.regions[0].fd]), 0n);
});

gpioTest("V10 a ring without kick and call descriptors is polled", (daemon) => {
  using guest = new GpioGuest(daemon.connect());
  const { frontEnd, queues: [queue] } = guest;
  frontEnd.setVringKick(0, -1);
  frontEnd.setVringCall(0, -1);
  frontEnd.setVringError(0, -1);
  for (let count = 0; count < 10; count++) {
    const head = queue.place(guest.segments([2, 0, 0, 0, 0, 0, 0, 0], 2));
    queue.offer(head);
    until("the request is used", () => queue.hasUsed());
    assertEquals(queue.takeUsed(), { head, length: 2 });
  }
});

gpioTest("V11 the features that are offered are these", (daemon) => {
  using frontEnd = daemon.connect();
  assertStrictEquals(
    frontEnd.getFeatures(),
    VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_NOTIFY_ON_EMPTY |
      VHOST_USER_F_PROTOCOL_FEATURES | F_IRQ,
  );
  assertStrictEquals(
    frontEnd.getProtocolFeatures(),
    PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_BACKEND_REQ | PROTOCOL_CONFIG |
      PROTOCOL_RESET_DEVICE | PROTOCOL_CONFIGURE_MEM_SLOTS | PROTOCOL_STATUS,
  );
});

gpioTest("V12 a front-end that vanishes in the middle of a message troubles nobody", (daemon) => {
  const eventfd = createEventfd();
  using other = new GpioGuest(daemon.connect(1));
  const bytes = message(REQUEST.SET_VRING_CALL, u64(0));
  for (let length = 1; length < bytes.length; length++) {
    using frontEnd = daemon.connect();
    frontEnd.sendBytes(bytes.subarray(0, length), [eventfd]);
    other.get(GPIO.GET_VALUE, 0);
  }
  close(eventfd);
}, { args: ["-l", "s8:s4"], count: 2 });

gpioTest("V12 a guest that vanishes while its requests are under way troubles nobody", (daemon) => {
  using other = new GpioGuest(daemon.connect(1));
  for (let count = 0; count < 20; count++) {
    using guest = new GpioGuest(daemon.connect());
    const segments = guest.segments([2, 0, 0, 0, 0, 0, 0, 0], 2);
    const [queue] = guest.queues;
    queue.offer(...Array.from({ length: 30 }, () => queue.place(segments)));
    guest.unmask(1);
    queue.kick();
    other.get(GPIO.GET_VALUE, 0);
  }
}, { args: ["-l", "s8:s4"], count: 2 });

gpioTest("V12 a front-end that asks and never listens is given up", (daemon) => {
  using frontEnd = daemon.connect();
  const many = concatenate(...Array.from({ length: 1000 }, () => message(REQUEST.GET_FEATURES)));
  assertThrows(() => {
    for (let count = 0; count < 1000; count++) frontEnd.sendBytes(many);
  });
  visit(daemon);
});
