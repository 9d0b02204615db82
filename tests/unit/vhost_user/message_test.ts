import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  decodeConfigRange,
  decodeMemoryTable,
  decodeSingleRegion,
  decodeVringAddresses,
  decodeVringFd,
  decodeVringState,
  encodeReplyHeader,
  MAX_PAYLOAD,
} from "../../../lib/vhost_user/message.ts";
import {
  decodeHeader,
  type Header,
  requestName,
  requestOf,
} from "../../../lib/vhost_user/requests.ts";
import { concatenate, memoryTable, region, REQUEST, u32, u64 } from "../../support/wire.ts";

const view = (bytes: Uint8Array<ArrayBuffer>) => new DataView(bytes.buffer);

/** Decodes a header and returns it, or the problem with it. */
function decode(request: number, flags: number, size: number): Header | string {
  const header: Header = { request: 0, needReply: false, size: 0 };
  return decodeHeader(view(u32(request, flags, size)), header) ?? header;
}

Deno.test("V2 the numbers of the requests are those of the protocol", () => {
  const known = Array.from({ length: 256 }, (_, number) => number)
    .filter((number) => requestOf(number) !== undefined);
  assertEquals(known.length, 25);
  for (const number of known) {
    const name = requestName(number);
    assertStrictEquals(REQUEST[name as keyof typeof REQUEST], number, name);
  }
});

Deno.test("V1 a header has a request, flags and a size", () => {
  assertEquals(decode(1, 0x1, 0), { request: 1, needReply: false, size: 0 });
  assertEquals(decode(2, 0x9, 8), { request: 2, needReply: true, size: 8 });
});

Deno.test("V1 only protocol version 1 is understood", () => {
  for (const flags of [0, 2, 3, 0x8, 0xa]) assertEquals(typeof decode(1, flags, 0), "string");
});

Deno.test("V1 a front-end does not send replies", () => {
  assertEquals(typeof decode(1, 0x5, 0), "string");
});

Deno.test("V1 flags of later versions of the protocol do not matter", () => {
  assertEquals(decode(1, 0xffff_fff1, 0), { request: 1, needReply: false, size: 0 });
});

Deno.test("V1 a size that does not fit the request is refused", () => {
  for (const [request, size] of [[1, 8], [2, 0], [2, 7], [2, 9], [5, 0], [9, 8], [24, 11]]) {
    assertEquals(typeof decode(request, 1, size), "string", `request ${request}, ${size} bytes`);
  }
  assertEquals(typeof decode(REQUEST.SET_MEM_TABLE, 1, MAX_PAYLOAD + 1), "string");
  assertEquals(typeof decode(REQUEST.SET_MEM_TABLE, 1, 0xffff_ffff), "string");
});

Deno.test("V1 an unknown request may have a payload, but not of any size", () => {
  assertEquals(decode(999, 1, 300), { request: 999, needReply: false, size: 300 });
  assertEquals(typeof decode(999, 1, MAX_PAYLOAD + 1), "string");
});

Deno.test("a reply has version 1 and the reply flag and nothing else", () => {
  const bytes = new Uint8Array(12);
  encodeReplyHeader(view(bytes), 24, 20);
  assertEquals(bytes, u32(24, 0x5, 20));
});

Deno.test("a ring's state is its index and a number", () => {
  assertEquals(decodeVringState(view(u32(1, 0xffff_ffff))), { index: 1, value: 0xffff_ffff });
});

Deno.test("V10 bit 8 of a ring's descriptor message says that none comes along", () => {
  assertEquals(decodeVringFd(view(u64(1))), { index: 1, noFd: false });
  assertEquals(decodeVringFd(view(u64(0x1ff))), { index: 0xff, noFd: true });
});

Deno.test("a ring's addresses come as descriptors, used, available, log", () => {
  const payload = concatenate(u32(1, 2), u64(0x7f00_1234_5000, 16, 32, 2n ** 64n - 1n));
  assertEquals(decodeVringAddresses(view(payload)), {
    index: 1,
    flags: 2,
    descriptors: 0x7f00_1234_5000,
    used: 16,
    available: 32,
    log: 2 ** 64,
  });
});

const REGION = {
  guestAddress: 0x1_0000_0000,
  size: 0x4000_0000,
  userAddress: 0x7f12_3456_7000,
  fileOffset: 0xc000_0000,
};

Deno.test("a memory table is as many regions as it says", () => {
  const second = { ...REGION, guestAddress: 0 };
  assertEquals(decodeMemoryTable(view(memoryTable([REGION, second]))), [REGION, second]);
  assertEquals(decodeMemoryTable(view(memoryTable([REGION, second], 1))), [REGION]);
  assertEquals(decodeMemoryTable(view(memoryTable([]))), []);
});

Deno.test("V1 a memory table that says more regions than it has is refused", () => {
  for (const count of [2, 8, 0x0800_0000, 0xffff_ffff]) {
    assertEquals(decodeMemoryTable(view(memoryTable([REGION], count))), undefined);
  }
  // As long as the region alone.
  assertEquals(decodeMemoryTable(view(memoryTable([REGION]).slice(0, 32))), undefined);
});

Deno.test("a single region comes after 8 bytes of padding", () => {
  assertEquals(decodeSingleRegion(view(concatenate(u64(5), region(REGION)))), REGION);
});

Deno.test("a part of the configuration space is offset, size, flags", () => {
  assertEquals(decodeConfigRange(view(u32(4, 8, 1))), { offset: 4, size: 8, flags: 1 });
});
