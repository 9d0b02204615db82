import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { CLOSED, Connection, MESSAGE, NOTHING_YET } from "../../../lib/vhost_user/connection.ts";
import { socketPair } from "../../support/kernel_objects.ts";
import { withDescriptorLimit } from "../../support/descriptor_limit.ts";
import { FrontEnd } from "../../support/front_end.ts";
import { fdCount } from "../../support/process_state.ts";
import { concatenate, message, REQUEST, u32, u64 } from "../../support/wire.ts";

/** Both ends of a connection. */
class Ends implements Disposable {
  readonly frontEnd: FrontEnd;
  readonly connection: Connection;
  readonly #fds: number;

  /** @param share of descriptors; without it as many as a message can carry */
  constructor(share?: number) {
    this.#fds = fdCount();
    const [here, there] = socketPair();
    this.frontEnd = new FrontEnd(here);
    this.connection = new Connection(there, share);
  }

  [Symbol.dispose](): void {
    this.frontEnd.close();
    this.connection.close();
    assertStrictEquals(fdCount(), this.#fds, "descriptors were left open or closed twice");
  }
}

/** Descriptors to send; they stay the test's. */
class Fds implements Disposable {
  readonly fds: number[];

  constructor(count: number) {
    this.fds = Array.from({ length: count }, () => createEventfd());
  }

  [Symbol.dispose](): void {
    for (const fd of this.fds) close(fd);
  }
}

Deno.test("there is nothing yet when nothing was sent", () => {
  using ends = new Ends();
  assertStrictEquals(ends.connection.receive(), NOTHING_YET);
});

Deno.test("a message comes with its header and payload", () => {
  using ends = new Ends();
  ends.frontEnd.sendBytes(message(REQUEST.SET_FEATURES, u64(0x1234n), 0x9));
  assertStrictEquals(ends.connection.receive(), MESSAGE);
  assertEquals(ends.connection.header, { request: 2, needReply: true, size: 8 });
  assertEquals(ends.connection.payload.byteLength, 8);
  assertEquals(ends.connection.payload.getBigUint64(0, true), 0x1234n);
  assertStrictEquals(ends.connection.receive(), NOTHING_YET);
});

Deno.test("messages that arrive together are taken one by one", () => {
  using ends = new Ends();
  ends.frontEnd.sendBytes(concatenate(
    message(REQUEST.SET_OWNER),
    message(REQUEST.SET_FEATURES, u64(1)),
    message(REQUEST.GET_FEATURES),
  ));
  const requests = [1, 2, 3].map(() => {
    assertStrictEquals(ends.connection.receive(), MESSAGE);
    return ends.connection.header.request;
  });
  assertEquals(requests, [REQUEST.SET_OWNER, REQUEST.SET_FEATURES, REQUEST.GET_FEATURES]);
});

Deno.test("a message that arrives byte by byte is put together, with its descriptor", () => {
  using ends = new Ends();
  using eventfd = new Fds(1);
  // The request before must not be taken for the one of which only a byte is there.
  ends.frontEnd.sendBytes(message(REQUEST.GET_FEATURES));
  assertStrictEquals(ends.connection.receive(), MESSAGE);
  const bytes = message(REQUEST.SET_VRING_KICK, u64(1));
  for (let index = 0; index < bytes.length; index++) {
    assertStrictEquals(ends.connection.receive(), NOTHING_YET);
    const fds = index === 0 ? eventfd.fds : [];
    ends.frontEnd.sendBytes(bytes.subarray(index, index + 1), fds);
  }
  assertStrictEquals(ends.connection.receive(), MESSAGE);
  assertStrictEquals(ends.connection.header.request, REQUEST.SET_VRING_KICK);
  assertEquals(ends.connection.fds.length, 1);
});

Deno.test("V7 a descriptor that nobody takes is closed with the next message", () => {
  using ends = new Ends();
  using eventfd = new Fds(1);
  const before = fdCount();
  ends.frontEnd.sendBytes(message(REQUEST.SET_VRING_KICK, u64(0)), eventfd.fds);
  assertStrictEquals(ends.connection.receive(), MESSAGE);
  assertStrictEquals(fdCount(), before + 1);
  assertStrictEquals(ends.connection.receive(), NOTHING_YET);
  assertStrictEquals(fdCount(), before);
});

Deno.test("V7 a descriptor that was taken stays open", () => {
  using ends = new Ends();
  using eventfd = new Fds(1);
  ends.frontEnd.sendBytes(message(REQUEST.SET_VRING_CALL, u64(0)), eventfd.fds);
  assertStrictEquals(ends.connection.receive(), MESSAGE);
  const fd = ends.connection.takeFd();
  assertEquals(ends.connection.takeFd(), -1);
  const before = fdCount();
  ends.connection.receive();
  assertStrictEquals(fdCount(), before);
  close(fd);
});

Deno.test("V7 more descriptors than a message may carry end the connection and are closed", () => {
  for (
    const [request, payload, count] of [
      [REQUEST.GET_FEATURES, u64(), 1],
      [REQUEST.SET_VRING_KICK, u64(0), 2],
      [REQUEST.SET_FEATURES, u64(0), 253],
    ] as const
  ) {
    using ends = new Ends();
    using eventfds = new Fds(count);
    ends.frontEnd.sendBytes(message(request, payload), eventfds.fds);
    assertStrictEquals(ends.connection.receive(), CLOSED);
    assertMatch(ends.connection.reason, /file descriptors/);
  }
});

Deno.test("V7 descriptors of an unknown request are closed", () => {
  using ends = new Ends();
  using eventfds = new Fds(253);
  const before = fdCount();
  ends.frontEnd.sendBytes(message(999, u64(1)), eventfds.fds);
  assertStrictEquals(ends.connection.receive(), MESSAGE);
  assertStrictEquals(ends.connection.receive(), NOTHING_YET);
  assertStrictEquals(fdCount(), before);
});

Deno.test("V13 none of the descriptors of an unknown request are kept, however it arrives", () => {
  using ends = new Ends();
  using eventfds = new Fds(200);
  const before = fdCount();
  const bytes = message(999, u64(1));
  ends.frontEnd.sendBytes(bytes.subarray(0, 12), eventfds.fds);
  assertEquals(ends.connection.receive(), NOTHING_YET);
  assertEquals(fdCount(), before);
  for (let at = 12; at < bytes.length - 1; at++) {
    ends.frontEnd.sendBytes(bytes.subarray(at, at + 1), eventfds.fds);
    assertEquals(ends.connection.receive(), NOTHING_YET);
    assertEquals(fdCount(), before);
  }
  ends.frontEnd.sendBytes(bytes.subarray(bytes.length - 1), eventfds.fds);
  assertEquals(ends.connection.receive(), MESSAGE);
  assertEquals([fdCount(), ends.connection.fds], [before, []]);
});

Deno.test("V13 a header that is not complete brings no more descriptors than a message may", () => {
  using ends = new Ends();
  using eventfds = new Fds(200);
  const before = fdCount();
  const bytes = message(999);
  ends.frontEnd.sendBytes(bytes.subarray(0, 1), eventfds.fds);
  assertEquals(ends.connection.receive(), NOTHING_YET);
  assertEquals(fdCount(), before + 200);
  ends.frontEnd.sendBytes(bytes.subarray(1, 2), eventfds.fds);
  assertEquals(ends.connection.receive(), CLOSED);
  assertMatch(ends.connection.reason, /too many file descriptors, expected at most 253/);
  assertEquals(fdCount(), before + 253);
});

Deno.test("V13 descriptors beyond those of a message are not even taken", () => {
  using ends = new Ends();
  using eventfds = new Fds(200);
  const before = fdCount();
  const bytes = message(REQUEST.SET_VRING_KICK, u64(0));
  ends.frontEnd.sendBytes(bytes.subarray(0, 12), eventfds.fds.slice(0, 1));
  assertEquals(ends.connection.receive(), NOTHING_YET);
  ends.frontEnd.sendBytes(bytes.subarray(12), eventfds.fds);
  assertEquals(ends.connection.receive(), CLOSED);
  assertEquals(
    ends.connection.reason,
    "malformed message: SET_VRING_KICK comes with too many file descriptors, expected at most 1",
  );
  assertEquals(fdCount(), before + 1);
});

Deno.test("V13 a front-end has a share of the descriptors and gets no more, with a clear error", () => {
  using eventfds = new Fds(9);
  const table = message(REQUEST.SET_MEM_TABLE, new Uint8Array(8 + 9 * 32));
  {
    using ends = new Ends(9);
    ends.frontEnd.sendBytes(table, eventfds.fds);
    assertEquals(ends.connection.receive(), MESSAGE);
    assertEquals(ends.connection.fds.length, 9);
  }
  using ends = new Ends(8);
  const before = fdCount();
  ends.frontEnd.sendBytes(table, eventfds.fds);
  assertEquals(ends.connection.receive(), CLOSED);
  assertMatch(
    ends.connection.reason,
    /more than 8 file .* this guest's share .*; raise its limit/,
  );
  assertEquals(fdCount(), before + 8);
});

Deno.test("V13 that descriptors have run out is told apart", () => {
  using ends = new Ends();
  using eventfds = new Fds(9);
  const table = message(REQUEST.SET_MEM_TABLE, new Uint8Array(8 + 9 * 32));
  ends.frontEnd.sendBytes(table, eventfds.fds);
  const result = withDescriptorLimit(0, () => ends.connection.receive());
  assertEquals(result, CLOSED);
  assertMatch(ends.connection.reason, /were lost: the daemon may open no more; raise its limit/);
});

Deno.test("V7 descriptors that come with the payload instead of the header are closed too", () => {
  using ends = new Ends();
  using eventfds = new Fds(3);
  const bytes = message(REQUEST.SET_FEATURES, u64(1));
  ends.frontEnd.sendBytes(bytes.subarray(0, 12));
  assertStrictEquals(ends.connection.receive(), NOTHING_YET);
  ends.frontEnd.sendBytes(bytes.subarray(12), eventfds.fds);
  assertStrictEquals(ends.connection.receive(), CLOSED);
});

Deno.test("V12 the end of the stream between two messages is no error", () => {
  using ends = new Ends();
  ends.frontEnd.close();
  assertStrictEquals(ends.connection.receive(), CLOSED);
  assertMatch(ends.connection.reason, /closed the connection$/);
});

Deno.test("V12 the end of the stream in the middle of a message is told apart", () => {
  for (const length of [1, 11, 12, 19]) {
    using ends = new Ends();
    using eventfd = new Fds(1);
    const bytes = message(REQUEST.SET_VRING_KICK, u64(0)).subarray(0, length);
    ends.frontEnd.sendBytes(bytes, eventfd.fds);
    ends.frontEnd.close();
    while (ends.connection.receive() === MESSAGE);
    assertMatch(ends.connection.reason, /in the middle of a message/);
  }
});

Deno.test("V1 a size beyond all reason closes the connection before anything of it is read", () => {
  using ends = new Ends();
  ends.frontEnd.sendBytes(u32(REQUEST.SET_MEM_TABLE, 1, 0xffff_ffff));
  assertStrictEquals(ends.connection.receive(), CLOSED);
  assertMatch(ends.connection.reason, /SET_MEM_TABLE announces 4294967295 bytes/);
});

Deno.test("V1 a reply has the request's number, version 1 and the reply flag", () => {
  using ends = new Ends();
  ends.frontEnd.sendBytes(message(REQUEST.GET_QUEUE_NUM));
  ends.connection.receive();
  assertEquals(ends.connection.replyU64(0x1_0000_0002n), true);
  const { request, flags, payload } = ends.frontEnd.receive();
  assertEquals([request, flags], [REQUEST.GET_QUEUE_NUM, 0x5]);
  assertEquals(payload.getBigUint64(0, true), 0x1_0000_0002n);
});

Deno.test("V12 a front-end that never reads its replies is given up", () => {
  using ends = new Ends();
  let replies = 0;
  while (ends.connection.replyU64(1n)) assert(++replies < 1_000_000);
  assertMatch(ends.connection.reason, /does not read/);
});

Deno.test("V12 a reply to a front-end that has gone fails without a signal", () => {
  using ends = new Ends();
  ends.frontEnd.close();
  assertEquals(ends.connection.replyU64(1n), false);
  assertMatch(ends.connection.reason, /replying failed/);
});
