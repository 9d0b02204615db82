import { assert, assertEquals, assertMatch } from "@std/assert";
import { Transfer } from "../../../lib/spi/protocol.ts";
import type { MessageRule } from "../../../lib/spi/host/messages/rule.ts";
import { makeRule, parseMessageSetting } from "../../../lib/spi/host/messages/settings.ts";

/** Bytes sent, or a number of bytes received, with what is not 0 of the request beside. */
type Step = {
  readonly tx?: readonly number[];
  readonly rx?: number;
  /** The address of its data; one far from all others where it is not said. */
  readonly at?: number | undefined;
  readonly csChange?: number;
  readonly hold?: number;
  readonly inactive?: number;
};

const UNSURE = 10;
const INCOMPLETE = 1000;

const w = (...tx: number[]): Step => ({ tx });
const r = (rx: number): Step => ({ rx });
/** Of so many bytes. */
const write = (count: number, at?: number): Step => ({ tx: Array(count).fill(0xaa), at });

let unused = 0x100000;

function transferOf(step: Step): Transfer {
  const transfer = new Transfer();
  transfer.txLength = step.tx?.length ?? 0;
  transfer.rxLength = step.rx ?? 0;
  const start = step.at ?? (unused += 4096);
  transfer.txStart = transfer.txLength > 0 ? start : 0;
  transfer.txEnd = transfer.txLength > 0 ? start + transfer.txLength : 0;
  transfer.rxStart = transfer.rxLength > 0 ? start : 0;
  transfer.csChange = step.csChange ?? 0;
  transfer.hold = step.hold ?? 0;
  transfer.inactive = step.inactive ?? 0;
  return transfer;
}

/** A rule with what it had to say. */
class Subject {
  readonly warnings: string[] = [];
  readonly remarks: string[] = [];
  readonly rule: MessageRule;

  constructor(text: string) {
    const setting = text === "" ? { rule: "automatic" as const } : parseMessageSetting(text)!;
    this.rule = makeRule(
      setting,
      { unsure: UNSURE, incomplete: INCOMPLETE },
      (line) => this.warnings.push(line),
      (line) => this.remarks.push(line),
    );
  }

  /**
   * Sends transfers back to back.
   *
   * @returns their messages, as the lengths of their transfers, and the wait after the last one
   */
  send(...steps: Step[]): { messages: number[][]; wait: number } {
    const messages: number[][] = [];
    let wait = 0;
    for (const step of steps) {
      const transfer = transferOf(step);
      const begins = wait === 0 || !this.rule.joins(transfer);
      if (begins) {
        this.rule.begin();
        messages.push([]);
      }
      wait = this.rule.follow(transfer, step.tx?.[0] ?? 0);
      if (transfer.csChange === 1 && !this.rule.csChangeKeeps) wait = 0;
      messages.at(-1)!.push(transfer.length);
    }
    return { messages, wait };
  }
}

/** Checks where messages end: lists of transfers, each list a message. */
function ends(rule: string, name: string, ...messages: Step[][]): void {
  Deno.test(`${rule || "by default"}: ${name}`, () => {
    const outcome = new Subject(rule).send(...messages.flat());
    const lengths = messages.map((steps) => steps.map(({ tx, rx }) => tx?.length ?? rx ?? 0));
    assertEquals(outcome.messages, lengths);
  });
}

const nor: [what: string, transfers: Step[]][] = [
  ["write enable", [w(0x06)]],
  ["the identity in two transfers", [w(0x9f), r(6)]],
  ["a status", [w(0x05), r(1)]],
  ["a read in three transfers", [w(0x03), w(0, 1, 2), r(64)]],
  ["a read in two transfers", [w(0x03, 0, 1, 2), r(64)]],
  ["a fast read with its dummy byte by itself", [w(0x0b), w(0, 1, 2), w(0xff), r(64)]],
  ["a read with an address of four bytes", [w(0x13), w(0, 0, 1, 2), r(64)]],
  ["a program in three transfers", [w(0x02), w(0, 1, 2), w(7, 7, 7)]],
  ["a program in two transfers", [w(0x02, 0, 1, 2), w(7, 7, 7)]],
  ["a program in one", [w(0x02, 0, 1, 2, 7)]],
  ["a status that is written", [w(0x01), w(0)]],
  ["an erase", [w(0x20), w(0, 1, 2)]],
  ["an erase of the whole chip", [w(0xc7)]],
  ["an unknown command", [w(0xfe)]],
  ["an identity in one full-duplex transfer", [{ tx: [0x9f, 0, 0, 0], rx: 4 }]],
];
for (const [what, transfers] of nor) ends("nor", what, transfers, transfers);

Deno.test("nor: addresses are of four bytes after the chip was told so, until told otherwise", () => {
  const subject = new Subject("nor");
  const erase = [w(0x20), w(0, 1, 2), w(3)];
  subject.send(w(0xb7));
  assertEquals(subject.send(...erase).messages, [[1, 3, 1]]);
  subject.send(w(0xe9));
  assertEquals(subject.send(...erase).messages, [[1, 3], [1]]);
});

ends("nand", "features", [w(0x0f), w(0xc0), r(1)], [w(0x1f), w(0xa0), w(0)]);
ends("nand", "a page is read", [w(0x13), w(0, 0, 1)], [w(0x03), w(0, 0), w(0), r(2048)]);
ends("nand", "a page is written", [w(0x06)], [w(0x02), w(0, 0), write(2048)], [
  w(0x10),
  w(0, 0, 1),
]);
ends("nand", "the identity, with a dummy byte and without", [w(0x9f), w(0), r(4)], [w(0x9f), r(4)]);
ends("nand", "an erase, a reset, another die", [w(0xd8), w(0, 0, 1)], [w(0xff)], [w(0xc2), w(1)]);

ends("eeprom:2", "a write after its enable", [w(0x06)], [w(0x02), w(0, 1), w(2, 2, 2)]);
ends("eeprom:2", "one byte of data", [w(0x06)], [w(0x02), w(0, 1), w(2)]);
ends("eeprom:2", "a read and a status", [w(0x03), w(0, 1), r(4)], [w(0x05), r(1)]);
ends("eeprom:1", "an address with its ninth bit in the code", [w(0x0a), w(1), w(2)], [
  w(0x0b),
  w(1),
  r(2),
]);
ends("eeprom:3", "a status that is written", [w(0x01), w(0)], [w(0x04)]);

ends("prefix:1", "a read, a single write, a bulk write", [w(5), r(2)], [w(5, 1)], [
  w(5),
  write(64),
]);
ends("prefix:3", "a prefix in parts", [w(1), w(2, 3), r(1)], [w(1), w(2, 3), w(4)]);
ends("prefix:0", "each transfer is a message", [w(1)], [r(1)], [w(1, 2)], [w(1)]);
ends("prefix:1", "cs_change ends a message", [{ tx: [1], csChange: 1 }], [w(2), r(1)]);

ends("cs-change", "the chip stays selected where cs_change says so", [
  { tx: [1], csChange: 1 },
  { rx: 2, csChange: 1 },
  { tx: [1] },
], [{ tx: [2] }]);

ends("", "a command and its answer", [w(1), r(4)], [w(1, 2, 3), r(4)]);
ends("", "two commands", [w(1)], [w(2)], [w(3, 4)]);
ends("", "a full-duplex transfer is a message", [{ tx: [1, 2], rx: 2 }], [r(1)]);
ends("", "a command and what is in memory behind it", [write(1, 0x40), { rx: 3, at: 0x41 }]);
ends("", "what is in memory behind it and is sent", [write(1, 0x40), write(3, 0x41)]);
ends("", "what is in memory behind it, but aligned, is another message", [write(8, 0x40)], [
  write(8, 0x48),
]);
ends("", "what is written anew to the same place", [write(1, 0x40)], [write(1, 0x40)]);
ends("", "as drivers of memories write", [write(1, 0x40), write(3, 0x41), write(256)], [
  w(5),
  r(1),
]);
ends("", "as drivers of memories read", [write(1, 0x40), write(3, 0x41), r(256)], [w(6)]);
ends(
  "",
  "as they read with a dummy byte",
  [write(1, 0x40), write(3, 0x41), write(1, 0x44), r(256)],
  [w(6)],
);
ends("", "an erase of a memory, and the status after it", [write(1, 0x40), write(3, 0x41)], [
  write(1, 0x40),
  { rx: 1, at: 0x41 },
]);

Deno.test("by default a chip waits a little after a write of up to 32 bytes, and no longer one", () => {
  const wait = (count: number) => new Subject("").send(write(count)).wait;
  assertEquals([1, 32, 33].map(wait), [UNSURE, UNSURE, 0]);
});

Deno.test("a chip waits long where its message is known to be incomplete", () => {
  const wait = (rule: string, ...steps: Step[]) => new Subject(rule).send(...steps).wait;
  assertEquals(wait("nor", w(0x03)), INCOMPLETE);
  assertEquals(wait("nand", w(0x0f), w(0)), INCOMPLETE);
  assertEquals(wait("eeprom:2", w(0x02), w(0, 0)), INCOMPLETE);
  assertEquals(wait("prefix:2", w(1, 2)), INCOMPLETE);
  assertEquals(wait("cs-change", { tx: [1], csChange: 1 }), INCOMPLETE);
});

Deno.test("a memory that nobody has configured is warned of, once", () => {
  const subject = new Subject("");
  for (let round = 0; round < 2; round++) subject.send(write(1, 0x40), write(2, 0x41), write(9));
  assertEquals(subject.warnings.length, 1);
  assertMatch(subject.warnings[0], /one of a memory; say which with 'messages: nor', 'nand' or/);
});

Deno.test("commands and answers are no memory", () => {
  const subject = new Subject("");
  subject.send(w(1), r(2), write(1, 0x40), { rx: 3, at: 0x41 }, w(3, 4), w(7), write(40));
  assertEquals(subject.warnings, []);
});

Deno.test("gap: a message ends half the announced delay after its last transfer", () => {
  const subject = new Subject("gap");
  const outcome = subject.send({ tx: [1], inactive: 4e6, hold: 1e6 }, {
    tx: [2],
    inactive: 4e6,
    hold: 1e6,
  });
  assertEquals(outcome, { messages: [[1, 1]], wait: 3 });
  assertEquals(subject.warnings, []);
});

Deno.test("gap: a guest that announces none is told what to do, once", () => {
  const subject = new Subject("gap");
  assertEquals(subject.send(w(1)).wait, UNSURE);
  subject.send(w(1));
  assertEquals(subject.warnings.length, 1);
  assertMatch(subject.warnings[0], /spi-cs-inactive-delay-ns/);
});

Deno.test("by default messages end at gaps once a guest announces some of a millisecond", () => {
  const subject = new Subject("");
  assertEquals(subject.send({ tx: [1], inactive: 999_999 }, w(2)).messages, [[1], [1]]);
  assertEquals(subject.send({ tx: [1], inactive: 1e6, csChange: 1 }, w(2)).messages, [[1], [1]]);
  const step = { tx: [1], inactive: 2e6 };
  assertEquals(subject.send(step, step), { messages: [[1, 1]], wait: 1 });
  assertEquals(subject.remarks.length, 1);
  assert(new Subject("command").send(step, step).messages.length === 2);
});
