import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { MAX_TRANSFER } from "../../../lib/spi/device.ts";
import { encodeHead, type Head, RESULT, type SpiGuest } from "../../support/spi_driver.ts";
import { pause, SLOWNESS, until } from "../../support/wait.ts";
import { withGuests } from "./fixture.ts";

const REGISTERS = 1;
const FLASH = 2;
const WRITE_ENABLE = 0x06;
const READ_STATUS = 0x05;
const READ = 0x80;

const ok = (rx: ArrayLike<number>) => ({
  result: RESULT.OK,
  rx: Array.from(rx),
  used: rx.length + 1,
});

/** A controller that can do little. */
const POOR = `
- simulated:
    parts: [{ part: loopback }, { part: loopback }]
    max-frequency: 1000000
    bits-per-word: [8, 16]
    modes: [0, 3]
    cs-high: false
    lsb-first: false
    loop: false
    rx-lines: 4
`;

Deno.test(
  "S1 the configuration space has every field of what the controller can do",
  withGuests((guest) => {
    const bytes = guest.frontEnd.getConfig(0, 32);
    assert(bytes !== undefined);
    assertEquals([...bytes.subarray(0, 4)], [2, 1, 0, 0b011]);
    const words = [...new Uint32Array(bytes.buffer, 4)];
    const [bits, modes, frequency, wordDelay, setup, hold, inactive] = words;
    assertEquals([bits, modes, frequency], [0x8080, 0b0001111, 1_000_000]);
    assertEquals([wordDelay, setup, hold, inactive], [1e6, 1e9, 1e9, 1e9]);
  }, POOR),
);

Deno.test(
  "S1 any part of the configuration space can be asked for",
  withGuests((guest) => {
    const { frontEnd } = guest;
    const parts = [[1, 1], [12, 4], [3, 1], [4, 4], [8, 4], [16, 4]];
    const whole = frontEnd.getConfig(0, 32);
    for (const [offset, size] of parts) {
      assertEquals(frontEnd.getConfig(offset, size), whole?.slice(offset, offset + size));
    }
    assertEquals(frontEnd.getConfig(30, 4), undefined);
  }, POOR),
);

const refused: [what: string, Head][] = [
  ["a chip select that there is not", { chipSelect: 2 }],
  ["words of no bits", { bitsPerWord: 0 }],
  ["words of a size that is not in the mask", { bitsPerWord: 9 }],
  ["words of more than 32 bits where there is a mask", { bitsPerWord: 33 }],
  ["words of 40 bits, not taken for 8", { bitsPerWord: 40 }],
  ["a value of cs_change that has no meaning", { csChange: 2 }],
  ["the mode bit next to the last that has a meaning", { mode: 1 << 5 }],
  ["an active-high chip select", { mode: 1 << 2 }],
  ["the least significant bit first", { mode: 1 << 3 }],
  ["loop mode", { mode: 1 << 4 }],
  ["mode bits that have no meaning", { mode: 2 ** 31 }],
  ["a number of lines out that has no meaning", { txNbits: 3 }],
  ["more lines out than there are", { txNbits: 2 }],
  ["a number of lines in that has no meaning", { rxNbits: 16 }],
  ["more lines in than there are", { rxNbits: 8 }],
  ["reserved fields in use", { reserved: [0, 1, 0] }],
  ["a frequency over the maximum", { frequency: 1_000_001 }],
  ["the highest frequency that fits the field", { frequency: 0xffffffff }],
  ["a word delay over the maximum", { wordDelay: 1_000_001 }],
  ["a setup delay over the maximum", { setup: 1_000_000_001 }],
  ["a hold delay over the maximum", { hold: 0xffffffff }],
  ["an inactive delay over the maximum", { inactive: 1_000_000_001 }],
];

for (const [what, head] of refused) {
  Deno.test(
    `S2 ${what}: PARAM_ERR, and the next transfer works`,
    withGuests((guest) => {
      const outcome = guest.exchange([1, 2, 3, 4], head);
      assertEquals(outcome, { result: RESULT.PARAM_ERR, rx: [0, 0, 0, 0], used: 5 });
      assertEquals(guest.exchange([1, 2], { chipSelect: 1 }), ok([1, 2]));
    }, POOR),
  );
}

Deno.test(
  "S2 words of no bits are refused by a controller that takes all others, too",
  withGuests((guest) => {
    assertStrictEquals(guest.exchange([1], { bitsPerWord: 0 }).result, RESULT.PARAM_ERR);
    assertEquals(guest.exchange([1], { bitsPerWord: 1 }), ok([1]));
    assertEquals(guest.exchange([1, 2, 3, 4], { bitsPerWord: 32 }), ok([1, 2, 3, 4]));
    assertStrictEquals(guest.exchange([1, 2, 3, 4], { bitsPerWord: 33 }).result, RESULT.PARAM_ERR);
  }, "- simulated: 1"),
);

Deno.test(
  "S2 the first refusal of a kind is logged, with the field",
  withGuests((guest, { log }) => {
    for (let round = 0; round < 3; round++) guest.exchange([1], { chipSelect: 2 });
    guest.exchange([1], { frequency: 2_000_000 });
    const [first, second, ...more] = log.of("warn");
    assertMatch(first, /refused: chip_select_id is not what the controller can do/);
    assertMatch(second, /refused: freq /);
    assertEquals(more, []);
  }, POOR),
);

Deno.test(
  "S2 what is just within the limits is done",
  withGuests((guest) => {
    const heads: Head[] = [
      { chipSelect: 1 },
      { bitsPerWord: 16 },
      { mode: 3 },
      { rxNbits: 4 },
      { rxNbits: 2, txNbits: 1 },
      { frequency: 1_000_000 },
      { wordDelay: 1_000_000, setup: 1000, hold: 1000, inactive: 1000 },
    ];
    for (const head of heads) assertEquals(guest.exchange([1, 2], head), ok([1, 2]));
  }, POOR),
);

Deno.test(
  "S2 modes are those of the configuration, not every phase with every polarity",
  withGuests((guest) => {
    const results = [0, 1, 2, 3].map((mode) => guest.exchange([1, 2], { mode }).result);
    const { OK, PARAM_ERR } = RESULT;
    assertEquals(results, [OK, PARAM_ERR, PARAM_ERR, OK]);
  }, POOR),
);

Deno.test(
  "a part does not understand a guest that uses another mode, and the log says so once",
  withGuests((guest, { log }) => {
    const identity = (mode: number) =>
      guest.exchange([0x9f, 0, 0, 0], { chipSelect: 2, mode }).rx.slice(1);
    assertEquals(identity(3), [0xef, 0x40, 0x12]);
    assertEquals(identity(1), [0xff, 0xff, 0xff]);
    assertEquals(identity(2), [0xff, 0xff, 0xff]);
    assertEquals(identity(0), [0xef, 0x40, 0x12]);
    const [warning, ...more] = log.of("warn");
    assertMatch(warning, /the part at chip select 2 takes mode 0 or 3, the guest uses mode 1/);
    assertEquals(more, []);
  }),
);

Deno.test(
  "S3 buffers of different length: PARAM_ERR, and the queue goes on",
  withGuests((guest) => {
    assertStrictEquals(guest.transfer({}, { tx: [1, 2, 3], rx: 2 }).result, RESULT.PARAM_ERR);
    assertStrictEquals(guest.transfer({}, { tx: [1, 2], rx: 3 }).result, RESULT.PARAM_ERR);
    assertEquals(guest.exchange([9]), ok([9]));
  }),
);

Deno.test(
  "S3 a transfer without data is done",
  withGuests((guest) => assertEquals(guest.transfer({}, {}), ok([]))),
);

Deno.test(
  "S3 a length that is no multiple of a word's: PARAM_ERR",
  withGuests((guest) => {
    assertStrictEquals(guest.exchange([1, 2, 3], { bitsPerWord: 16 }).result, RESULT.PARAM_ERR);
  }),
);

Deno.test(
  "S3 a request that is shorter than its head: PARAM_ERR",
  withGuests((guest) => {
    const { response, length } = guest.request(encodeHead({}).subarray(0, 31), 1);
    assertEquals([response[0], length], [RESULT.PARAM_ERR, 1]);
  }),
);

Deno.test(
  "S3 a request without room for a result comes back unanswered",
  withGuests((guest) => {
    assertEquals(guest.request(encodeHead({}), 0).length, 0);
    // Nothing of it has reached the chip.
    const enable = new Uint8Array(33);
    enable.set(encodeHead({ chipSelect: FLASH }));
    enable[32] = WRITE_ENABLE;
    assertEquals(guest.request(enable, 0).length, 0);
    assertEquals(guest.exchange([READ_STATUS, 0], { chipSelect: FLASH }).rx[1], 0);
  }),
);

Deno.test(
  "S4 requests of one batch have each their own settings",
  withGuests((guest) => {
    const queue = guest.queues[0];
    const response = guest.ram.allocate(8);
    const heads = [{ mode: 0x10 }, { mode: 0 }, { mode: 0x10 }].map((head, index) => {
      const address = guest.ram.allocate(34);
      guest.ram.write(address, encodeHead({ chipSelect: REGISTERS, ...head }));
      guest.ram.write(address + 32, [READ | 0x0f, 0]);
      return queue.place([
        { address, length: 34 },
        { address: response + 2 * index, length: 2, writable: true },
        { address: response + 6 + Math.min(1, index), length: 1, writable: true },
      ]);
    });
    queue.offer(...heads);
    queue.kick();
    const order = heads.map(() => queue.waitUsed(guest.frontEnd).head);
    assertEquals(order, heads);
    // In loop mode what was sent comes back, otherwise the register does.
    assertEquals([...guest.ram.read(response, 6)], [
      READ | 0x0f,
      0,
      0xff,
      0x33,
      READ | 0x0f,
      0,
    ]);
  }),
);

Deno.test(
  "S5 each chip select is a chip of its own",
  withGuests((guest) => {
    const id = guest.exchange([0x9f, 0, 0, 0], { chipSelect: 2 });
    assertEquals(id.rx.slice(1), [0xef, 0x40, 0x12]);
    const register = guest.exchange([READ | 0x0f, 0], { chipSelect: REGISTERS });
    assertEquals(register.rx[1], 0x33);
    assertEquals(guest.exchange([7]), ok([7]));
  }),
);

Deno.test(
  "S6 a transfer that fails: TRANS_ERR, and the next one works",
  withGuests((guest) => {
    const failed = guest.exchange([0x7f, 1], { chipSelect: REGISTERS });
    assertStrictEquals(failed.result, RESULT.TRANS_ERR);
    const next = guest.exchange([READ | 0x0f, 0], { chipSelect: REGISTERS });
    assertEquals(next.rx[1], 0x33);
  }),
);

Deno.test(
  "S6 a transfer over the limit is refused with one warning",
  withGuests(
    (guest, { log }) => {
      const queue = guest.queues[0];
      const head = guest.ram.allocate(32);
      guest.ram.write(head, encodeHead({}));
      const size = 2 ** 20;
      const data = guest.ram.allocate(size);
      const result = guest.ram.allocate(1);
      const segments = [
        { address: head, length: 32 },
        // The same memory again and again will do.
        ...Array.from({ length: MAX_TRANSFER / size }, () => ({ address: data, length: size })),
        { address: data, length: 1 },
        { address: result, length: 1, writable: true },
      ];
      for (let round = 0; round < 2; round++) {
        queue.submit(segments);
        queue.waitUsed(guest.frontEnd);
        assertEquals([...guest.ram.read(result, 1)], [RESULT.PARAM_ERR]);
      }
      const [warning, ...more] = log.of("warn");
      assertMatch(warning, /a transfer is refused: it has 16777217 bytes, the limit is 16777216/);
      assertEquals(more, []);
    },
    undefined,
    { queue: { size: 32 } },
  ),
);

Deno.test(
  "S7 what is sent is never changed, whatever the order of bits and bytes",
  withGuests((guest) => {
    const tx = [1, 2, 3, 4, 5, 6, 7, 8];
    const head = { chipSelect: REGISTERS, bitsPerWord: 32, mode: 8 };
    assertStrictEquals(guest.exchange(tx, head).result, RESULT.OK);
    const request = guest.ram.read(guest.buffer("request", 40), 40);
    assertEquals([...request.subarray(32)], tx);
  }),
);

Deno.test(
  "S7 a transfer that fails shows nothing of what was received; its result counts as written",
  withGuests((guest) => {
    const outcome = guest.exchange([0x7f, 1], { chipSelect: REGISTERS });
    assertEquals(outcome, { result: RESULT.TRANS_ERR, rx: [0, 0], used: 3 });
  }),
);

Deno.test(
  "a request may be cut up anywhere",
  withGuests((guest) => {
    const queue = guest.queues[0];
    const tx = [READ | 0x0f, 0, 0];
    const request = guest.ram.allocate(35);
    guest.ram.write(request, encodeHead({ chipSelect: REGISTERS }));
    guest.ram.write(request + 32, tx);
    const response = guest.ram.allocate(4);
    const cuts = [[0, 3], [3, 30], [33, 1], [34, 1]];
    queue.submit([
      ...cuts.map(([at, length]) => ({ address: request + at, length })),
      ...[0, 1, 2, 3].map((at) => ({ address: response + at, length: 1, writable: true })),
    ]);
    assertEquals(queue.waitUsed(guest.frontEnd).length, 4);
    assertEquals([...guest.ram.read(response, 4)], [0xff, 0x33, 0x44, RESULT.OK]);
  }),
);

Deno.test(
  "a transfer takes at least as long as its bits and delays, and the loop is free meanwhile",
  withGuests((guest, { backEnds }) => {
    const begin = performance.now();
    const [setup, hold, inactive] = [2, 3, 4].map((delay) => delay * SLOWNESS);
    const head = {
      frequency: 1_000_000,
      wordDelay: 1000,
      setup: setup * 1e6,
      hold: hold * 1e6,
      inactive: inactive * 1e6,
    };
    const queue = guest.queues[0];
    const bytes = new Uint8Array(32 + 1000);
    bytes.set(encodeHead(head));
    queue.submit(guest.segments(bytes, 1001));
    backEnds[0].settle();
    const least = 8 + 0.999 + setup + hold + inactive;
    assert(performance.now() - begin < least, "the loop was held up");
    assert(!queue.hasUsed());
    queue.waitUsed(guest.frontEnd);
    const milliseconds = performance.now() - begin;
    assert(milliseconds >= least, `${milliseconds} ms`);
  }),
);

Deno.test(
  "more data lines make for shorter transfers",
  withGuests((guest) => {
    const time = (rxNbits: number) => {
      const begin = performance.now();
      guest.transfer({ frequency: 1_000_000 / SLOWNESS, rxNbits }, { rx: 4000 });
      return (performance.now() - begin) / SLOWNESS;
    };
    assert(time(1) >= 32);
    assert(time(4) >= 8);
    // On a loaded machine not each of them is.
    until("a shorter one", () => time(4) < 32);
  }, POOR),
);

Deno.test(
  "transfers that take time come back in order",
  withGuests((guest) => {
    const queue = guest.queues[0];
    const response = guest.ram.allocate(1);
    const heads = [3_000_000, 0, 1_000_000].map((setup) => {
      const address = guest.ram.allocate(32);
      guest.ram.write(address, encodeHead({ setup }));
      return queue.place([
        { address, length: 32 },
        { address: response, length: 1, writable: true },
      ]);
    });
    queue.offer(...heads);
    queue.kick();
    assertEquals(heads.map(() => queue.waitUsed(guest.frontEnd).head), heads);
  }),
);

/** Submits transfers of a second each, without data. */
function submitSlow(guest: SpiGuest, count: number): { results: number; heads: number[] } {
  const results = guest.ram.allocate(count);
  guest.ram.write(results, Array(count).fill(0xee));
  const heads = Array.from({ length: count }, (_, index) => {
    const address = guest.ram.allocate(32);
    guest.ram.write(address, encodeHead({ setup: 1e9 }));
    return guest.queues[0].submit([
      { address, length: 32 },
      { address: results + index, length: 1, writable: true },
    ]);
  });
  guest.frontEnd.barrier();
  return { results, heads };
}

Deno.test(
  "a queue that stops finishes what was at work, and the rest is there when it starts again",
  withGuests((guest, { backEnds }) => {
    const [queue] = guest.queues;
    const { results, heads } = submitSlow(guest, 3);
    assertStrictEquals(guest.frontEnd.getVringBase(0), 1);
    assertEquals([...guest.ram.read(results, 3)], [RESULT.OK, 0xee, 0xee]);
    assertStrictEquals(queue.takeUsed()?.head, heads[0]);
    guest.start(queue, 1);
    guest.frontEnd.setVringEnable(0, true);
    guest.frontEnd.barrier();
    assertStrictEquals(guest.frontEnd.getVringBase(0), 2);
    assertEquals([...guest.ram.read(results, 3)], [RESULT.OK, RESULT.OK, 0xee]);
    // Those that were put back do not count.
    backEnds[0].session.end("the test has it so");
    assertMatch(backEnds[0].log.of("info").join("\n"), /; 2 requests were served/);
  }),
);

Deno.test(
  "a queue that stops while its guest waits for the bus loses no request",
  withGuests(
    (_guest, { guests: [one, other] }) => {
      submitSlow(one, 1);
      const { results } = submitSlow(other, 2);
      assertStrictEquals(other.frontEnd.getVringBase(0), 0);
      assertEquals([...other.ram.read(results, 2)], [0xee, 0xee]);
      one.frontEnd.getVringBase(0);
      other.start(other.queues[0], 0);
      other.frontEnd.setVringEnable(0, true);
      other.frontEnd.barrier();
      assertStrictEquals(other.frontEnd.getVringBase(0), 1);
      assertEquals([...other.ram.read(results, 2)], [RESULT.OK, 0xee]);
    },
    undefined,
    { count: 2 },
  ),
);

Deno.test(
  "S8 a transfer that would take longer than the limit: PARAM_ERR, and one line",
  withGuests(
    (guest, { log }) => {
      const slow = { frequency: 10_000 };
      for (let round = 0; round < 2; round++) {
        assertStrictEquals(guest.transfer(slow, { tx: Array(100) }).result, RESULT.PARAM_ERR);
      }
      assertStrictEquals(guest.transfer(slow, { tx: Array(10) }).result, RESULT.OK);
      assertStrictEquals(guest.transfer({ setup: 60e6 }, {}).result, RESULT.PARAM_ERR);
      const [warning, ...more] = log.of("warn");
      assertMatch(warning, /100 bytes at 10000 Hz take 0\.08 s, the limit is 0\.05 s \(max-tr/);
      assertEquals(more, []);
    },
    undefined,
    { maxTransfer: 50 },
  ),
);

Deno.test(
  "a long transfer that takes no time lets the event loop have its turns, and comes back whole",
  withGuests(
    (guest, { backEnds }) => {
      const [queue] = guest.queues;
      const length = 2 ** 20;
      const head = guest.ram.allocate(32);
      guest.ram.write(head, encodeHead({ chipSelect: 2 }));
      const data = guest.ram.allocate(length);
      const result = guest.ram.allocate(1);
      guest.ram.write(data, [0x03, 0, 0, 0]);
      queue.submit([
        { address: head, length: 32 },
        { address: data, length },
        { address: data, length, writable: true },
        { address: result, length: 1, writable: true },
      ]);
      let turns = 0;
      until("an end", () => {
        backEnds[0].loop.turn(0);
        turns++;
        return queue.hasUsed();
      });
      assert(turns > length / 65536, `${turns} turns`);
      assertEquals([...guest.ram.read(result, 1)], [RESULT.OK]);
      assertEquals(new Set(guest.ram.read(data + 4, length - 4)), new Set([0xff]));
    },
  ),
);

Deno.test(
  "transfers that had to wait let the event loop have its turns, and all come back in order",
  withGuests(
    (guest, { backEnds }) => {
      const [queue] = guest.queues;
      const { ram } = guest;
      const length = 65536;
      const count = 250;
      const data = ram.allocate(length);
      const results = ram.allocate(count);
      const submit = (head: Head, at: number) => {
        const address = ram.allocate(32);
        ram.write(address, encodeHead(head));
        return queue.submit([
          { address, length: 32 },
          { address: data, length },
          { address: data, length, writable: true },
          { address: results + at, length: 1, writable: true },
        ]);
      };
      ram.write(results, Array(count).fill(0xee));
      submit({ setup: 5e6 }, 0);
      for (let at = 1; at < count; at++) submit({}, at);
      const after: number[] = [];
      until("an end", () => {
        backEnds[0].loop.turn(0);
        after.push([...ram.read(results, count)].filter((byte) => byte === RESULT.OK).length);
        return after.at(-1) === count;
      });
      assertEquals(after, after.toSorted((a, b) => a - b));
      assert(after.some((done) => done > 0 && done < count), `${[...new Set(after)]}`);
    },
    undefined,
    { queue: { size: 1024 } },
  ),
);

Deno.test(
  "a guest waits for the end of another's command",
  withGuests(
    (_guest, { guests: [one, other] }) => {
      const head = { chipSelect: REGISTERS };
      assertEquals(one.transfer(head, { tx: [READ | 0x0f] }), ok([]));
      const bytes = new Uint8Array(34);
      bytes.set(encodeHead(head));
      bytes.set([READ | 0x10, 0], 32);
      other.queues[0].submit(other.segments(bytes, 3));
      other.frontEnd.barrier();
      assert(!other.queues[0].hasUsed());
      assertEquals(one.transfer(head, { rx: 2 }), ok([0x33, 0x44]));
      other.queues[0].waitUsed(other.frontEnd);
      const response = other.ram.read(other.buffer("response", 3), 3);
      assertEquals([...response], [0xff, 0x44, RESULT.OK]);
    },
    undefined,
    { count: 2 },
  ),
);

Deno.test(
  "a guest that turns to another chip lets another go first that waits",
  withGuests(
    (_guest, { guests: [one, other], backEnds }) => {
      one.transfer({ chipSelect: REGISTERS }, { tx: [READ | 0x0f] });
      const bytes = new Uint8Array(34);
      bytes.set(encodeHead({ chipSelect: FLASH }));
      bytes.set([READ_STATUS, 0], 32);
      other.queues[0].submit(other.segments(bytes, 3));
      other.frontEnd.barrier();
      assert(!other.queues[0].hasUsed());
      const enable = new Uint8Array(33);
      enable.set(encodeHead({ chipSelect: FLASH }));
      enable[32] = WRITE_ENABLE;
      one.queues[0].submit(one.segments(enable, 1));
      // It asks for the bus, and no more: the time for which that is kept for the other may be over.
      backEnds[0].loop.turn(0);
      assert(!one.queues[0].hasUsed());
      backEnds[1].settle();
      assert(other.queues[0].hasUsed());
      const response = other.ram.read(other.buffer("response", 3), 3);
      assertEquals([...response], [0xff, 0, RESULT.OK]);
      until("an answer", () => {
        backEnds[0].settle();
        return one.queues[0].hasUsed();
      });
    },
    undefined,
    { count: 2, wait: 1e6 },
  ),
);

Deno.test(
  "guests that wait for the same bus are all served",
  withGuests(
    (_guest, { guests: [first, ...others], backEnds }) => {
      const head = { chipSelect: REGISTERS };
      first.transfer(head, { tx: [READ | 0x0f] });
      for (const other of others) {
        other.queues[0].submit(other.segments(encodeHead({}), 1));
        other.frontEnd.barrier();
      }
      assertEquals(first.transfer(head, { rx: 2 }), ok([0x33, 0x44]));
      until("answers", () => {
        for (const backEnd of backEnds) backEnd.settle();
        return others.every(({ queues: [queue] }) => queue.hasUsed());
      });
    },
    undefined,
    { count: 4 },
  ),
);

Deno.test(
  "a command ends where its guest turns to another chip",
  withGuests((guest) => {
    guest.transfer({ chipSelect: REGISTERS }, { tx: [READ | 0x0f] });
    assertEquals(guest.exchange([READ_STATUS, 0], { chipSelect: FLASH }).rx[1], 0);
    // Were the first command still going on, this would be the register after that one.
    assertEquals(guest.exchange([READ | 0x0f, 0], { chipSelect: REGISTERS }).rx[1], 0x33);
  }),
);

Deno.test(
  "a transfer that nobody waits for is not finished",
  withGuests(
    (guest, { backEnds, guests: [, other] }) => {
      const length = 2 ** 20;
      const head = guest.ram.allocate(32);
      guest.ram.write(head, encodeHead({}));
      const data = guest.ram.allocate(length);
      guest.ram.write(data, [0, ...new Uint8Array(length - 1).fill(1)]);
      guest.ram.write(data + length - 256, new Uint8Array(256).fill(2));
      guest.queues[0].submit([
        { address: head, length: 32 },
        { address: data, length },
        { address: guest.ram.allocate(1), length: 1, writable: true },
      ]);
      backEnds[0].loop.turn(0);
      backEnds[0].session.end("the test has it so");
      const { rx } = other.exchange([READ, 0]);
      assertStrictEquals(rx[1], 1);
    },
    "- simulated: { parts: [{ part: registers }] }",
    { count: 2 },
  ),
);

Deno.test(
  "a guest that leaves a command unfinished does not keep the bus",
  withGuests(
    (_guest, { guests: [one, other], backEnds }) => {
      one.transfer({ chipSelect: REGISTERS }, { tx: [READ | 0x0f] });
      const begin = performance.now();
      other.queues[0].submit(other.segments(encodeHead({}), 1));
      until("an answer", () => {
        for (const backEnd of backEnds) backEnd.settle();
        return other.queues[0].hasUsed();
      });
      assert(performance.now() - begin > 10);
    },
    undefined,
    { count: 2, wait: 20 },
  ),
);

Deno.test(
  "a guest that goes away in the middle of a command leaves the bus to others",
  withGuests(
    (_guest, { guests: [one, other] }) => {
      const head = { chipSelect: REGISTERS };
      one.transfer(head, { tx: [READ | 0x0f] });
      one.frontEnd.close();
      one.frontEnd.pump?.();
      assertEquals(other.exchange([READ | 0x10, 0], head).rx[1], 0x44);
    },
    undefined,
    { count: 2, wait: 1e6 },
  ),
);

Deno.test(
  "a simulated chip waits for the rest of a message as long as nobody else wants the bus",
  withGuests(
    (guest) => {
      const head = { chipSelect: REGISTERS };
      guest.transfer(head, { tx: [READ | 0x0f] });
      pause(30);
      guest.frontEnd.barrier();
      assertEquals(guest.transfer(head, { rx: 1 }).rx, [0x33]);
    },
    undefined,
    { wait: 5 },
  ),
);

Deno.test(
  "guests of one controller see the same chips",
  withGuests(
    (_guest, { guests: [one, other] }) => {
      one.transfer({ chipSelect: REGISTERS }, { tx: [0x20, 0x99] });
      assertEquals(other.exchange([READ | 0x20, 0], { chipSelect: REGISTERS }).rx[1], 0x99);
    },
    undefined,
    { count: 2 },
  ),
);

Deno.test(
  "a refused transfer ends the command that it would have gone on with",
  withGuests((guest) => {
    const head = { chipSelect: REGISTERS };
    guest.transfer(head, { tx: [READ | 0x0f] });
    assertStrictEquals(
      guest.transfer({ ...head, bitsPerWord: 9 }, { rx: 1 }).result,
      RESULT.PARAM_ERR,
    );
    assertEquals(guest.exchange([READ | 0x0f, 0], head).rx[1], 0x33);
  }),
);

Deno.test(
  "a driver that is bound anew finds the bus at rest",
  withGuests(
    (guest) => {
      const head = { chipSelect: REGISTERS };
      guest.transfer(head, { tx: [READ | 0x0f] });
      const base = guest.frontEnd.getVringBase(0);
      guest.start(guest.queues[0], base);
      guest.frontEnd.setVringEnable(0, true);
      assertEquals(guest.exchange([READ | 0x0f, 0], head).rx[1], 0x33);
    },
    undefined,
    { wait: 1e6 },
  ),
);

Deno.test(
  "what is set from outside is what the guest finds, and the other way round",
  withGuests((guest, { things }) => {
    things.get("cs1").write("values", 0x20, Uint8Array.of(7, 8));
    assertEquals(guest.exchange([READ | 0x20, 0, 0], { chipSelect: 1 }).rx, [0xff, 7, 8]);
    guest.transfer({ chipSelect: 1 }, { tx: [0x30, 9] });
    assertEquals([...things.get("cs1").read("values", 0x30, 1)], [9]);
    guest.transfer({ chipSelect: 2 }, { tx: [0x06] });
    assertEquals(things.get("cs2").get("status"), 2);
    assertEquals(things.get("cs2").read("contents", 0, 262_144).length, 262_144);
  }),
);

Deno.test(
  "faults strike as often as they were injected",
  withGuests((guest, { things }) => {
    things.get("cs1").inject("fail", 2);
    const read = () => guest.exchange([READ | 0x0f, 0], { chipSelect: 1 });
    assertEquals([read().result, read().result], [RESULT.TRANS_ERR, RESULT.TRANS_ERR]);
    assertEquals(read().rx, [0xff, 0x33]);
    things.get("cs0").inject("wrong", 1);
    assertEquals(guest.exchange([1, 2]).rx, [0xfe, 2]);
    assertEquals(guest.exchange([1, 2]).rx, [1, 2]);
  }),
);

Deno.test(
  "where there is no part, nobody drives the line",
  withGuests(
    (guest) => {
      assertEquals(guest.exchange([1, 2], { chipSelect: 1 }).rx, [0xff, 0xff]);
      assertEquals(guest.exchange([1, 2], { chipSelect: 2 }).rx, [1, 2]);
      assertEquals(guest.exchange([1], { chipSelect: 3 }).result, RESULT.PARAM_ERR);
    },
    "[{ simulated: { parts: [{ part: flash }, { part: loopback, chip-select: 2 }] } }]",
  ),
);
