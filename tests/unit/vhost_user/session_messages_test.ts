import { assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { F_ECHO } from "../../support/echo_device.ts";
import { Guest } from "../../support/guest.ts";
import { InProcess } from "../../support/in_process.ts";
import {
  concatenate,
  message,
  PROTOCOL_BACKEND_REQ,
  PROTOCOL_CONFIG,
  PROTOCOL_CONFIGURE_MEM_SLOTS,
  PROTOCOL_MQ,
  PROTOCOL_REPLY_ACK,
  PROTOCOL_RESET_DEVICE,
  PROTOCOL_STATUS,
  region,
  REQUEST,
  u32,
  u64,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_F_VERSION_1,
} from "../../support/wire.ts";

Deno.test("V11 ring features, protocol features and those of the device are offered", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  assertStrictEquals(
    frontEnd.getFeatures(),
    VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_NOTIFY_ON_EMPTY |
      VHOST_USER_F_PROTOCOL_FEATURES | F_ECHO,
  );
  assertStrictEquals(
    frontEnd.getProtocolFeatures(),
    PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_BACKEND_REQ | PROTOCOL_CONFIG |
      PROTOCOL_RESET_DEVICE | PROTOCOL_CONFIGURE_MEM_SLOTS | PROTOCOL_STATUS,
  );
});

Deno.test("V11 the device is told what the driver took", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  frontEnd.setFeatures(VIRTIO_F_VERSION_1 | F_ECHO);
  frontEnd.barrier();
  assertStrictEquals(backEnd.device.taken, VIRTIO_F_VERSION_1 | F_ECHO);
});

Deno.test("V11 features that were not offered are refused", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  assertEquals(frontEnd.outcome(REQUEST.SET_FEATURES, u64(VIRTIO_F_VERSION_1 | 1n << 34n)), 1n);
  assertEquals(frontEnd.outcome(REQUEST.SET_PROTOCOL_FEATURES, u64(1n << 14n)), 1n);
  assertEquals(frontEnd.outcome(REQUEST.SET_FEATURES, u64(VIRTIO_F_VERSION_1)), 0n);
});

Deno.test("a driver without a feature that the device requires gets no service", () => {
  using backEnd = InProcess.echo(F_ECHO);
  using frontEnd = backEnd.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK | PROTOCOL_STATUS);
  assertNotEquals(frontEnd.outcome(REQUEST.SET_FEATURES, u64(VIRTIO_F_VERSION_1)), 0n);
  const featuresOk = 8;
  frontEnd.send(REQUEST.SET_STATUS, u64(3 | featuresOk));
  assertEquals(frontEnd.askNumber(REQUEST.GET_STATUS), 3n);
  assertEquals(frontEnd.outcome(REQUEST.SET_FEATURES, u64(VIRTIO_F_VERSION_1 | F_ECHO)), 0n);
  frontEnd.send(REQUEST.SET_STATUS, u64(3 | featuresOk));
  assertEquals(frontEnd.askNumber(REQUEST.GET_STATUS), 11n);
});

Deno.test("V2 numbers that are asked for are answered", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  assertEquals(frontEnd.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
  assertEquals(frontEnd.askNumber(REQUEST.GET_MAX_MEM_SLOTS), 509n);
  assertEquals(frontEnd.askNumber(REQUEST.GET_STATUS), 0n);
  frontEnd.send(REQUEST.SET_STATUS, u64(15));
  assertEquals(frontEnd.askNumber(REQUEST.GET_STATUS), 15n);
});

Deno.test("V2 messages without an effect of their own are taken", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  assertEquals(frontEnd.outcome(REQUEST.SET_OWNER), 0n);
  assertEquals(frontEnd.outcome(REQUEST.RESET_OWNER), 0n);
  assertEquals(frontEnd.outcome(REQUEST.RESET_DEVICE), 0n);
});

Deno.test("V2 a request that nobody knows fails where an answer is wanted, and is logged once", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  assertNotEquals(frontEnd.outcome(999, u64(1, 2, 3)), 0n);
  assertNotEquals(frontEnd.outcome(999), 0n);
  frontEnd.send(999, new Uint8Array(8000));
  frontEnd.send(REQUEST.SET_LOG_BASE, u64(1, 2));
  assertEquals(frontEnd.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
  assertEquals(backEnd.log.of("warn").length, 2);
  frontEnd.close();
  using next = backEnd.connect();
  next.send(999);
  assertEquals(next.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
  assertEquals(backEnd.log.of("warn").length, 3);
});

Deno.test("V17 of unknown requests without end, only so many are remembered", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  const complaints = () => backEnd.log.of("warn").length;
  for (let request = 1000; request < 2000; request++) frontEnd.send(request);
  assertEquals(complaints(), 1000);
  frontEnd.send(1000);
  assertEquals(complaints(), 1000);
  // Whatever keeps the log small has to do without a memory of all of them.
  frontEnd.send(1999);
  assertEquals(complaints(), 1001);
});

Deno.test("V3 need_reply is not answered before REPLY_ACK was agreed", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  frontEnd.sendBytes(message(REQUEST.SET_OWNER, [], 0x9));
  assertEquals(frontEnd.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
});

Deno.test("V3 a request with a reply of its own is answered once", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  frontEnd.sendBytes(message(REQUEST.GET_QUEUE_NUM, [], 0x9));
  assertStrictEquals(frontEnd.receive().request, REQUEST.GET_QUEUE_NUM);
  assertEquals(frontEnd.askNumber(REQUEST.GET_STATUS), 0n);
});

Deno.test("V3 every message can be acknowledged", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), { acknowledged: true });
  assertEquals([...guest.request([1, 2, 3], 3).response], [1, 2, 3]);
});

const wrong: [string, number, Uint8Array][] = [
  ["SET_VRING_NUM with 0", REQUEST.SET_VRING_NUM, u32(0, 0)],
  ["SET_VRING_NUM with 3", REQUEST.SET_VRING_NUM, u32(0, 3)],
  ["SET_VRING_NUM with 65536", REQUEST.SET_VRING_NUM, u32(0, 65536)],
  ["SET_VRING_NUM for queue 2", REQUEST.SET_VRING_NUM, u32(2, 16)],
  ["SET_VRING_NUM for queue 2^32 - 1", REQUEST.SET_VRING_NUM, u32(0xffff_ffff, 16)],
  ["SET_VRING_BASE with 65536", REQUEST.SET_VRING_BASE, u32(0, 65536)],
  ["SET_VRING_ADDR for queue 2", REQUEST.SET_VRING_ADDR, concatenate(u32(2, 0), u64(0, 0, 0, 0))],
  ["SET_VRING_ENABLE with 2", REQUEST.SET_VRING_ENABLE, u32(0, 2)],
  ["SET_VRING_ENABLE for queue 2", REQUEST.SET_VRING_ENABLE, u32(2, 1)],
  ["SET_VRING_KICK without its descriptor", REQUEST.SET_VRING_KICK, u64(0)],
  ["SET_VRING_CALL without its descriptor", REQUEST.SET_VRING_CALL, u64(0)],
  ["SET_VRING_ERR without its descriptor", REQUEST.SET_VRING_ERR, u64(0)],
  ["SET_VRING_KICK for queue 255", REQUEST.SET_VRING_KICK, u64(0x1ff)],
  ["SET_VRING_KICK before the ring is known", REQUEST.SET_VRING_KICK, u64(0x100)],
  [
    "SET_MEM_TABLE without descriptors",
    REQUEST.SET_MEM_TABLE,
    concatenate(u64(1), u64(0, 1, 0, 0)),
  ],
  ["SET_MEM_TABLE of more than it has", REQUEST.SET_MEM_TABLE, u32(3, 0)],
  ["ADD_MEM_REG without a descriptor", REQUEST.ADD_MEM_REG, u64(0, 0, 4096, 0, 0)],
  ["REM_MEM_REG of nothing", REQUEST.REM_MEM_REG, u64(0, 0, 4096, 0, 0)],
  ["SET_CONFIG", REQUEST.SET_CONFIG, u32(0, 1, 0)],
];
for (const [what, request, payload] of wrong) {
  Deno.test(`V12 ${what} is refused and the next message served`, () => {
    using backEnd = InProcess.echo();
    using frontEnd = backEnd.connect();
    frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
    assertNotEquals(frontEnd.outcome(request, payload), 0n);
    assertEquals(frontEnd.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
    assertEquals(backEnd.log.of("error").length, 1);
  });
}

Deno.test("V12 a refusal that the front-end would not hear of ends its connection", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  frontEnd.send(REQUEST.SET_VRING_NUM, u32(0, 3));
  assertEquals(frontEnd.isClosed(), true);
  using next = backEnd.connect();
  assertEquals(next.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
});

Deno.test("V12 a refusal on which nothing depends does not end the connection", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  frontEnd.send(REQUEST.SET_CONFIG, u32(0, 1, 0));
  assertStrictEquals(frontEnd.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
});

for (
  const [what, bytes] of [
    ["another protocol version", message(REQUEST.GET_FEATURES, [], 0x2)],
    ["the reply flag", message(REQUEST.GET_FEATURES, [], 0x5)],
    ["a size that is too small", message(REQUEST.SET_FEATURES, u32(0))],
    ["a size that is too large", message(REQUEST.GET_FEATURES, u32(0))],
    ["a size of 4 GiB", message(REQUEST.SET_MEM_TABLE, [], 1, 0xffff_ffff)],
    ["nothing but noise", new Uint8Array(64).fill(0xff)],
  ] as const
) {
  Deno.test(`V1 a header with ${what} ends this connection, and the next one is served`, () => {
    using backEnd = InProcess.echo();
    using frontEnd = backEnd.connect();
    frontEnd.sendBytes(bytes);
    assertEquals(frontEnd.isClosed(), true);
    using next = backEnd.connect();
    assertEquals(next.askNumber(REQUEST.GET_QUEUE_NUM), 2n);
  });
}

Deno.test("V6 any part of the configuration space is had as asked", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  const { config } = backEnd.device;
  for (let offset = 0; offset < config.length; offset++) {
    for (let size = 1; offset + size <= config.length; size++) {
      assertEquals(frontEnd.getConfig(offset, size), config.slice(offset, offset + size));
    }
  }
});

Deno.test("V6 what is not in the configuration space gets the error reply", () => {
  using backEnd = InProcess.echo();
  using frontEnd = backEnd.connect();
  for (const [offset, size] of [[0, 25], [24, 1], [23, 2], [0, 0], [0xffff_ffff, 1], [0, 256]]) {
    assertEquals(frontEnd.getConfig(offset, size), undefined, `${size} bytes at ${offset}`);
  }
  const payload = frontEnd.ask(REQUEST.GET_CONFIG, u32(0, 0xffff_ffff, 0));
  assertEquals(payload.byteLength, 0);
});

Deno.test("V6 a device without a configuration space does not offer it", () => {
  using backEnd = InProcess.echo();
  Object.assign(backEnd.device, { config: new Uint8Array(0) });
  using frontEnd = backEnd.connect();
  assertEquals(frontEnd.getProtocolFeatures() & PROTOCOL_CONFIG, 0n);
});

Deno.test("V9 memory regions can come and go one by one", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), {
    acknowledged: true,
    protocolFeatures: PROTOCOL_REPLY_ACK | PROTOCOL_CONFIGURE_MEM_SLOTS,
  });
  const { frontEnd, ram } = guest;
  const [{ fd }] = ram.regions;
  const extra = { guestAddress: 0x100_0000, size: 4096, userAddress: 0x100_0000, fileOffset: 4096 };
  frontEnd.addRegion(extra, fd);
  const overlapping = concatenate(u64(0), region(extra));
  assertNotEquals(frontEnd.outcome(REQUEST.ADD_MEM_REG, overlapping, [fd]), 0n);
  const [queue] = guest.queues;
  ram.write(ram.regions[0].guestAddress + 4096 + 1024, [7, 8, 9]);
  const response = ram.allocate(3);
  queue.submit([
    { address: extra.guestAddress + 1024, length: 3 },
    { address: response, length: 3, writable: true },
  ]);
  assertEquals(queue.waitUsed(frontEnd).length, 3);
  assertEquals([...ram.read(response, 3)], [7, 8, 9]);
  frontEnd.removeRegion(extra);
  queue.submit([
    { address: extra.guestAddress + 1024, length: 3 },
    { address: response, length: 3, writable: true },
  ]);
  assertEquals(queue.waitUsed(frontEnd).length, 0);
  assertEquals([...guest.request([1], 1).response], [1]);
});

Deno.test("V9 a ring whose region is removed and added again goes on", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect(), {
    acknowledged: true,
    protocolFeatures: PROTOCOL_REPLY_ACK | PROTOCOL_CONFIGURE_MEM_SLOTS,
  });
  guest.request([1], 1);
  const { frontEnd, ram } = guest;
  const [described] = ram.regions;
  frontEnd.removeRegion(described);
  const [queue] = guest.queues;
  queue.submit(guest.segments([2], 1));
  frontEnd.barrier();
  assertEquals(queue.hasUsed(), false);
  frontEnd.addRegion(described, described.fd);
  assertEquals(queue.waitUsed(frontEnd).length, 1);
});
