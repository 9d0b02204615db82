import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { I2cDevice, type ServedAdapter } from "../../../lib/i2c/device.ts";
import { Messages } from "../../../lib/i2c/messages.ts";
import { TEN_BIT } from "../../../lib/i2c/protocol.ts";
import type { Segment } from "../../support/driver_queue.ts";
import { GuestRam } from "../../support/guest_ram.ts";
import {
  ERR,
  F_ZERO_LENGTH_REQUEST,
  FAIL_NEXT,
  group,
  I2cGuest,
  type Message,
  OK,
  READ,
  read,
  sevenBit,
  tenBit,
  UNTOUCHED,
  write,
} from "../../support/i2c_driver.ts";
import { InProcess, RecordingLog } from "../../support/in_process.ts";
import { PROTOCOL_CONFIG, REQUEST, u64, VIRTIO_F_VERSION_1 } from "../../support/wire.ts";
import { RecordingAdapter } from "./recording_adapter.ts";

function statuses(outcomes: { status: number }[]): number[] {
  return outcomes.map(({ status }) => status);
}

function serve(served: ServedAdapter[], log = new RecordingLog()): InProcess<I2cDevice> {
  return new InProcess(new I2cDevice(served, new Messages(), log.logger));
}

function withGuest(served: ServedAdapter[], use: (guest: I2cGuest) => void): void {
  using backEnd = serve(served);
  using guest = new I2cGuest(backEnd.connect());
  use(guest);
}

/** A guest of one adapter, with chips at 0x50 and 0x51. */
function withAdapter(
  use: (guest: I2cGuest, adapter: RecordingAdapter) => void,
  adapter = new RecordingAdapter(),
  addresses = [0x50, 0x51],
): void {
  withGuest([{ adapter, addresses }], (guest) => use(guest, adapter));
}

Deno.test("I1 zero-length requests are offered", () => {
  using backEnd = serve([]);
  using frontEnd = backEnd.connect();
  assert(frontEnd.getFeatures() & F_ZERO_LENGTH_REQUEST);
});

Deno.test("I1 a driver that does not take zero-length requests is refused", () => {
  using backEnd = serve([]);
  using frontEnd = backEnd.connect();
  frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & ~PROTOCOL_CONFIG);
  assertNotEquals(frontEnd.outcome(REQUEST.SET_FEATURES, u64(VIRTIO_F_VERSION_1)), 0n);
});

Deno.test("I1 there is no configuration space, and none is offered", () => {
  using backEnd = serve([]);
  using frontEnd = backEnd.connect();
  assertEquals(frontEnd.getProtocolFeatures() & PROTOCOL_CONFIG, 0n);
});

Deno.test("I2 the 7-bit address is in bits 7 to 1", () => {
  withAdapter((guest, adapter) => {
    assertEquals(statuses(guest.exchange({ ...read(0, 1), address: 0xa0 })), [OK]);
    assertEquals(adapter.transactions, ["r1@0x50"]);
  });
});

Deno.test("I2 an address field with bit 0 set, or bits above of neither form, is an error", () => {
  withAdapter((guest, adapter) => {
    for (const address of [0xa1, 0x01a0, 0x80a0, 0xffff]) {
      assertEquals(statuses(guest.exchange({ ...read(0, 1), address })), [ERR]);
    }
    assertEquals(adapter.transactions, []);
  });
});

Deno.test("I2 a 10-bit address reaches an adapter that serves it", () => {
  const serve = [TEN_BIT + 0x250, TEN_BIT + 0x050, TEN_BIT + 0x300];
  withAdapter(
    (guest, adapter) => {
      for (const address of [0x250, 0x050, 0x300]) {
        const message = { ...read(0, 1), address: tenBit(address) };
        assertEquals(statuses(guest.exchange(message)), [OK]);
      }
      assertEquals(adapter.transactions, [
        "r1@0x250 (10-bit)",
        "r1@0x050 (10-bit)",
        "r1@0x300 (10-bit)",
      ]);
    },
    new RecordingAdapter(),
    serve,
  );
});

Deno.test("I2 a 10-bit address that nobody serves is an error, not its 7-bit namesake", () => {
  withAdapter((guest, adapter) => {
    assertEquals(statuses(guest.exchange({ ...read(0, 1), address: tenBit(0x050) })), [ERR]);
    assertEquals(adapter.transactions, []);
  });
});

Deno.test("I3 chained requests are one transaction, and neighbours are others", () => {
  withAdapter((guest, adapter) => {
    const outcomes = guest.exchange(
      write(0x50, 1),
      ...group(write(0x50, 2), read(0x50, 3)),
      ...group(write(0x50, 4, 5), read(0x50, 1), write(0x50, 6)),
      read(0x50, 2),
    );
    assertEquals(statuses(outcomes), new Array(7).fill(OK));
    assertEquals(adapter.transactions, [
      "w1@0x50",
      "w1@0x50 r3@0x50",
      "w2@0x50 r1@0x50 w1@0x50",
      "r2@0x50",
    ]);
  });
});

Deno.test("I3 requests of other addresses that are not chained are not merged", () => {
  withAdapter((guest, adapter) => {
    guest.exchange(write(0x50, 1), write(0x51, 2), write(0x50, 3));
    assertEquals(adapter.transactions, ["w1@0x50", "w1@0x51", "w1@0x50"]);
  });
});

Deno.test("I3 a chained request of another address keeps its repeated start, as E-DDC needs", () => {
  withAdapter((guest, adapter) => {
    guest.transfer(write(0x51, 1), write(0x50, 0), read(0x50, 2));
    assertEquals(adapter.transactions, ["w1@0x51 w1@0x50 r2@0x50"]);
  });
});

Deno.test("I3 a transaction may come in parts, and waits for its last request", () => {
  withAdapter((guest, adapter) => {
    const [first, second] = group(write(0x50, 1), read(0x50, 2));
    const begun = guest.offer([first]);
    guest.frontEnd.barrier();
    assertEquals(adapter.transactions, []);
    assertEquals(guest.queues[0].hasUsed(), false);
    const outcomes = guest.collect([...begun, ...guest.offer([second])]);
    assertEquals(statuses(outcomes), [OK, OK]);
    assertEquals(adapter.transactions, ["w1@0x50 r2@0x50"]);
  });
});

Deno.test("I3 42 messages are one transaction", () => {
  withAdapter((guest, adapter) => {
    const messages = Array.from({ length: 42 }, () => read(0x50, 1));
    assertEquals(statuses(guest.transfer(...messages)), new Array(42).fill(OK));
    assertEquals(adapter.transactions.length, 1);
  });
});

Deno.test("I3 more than 42 messages are failed as a whole, and the next transaction is served", () => {
  withAdapter((guest, adapter) => {
    const messages = Array.from({ length: 43 }, () => read(0x50, 1));
    assertEquals(statuses(guest.transfer(...messages)), new Array(43).fill(ERR));
    const more = Array.from({ length: 100 }, () => write(0x50, 1));
    assertEquals(statuses(guest.transfer(...more)), new Array(100).fill(ERR));
    assertEquals(adapter.transactions, []);
    assertEquals(statuses(guest.transfer(write(0x50, 1), read(0x50, 1))), [OK, OK]);
    assertEquals(adapter.transactions, ["w1@0x50 r1@0x50"]);
  });
});

Deno.test("I3 a transaction that is unfinished when the queue stops is failed", () => {
  withAdapter((guest, adapter) => {
    const begun = guest.offer(group(write(0x50, 1), read(0x50, 2)).slice(0, 1));
    assertEquals(guest.frontEnd.getVringBase(0), 1);
    assertEquals(statuses(guest.collect(begun)), [ERR]);
    assertEquals(adapter.transactions, []);
  });
});

Deno.test("I3 nothing is written to an unfinished transaction of a driver that starts anew", () => {
  withAdapter((guest) => {
    const [begun] = guest.offer([{ ...read(0x50, 2), flags: READ | FAIL_NEXT }]);
    guest.frontEnd.barrier();
    // The buffers may have another use by now.
    guest.bind();
    assertEquals([...guest.ram.read(begun.dataAt, 3)], [UNTOUCHED, UNTOUCHED, UNTOUCHED]);
  });
});

Deno.test("I3 nothing of an unfinished transaction is left after a restart of the queue", () => {
  withAdapter((guest, adapter) => {
    guest.collect((() => {
      const begun = guest.offer([{ ...write(0x50, 1), flags: FAIL_NEXT }]);
      guest.frontEnd.getVringBase(0);
      return begun;
    })());
    guest.start(guest.queues[0], 1);
    guest.frontEnd.setVringEnable(0, true);
    assertEquals(statuses(guest.exchange(read(0x50, 2))), [OK]);
    assertEquals(adapter.transactions, ["r2@0x50"]);
  });
});

Deno.test("I3 a transaction that the driver never finishes is failed after a while, with a warning", () => {
  const adapter = new RecordingAdapter();
  const log = new RecordingLog();
  using backEnd = serve([{ adapter, addresses: [0x50] }], log);
  // What Linux does where its ring is smaller than the transaction.
  using guest = new I2cGuest(backEnd.connect(), { size: 4 });
  const messages = group(...Array.from({ length: 5 }, () => read(0x50, 1))).slice(0, 4);
  for (let round = 0; round < 2; round++) {
    assertEquals(statuses(guest.exchange(...messages)), [ERR, ERR, ERR, ERR]);
  }
  assertEquals(adapter.transactions, []);
  assertEquals(log.of("warn").length, 1);
  assertMatch(log.of("warn")[0], /unfinished after 4 messages/);
  assertEquals(statuses(guest.exchange(read(0x50, 1))), [OK]);
});

Deno.test("I4 after a failure the rest of the group fails, earlier ones keep their status", () => {
  withAdapter((guest, adapter) => {
    adapter.succeeding = 2;
    const messages = [write(0x50, 1), read(0x50, 1), write(0x50, 2), read(0x50, 1)];
    const outcomes = guest.transfer(...messages);
    assertEquals(statuses(outcomes), [OK, OK, ERR, ERR]);
    assertEquals(adapter.transactions.length, 1);
  });
});

Deno.test("I4 a request that cannot be tried fails the rest of its group untried", () => {
  withAdapter((guest, adapter) => {
    const outcomes = guest.transfer(write(0x50, 1), write(0x33, 1), read(0x50, 1));
    assertEquals(statuses(outcomes), [OK, ERR, ERR]);
    assertEquals(adapter.transactions, ["w1@0x50"]);
  });
});

Deno.test("I4 other groups go on after a failure", () => {
  withAdapter((guest, adapter) => {
    adapter.succeeding = 0;
    assertEquals(statuses(guest.transfer(write(0x50, 1), read(0x50, 1))), [ERR, ERR]);
    adapter.succeeding = Infinity;
    const outcomes = guest.exchange(
      ...group(write(0x33, 1), read(0x33, 1)),
      ...group(write(0x50, 1), read(0x50, 1)),
    );
    assertEquals(statuses(outcomes), [ERR, ERR, OK, OK]);
  });
});

Deno.test("I4 a read that failed shows nothing of what was read; its status counts as written", () => {
  withAdapter((guest, adapter) => {
    adapter.succeeding = 0;
    const [outcome] = guest.exchange(read(0x50, 4));
    assertEquals(outcome, { status: ERR, data: [0, 0, 0, 0], length: 5 });
  });
});

Deno.test("I5 a write buffer is never changed", () => {
  withAdapter((guest, adapter) => {
    const [outcome] = guest.exchange(write(0x50, 1, 2, 3, 4, 5));
    assertEquals(outcome, { status: OK, data: [1, 2, 3, 4, 5], length: 1 });
    assertEquals(adapter.written, [[1, 2, 3, 4, 5]]);
  });
});

Deno.test("I5 a read fills exactly the buffer", () => {
  withAdapter((guest) => {
    for (const length of [1, 2, 3, 4, 5, 31, 255, 4096]) {
      const [{ status, data, length: used }] = guest.exchange(read(0x50, length));
      assertStrictEquals(status, OK);
      assertStrictEquals(used, length + 1);
      assertEquals(data, Array.from({ length }, (_, index) => index & 0xff));
    }
  });
});

Deno.test("I5 messages have up to 65535 bytes, and not one more", () => {
  withAdapter((guest, adapter) => {
    assertEquals(statuses(guest.exchange(read(0x50, 65535))), [OK]);
    const bytes = Array.from({ length: 65535 }, (_, index) => index * 7 & 0xff);
    assertEquals(statuses(guest.exchange({ ...write(0x50), bytes })), [OK]);
    assertEquals(adapter.written[0], bytes);
    assertEquals(statuses(guest.exchange(read(0x50, 65536))), [ERR]);
    assertEquals(statuses(guest.exchange({ ...write(0x50), bytes: [...bytes, 0] })), [ERR]);
    assertEquals(adapter.transactions, ["r65535@0x50", "w65535@0x50"]);
    // One that would take more.
  }, new RecordingAdapter(70_000));
});

Deno.test("I5 a message longer than the adapter can do is an error", () => {
  withAdapter((guest, adapter) => {
    const outcomes = guest.exchange(read(0x50, 8192), read(0x50, 8193));
    assertEquals(statuses(outcomes), [OK, ERR]);
    assertEquals(adapter.transactions, ["r8192@0x50"]);
  }, new RecordingAdapter(8192));
});

Deno.test("I5 messages without data go out in both directions", () => {
  withAdapter((guest, adapter) => {
    assertEquals(guest.exchange(write(0x50), read(0x50, 0)), [
      { status: OK, data: [], length: 1 },
      { status: OK, data: [], length: 1 },
    ]);
    assertEquals(adapter.transactions, ["w0@0x50", "r0@0x50"]);
  });
});

Deno.test("I5 a message without data is an error where the adapter cannot do it", () => {
  withAdapter((guest, adapter) => {
    assertEquals(statuses(guest.exchange(write(0x50), read(0x50, 0))), [ERR, ERR]);
    assertEquals(adapter.transactions, []);
  }, new RecordingAdapter(8192, false));
});

Deno.test("I5 buffers may be cut into single bytes", () => {
  withAdapter((guest, adapter) => {
    const cut = ({ address, length, writable = false }: Segment) =>
      Array.from({ length }, (_, index) => ({ address: address + index, length: 1, writable }));
    const pending = guest.offer(group(write(0x50, 9, 8, 7), read(0x50, 5)), cut);
    const outcomes = guest.collect(pending);
    assertEquals(outcomes[0], { status: OK, data: [9, 8, 7], length: 1 });
    assertEquals(outcomes[1], { status: OK, data: [0, 1, 2, 3, 4], length: 6 });
    assertEquals(adapter.written, [[9, 8, 7]]);
  });
});

Deno.test("I5 a request whose flag and buffers disagree is an error", () => {
  withAdapter((guest, adapter) => {
    const readThatWrites: Message = { ...write(0x50, 1, 2), flags: READ };
    const writeThatReads: Message = { ...read(0x50, 2), flags: 0 };
    const outcomes = guest.exchange(readThatWrites, writeThatReads);
    assertEquals(statuses(outcomes), [ERR, ERR]);
    assertEquals(adapter.transactions, []);
  });
});

Deno.test("I5 a request without a whole header, or without room for a status, is returned", () => {
  withAdapter((guest, adapter) => {
    assertEquals(guest.request([0xa0, 0, 0, 0, 0], 3).response, Uint8Array.of(0, 0, ERR));
    assertStrictEquals(guest.request([], 1).response[0], ERR);
    assertStrictEquals(guest.request([0xa0, 0, 0, 0, 0, 0, 0], 1).response[0], ERR);
    assertEquals(guest.request([0xa0, 0, 0, 0, 0, 0, 0, 0, 1], 0).length, 0);
    // One that reads.
    assertEquals(guest.request([0xa0, 0, 0, 0, 2, 0, 0, 0], 0).length, 0);
    assertEquals(adapter.transactions, []);
    assertEquals(statuses(guest.exchange(read(0x50, 1))), [OK]);
  });
});

Deno.test("I6 an address that is not on the list is an error without bus traffic or log", () => {
  const adapter = new RecordingAdapter();
  const log = new RecordingLog();
  using backEnd = serve([{ adapter, addresses: [0x50] }], log);
  using guest = new I2cGuest(backEnd.connect());
  for (let address = 0; address < 128; address++) {
    if (address === 0x50) continue;
    assertEquals(statuses(guest.exchange(write(address), read(address, 1))), [ERR, ERR]);
  }
  assertEquals(adapter.transactions, []);
  assertEquals(log.lines, []);
});

Deno.test("I8 each address reaches the adapter that it is listed for", () => {
  const [one, two] = [new RecordingAdapter(), new RecordingAdapter()];
  const served = [{ adapter: one, addresses: [0x50] }, { adapter: two, addresses: [0x60, 0x61] }];
  withGuest(served, (guest) => {
    guest.exchange(write(0x50, 1), ...group(write(0x61, 2), read(0x61, 1)), write(0x60, 3));
    assertEquals(one.transactions, ["w1@0x50"]);
    assertEquals(two.transactions, ["w1@0x61 r1@0x61", "w1@0x60"]);
  });
});

Deno.test("I8 a group over two adapters is a transaction on each, and ends with the first failure", () => {
  const [one, two] = [new RecordingAdapter(), new RecordingAdapter()];
  const served = [{ adapter: one, addresses: [0x50] }, { adapter: two, addresses: [0x60] }];
  withGuest(served, (guest) => {
    const messages = [write(0x50, 1), read(0x50, 1), write(0x60, 2), write(0x50, 3)];
    assertEquals(statuses(guest.transfer(...messages)), [OK, OK, OK, OK]);
    assertEquals(one.transactions, ["w1@0x50 r1@0x50", "w1@0x50"]);
    assertEquals(two.transactions, ["w1@0x60"]);
    two.succeeding = 0;
    assertEquals(statuses(guest.transfer(...messages)), [OK, OK, ERR, ERR]);
    assertEquals(one.transactions.length, 3);
  });
});

/** A guest of one adapter that takes its time. */
function withSlowAdapter(use: (guest: I2cGuest, adapter: RecordingAdapter) => void): void {
  withAdapter((guest, adapter) => {
    adapter.slow = true;
    use(guest, adapter);
  });
}

Deno.test("I10 requests that come while a transaction takes its time are answered after it, in order", () => {
  withSlowAdapter((guest, adapter) => {
    const pending = guest.offer([
      ...group(write(0x50, 1), read(0x50, 2)),
      write(0x51, 2),
      read(0x33, 1),
      ...group(write(0x50, 3), read(0x51, 1)),
    ]);
    guest.frontEnd.barrier();
    assertEquals(adapter.transactions, ["w1@0x50 r2@0x50"]);
    assert(!guest.queues[0].hasUsed());
    adapter.finish(2);
    assertEquals(adapter.transactions.slice(1), ["w1@0x51"]);
    adapter.finish(0);
    assertEquals(adapter.transactions.slice(2), ["w1@0x50 r1@0x51"]);
    adapter.finish(1);
    const outcomes = guest.collect(pending);
    assertEquals(statuses(outcomes), [OK, OK, ERR, ERR, OK, ERR]);
    assertEquals(outcomes[1].data, [0, 1]);
    assertEquals(adapter.written, [[1], [2], [3]]);
  });
});

Deno.test("I10 of requests whose memory has gone while they waited nothing reaches the bus", () => {
  const adapter = new RecordingAdapter();
  adapter.slow = true;
  using ram = new GuestRam([{ guestAddress: 0x9000_0000, size: 4096 }]);
  withAdapter(
    (guest, adapter) => {
      guest.offer([write(0x50, 1), write(0x50, 2), write(0x00, 3)]);
      guest.frontEnd.barrier();
      guest.frontEnd.setMemoryTable(ram);
      guest.frontEnd.barrier();
      adapter.finish(1);
      assertEquals(adapter.written, [[1]]);
    },
    adapter,
    [0x00, 0x50],
  );
});

Deno.test("I10 a slow transaction goes on at its next adapter", () => {
  const [one, two] = [new RecordingAdapter(), new RecordingAdapter()];
  one.slow = two.slow = true;
  const served = [{ adapter: one, addresses: [0x50] }, { adapter: two, addresses: [0x60] }];
  withGuest(served, (guest) => {
    const pending = guest.offer(group(write(0x50, 1), read(0x60, 1), read(0x60, 2), read(0x50, 1)));
    guest.frontEnd.barrier();
    one.finish(1);
    assertEquals(two.transactions, ["r1@0x60 r2@0x60"]);
    two.finish(1);
    assertEquals(statuses(guest.collect(pending)), [OK, OK, ERR, ERR]);
    assertEquals(one.transactions, ["w1@0x50"]);
  });
});

Deno.test("I10 what was not begun when the queue stops is available again", () => {
  withSlowAdapter((guest, adapter) => {
    const pending = guest.offer([...group(write(0x50, 1), read(0x50, 2)), write(0x51, 2)]);
    assertEquals(guest.frontEnd.getVringBase(0), 0);
    assertEquals(adapter.abandoned, 1);
    adapter.slow = false;
    guest.start(guest.queues[0], 0);
    guest.frontEnd.setVringEnable(0, true);
    assertEquals(statuses(guest.collect(pending)), [OK, OK, OK]);
    assertEquals(adapter.transactions, ["w1@0x50 r2@0x50", "w1@0x50 r2@0x50", "w1@0x51"]);
  });
});

Deno.test("I10 of a transaction that was begun when the queue stops the rest is failed", () => {
  withSlowAdapter((guest, adapter) => {
    const pending = guest.offer([...group(write(0x50, 1), read(0x50, 2)), write(0x51, 2)]);
    guest.frontEnd.barrier();
    adapter.succeeding = 1;
    assertEquals(guest.frontEnd.getVringBase(0), 2);
    assertEquals(statuses(guest.collect(pending.slice(0, 2))), [OK, ERR]);
    assertEquals(adapter.abandoned, 1);
    assert(!guest.queues[0].hasUsed());
  });
});

Deno.test("I10 nothing is written to a slow transaction of a driver that starts anew", () => {
  withSlowAdapter((guest, adapter) => {
    const [begun, behind] = guest.offer([read(0x50, 2), read(0x50, 2)]);
    guest.frontEnd.barrier();
    adapter.succeeding = 1;
    // The buffers may have another use by now.
    guest.bind();
    assertEquals(adapter.abandoned, 1);
    for (const { dataAt } of [begun, behind]) {
      assertEquals([...guest.ram.read(dataAt, 3)], [UNTOUCHED, UNTOUCHED, UNTOUCHED]);
    }
  });
});

Deno.test("I10 a slow transaction ends with its front-end", () => {
  const adapter = new RecordingAdapter();
  adapter.slow = true;
  using backEnd = serve([{ adapter, addresses: [0x50] }]);
  {
    using guest = new I2cGuest(backEnd.connect());
    guest.offer([read(0x50, 2), read(0x50, 2)]);
    guest.frontEnd.barrier();
  }
  backEnd.settle();
  assertEquals(adapter.abandoned, 1);
  adapter.slow = false;
  using guest = new I2cGuest(backEnd.connect());
  assertEquals(statuses(guest.exchange(read(0x50, 1))), [OK]);
});

Deno.test("I10 requests that had to wait leave others their turn", () => {
  withSlowAdapter((guest, adapter) => {
    const pending = guest.offer(Array.from({ length: 5 }, () => write(0x50, 1)));
    guest.frontEnd.barrier();
    adapter.slow = false;
    adapter.duration = 2;
    adapter.finish(1);
    assertEquals(adapter.transactions.length, 2);
    assertEquals(statuses(guest.collect(pending)), [OK, OK, OK, OK, OK]);
  });
});

Deno.test("I10 a transaction that begins behind a slow one is failed like any other if it never ends", () => {
  withSlowAdapter((guest, adapter) => {
    const pending = guest.offer([write(0x50, 1), { ...write(0x50, 2), flags: FAIL_NEXT }]);
    guest.frontEnd.barrier();
    adapter.finish(1);
    assertEquals(statuses(guest.collect(pending)), [OK, ERR]);
    assertEquals(adapter.transactions, ["w1@0x50"]);
  });
});

Deno.test("requests that reserved flags are set in are served all the same", () => {
  withAdapter((guest, adapter) => {
    const outcomes = guest.exchange({ ...read(0x50, 1), flags: READ | 0xfffffff0 });
    assertEquals(statuses(outcomes), [OK]);
    assertEquals(adapter.transactions, ["r1@0x50"]);
  });
});

Deno.test("sevenBit and tenBit are the fields of the specification", () => {
  assertEquals(sevenBit(0x50), 0xa0);
  assertEquals(tenBit(0x250), 0x50f4);
});
