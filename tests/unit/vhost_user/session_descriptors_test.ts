import { assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { socketPair } from "../../support/kernel_objects.ts";
import { HOLD_QUEUE } from "../../support/echo_device.ts";
import { Guest } from "../../support/guest.ts";
import { InProcess } from "../../support/in_process.ts";
import { fdCount } from "../../support/process_state.ts";
import { memoryTable, message, PROTOCOL_REPLY_ACK, REQUEST, u32, u64 } from "../../support/wire.ts";

/** How many mappings of guest memory there are. */
function mappingCount(): number {
  return [...Deno.readTextFileSync("/proc/self/maps").matchAll(/\/memfd:/g)].length;
}

/** Runs `use` with a front-end and checks that the back-end has closed everything afterwards. */
function closesEverything(use: (backEnd: InProcess, round: number) => void): void {
  // What is opened once and for all is there from now on.
  {
    using backEnd = InProcess.echo();
    use(backEnd, 0);
  }
  using backEnd = InProcess.echo();
  const before = [fdCount(), mappingCount()];
  for (let round = 1; round <= 3; round++) use(backEnd, round);
  assertEquals([fdCount(), mappingCount()], before);
}

Deno.test("V7 everything is closed when the front-end goes", () => {
  closesEverything((backEnd) => {
    using guest = new Guest(backEnd.connect());
    guest.request([1, 2], 2);
    guest.queues[HOLD_QUEUE].submit(guest.segments([1], 1));
    const [here, there] = socketPair();
    guest.frontEnd.send(REQUEST.SET_BACKEND_REQ_FD, u64(0), [there]);
    guest.frontEnd.send(REQUEST.SET_BACKEND_REQ_FD, [], [there]);
    close(here);
    close(there);
  });
});

Deno.test("V7 a descriptor that replaces another leaves one open", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect());
  const { frontEnd, queues: [queue] } = guest;
  const before = fdCount();
  for (let count = 0; count < 10; count++) {
    frontEnd.setVringKick(0, queue.kickFd);
    frontEnd.setVringCall(0, queue.callFd);
    frontEnd.setVringError(0, queue.errorFd);
    frontEnd.setMemoryTable(guest.ram);
  }
  frontEnd.barrier();
  assertStrictEquals(fdCount(), before);
  frontEnd.setVringKick(0, -1);
  frontEnd.setVringCall(0, -1);
  frontEnd.setVringError(0, -1);
  frontEnd.barrier();
  assertStrictEquals(fdCount(), before - 3);
});

Deno.test("V7 a stopped ring keeps no kick descriptor", () => {
  using backEnd = InProcess.echo();
  using guest = new Guest(backEnd.connect());
  const before = fdCount();
  guest.frontEnd.getVringBase(0);
  assertStrictEquals(fdCount(), before - 1);
});

const refused: [string, number, Uint8Array][] = [
  ["a kick for a ring that is not known yet", REQUEST.SET_VRING_KICK, u64(0)],
  ["a kick for a queue that does not exist", REQUEST.SET_VRING_KICK, u64(9)],
  ["a call for a queue that does not exist", REQUEST.SET_VRING_CALL, u64(9)],
  ["a call that announces no descriptor", REQUEST.SET_VRING_CALL, u64(0x100)],
  ["an error descriptor for a queue that does not exist", REQUEST.SET_VRING_ERR, u64(9)],
  ["a region that is none", REQUEST.ADD_MEM_REG, u64(0, 0, 4096, 0, 0)],
  ["a memory table with descriptors only", REQUEST.SET_MEM_TABLE, u32(0, 0)],
  [
    "a memory table of no memory",
    REQUEST.SET_MEM_TABLE,
    memoryTable([{ guestAddress: 0, size: 4096, userAddress: 0, fileOffset: 0 }]),
  ],
  ["a request that nobody knows", 999, u64(0)],
];
for (const [what, request, payload] of refused) {
  for (const acknowledged of [true, false]) {
    const how = acknowledged ? "with" : "without";
    Deno.test(`V7 the descriptor of ${what} is closed, ${how} an acknowledgement`, () => {
      closesEverything((backEnd) => {
        using frontEnd = backEnd.connect();
        const eventfd = createEventfd();
        if (acknowledged) {
          frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
          const before = fdCount();
          assertNotEquals(frontEnd.outcome(request, payload, [eventfd]), 0n);
          frontEnd.barrier();
          assertStrictEquals(fdCount(), before);
        } else {
          frontEnd.send(request, payload, [eventfd]);
        }
        close(eventfd);
      });
    });
  }
}

Deno.test("V7 a front-end that vanishes at any byte of a conversation leaves nothing open", () => {
  closesEverything((backEnd, round) => {
    const eventfd = createEventfd();
    const messages = [
      message(REQUEST.SET_OWNER),
      message(REQUEST.SET_VRING_CALL, u64(0)),
      message(REQUEST.SET_VRING_NUM, u32(0, 8)),
      message(REQUEST.SET_VRING_ERR, u64(1)),
    ];
    const total = messages.reduce((sum, bytes) => sum + bytes.length, 0);
    // Every third place, another third each time.
    for (let end = round % 3; end <= total; end += 3) {
      using frontEnd = backEnd.connect();
      let rest = end;
      for (const bytes of messages) {
        const part = bytes.subarray(0, rest);
        const fds = bytes[0] >= 12 && bytes[0] <= 14 ? [eventfd] : [];
        if (part.length > 0) frontEnd.sendBytes(part, fds);
        rest -= part.length;
      }
      backEnd.settle();
    }
    close(eventfd);
  });
});

Deno.test("V7 2,000 guests that come and go leave the number of descriptors as it was", () => {
  using backEnd = InProcess.echo();
  const round = () => {
    using guest = new Guest(backEnd.connect());
    guest.request([1], 1);
  };
  round();
  const before = fdCount();
  for (let count = 0; count < 2000; count++) round();
  assertStrictEquals(fdCount(), before);
  assertEquals(backEnd.device.requests, 2001);
});
