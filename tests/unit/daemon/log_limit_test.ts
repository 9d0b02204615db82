import { assert, assertEquals, assertLess, assertMatch, assertStrictEquals } from "@std/assert";
import type { LogLevel } from "@logtape/logtape";
import { LogLimit } from "../../../lib/daemon/log_limit.ts";
import { kindOf, LogKind } from "../../../lib/text/log_kind.ts";

/** A record as it is for the limit. */
interface Line {
  readonly level: LogLevel;
  readonly rawMessage: string;
  readonly properties: Record<string, unknown>;
}

/** A log with a clock of its own. */
class Log {
  now = 0;
  readonly lines: string[] = [];
  /** When each byte was written, by second. */
  readonly bytes: number[] = [];
  readonly counts: unknown[] = [];
  readonly limit: LogLimit<Line>;
  readonly #timers: { due: number; action: () => void }[] = [];

  constructor() {
    this.limit = new LogLimit<Line>(
      ({ rawMessage, properties }) => {
        this.lines.push(rawMessage);
        this.counts.push(properties.count);
        const second = Math.floor(this.now / 1000);
        const size = 40 + rawMessage.length;
        this.bytes[second] = (this.bytes[second] ?? 0) + size;
        return size;
      },
      () => this.now,
    );
    this.limit.drive((milliseconds, action) => {
      assert(milliseconds > 0);
      this.#timers.push({ due: this.now + milliseconds, action });
    });
  }

  say(rawMessage: string, kind?: LogKind, level: LogLevel = "info"): void {
    this.limit.take({ level, rawMessage, properties: kind === undefined ? {} : { kind } });
  }

  /** Lets time pass. */
  wait(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      this.#timers.sort((a, b) => a.due - b.due);
      if (this.#timers.length === 0 || this.#timers[0].due > end) break;
      const { due, action } = this.#timers.shift()!;
      this.now = due;
      action();
    }
    this.now = end;
  }

  /** The most that was written in any minute. */
  get worstMinute(): number {
    let worst = 0;
    for (let second = 0; second < this.bytes.length; second++) {
      const minute = Array.from({ length: 60 }, (_, index) => this.bytes[second + index] ?? 0);
      worst = Math.max(worst, minute.reduce((sum, bytes) => sum + bytes, 0));
    }
    return worst;
  }

  get waits(): number {
    return this.#timers.length;
  }
}

/** Changes of a line. */
function changes(line: number, value: () => number): LogKind {
  return new LogKind(
    `value ${line}`,
    (count) => `${count} more changes of line ${line}, last value ${value()}`,
  );
}

Deno.test("V17 lines at a moderate rate all come through", () => {
  const log = new Log();
  for (let second = 0; second < 100; second++) {
    for (let count = 0; count < 8; count++) {
      log.say(`line 0: value ${count}`);
      log.say("something else");
      log.wait(125);
    }
  }
  assertEquals(log.lines.length, 1600);
});

Deno.test("V17 what is too much is summed up by itself, with the last value", () => {
  const log = new Log();
  let value = 0;
  const kind = changes(0, () => value);
  for (let count = 0; count < 512; count++) {
    value ^= 1;
    log.say(`line 0: value ${value}`, kind);
  }
  assertEquals(log.lines.length, 100);
  log.wait(999);
  assertEquals(log.lines.length, 100);
  log.wait(1);
  assertEquals(log.lines.length, 101);
  assertEquals(log.lines[100], "line 0: value 0 (412 more changes of line 0, last value 0)");
  assertStrictEquals(log.counts[100], 412);
  assertEquals(log.waits, 0, "a timer although nothing is left to be said");
  log.wait(10_000);
  assertEquals(log.lines.length, 101);
  log.say("line 0: value 1", kind);
  assertEquals(log.lines[101], "line 0: value 1");
});

Deno.test("V17 during a flood there is a sum each second, and a few lines in between", () => {
  const log = new Log();
  let count = 0;
  const flood = () => {
    for (let now = 0; now < 10_000; now++) {
      log.say(`line 0: value ${count}`, changes(0, () => count));
      count++;
      log.wait(1);
    }
  };
  flood();
  const before = log.lines.length;
  flood();
  const lines = log.lines.slice(before);
  const sums = lines.filter((line) => / more changes /.test(line)).length;
  assertLess(Math.abs(sums - 10), 2);
  assertLess(Math.abs(lines.length - sums - 100), 15);
});

Deno.test("V17 a single line that was left out comes as it is, a little later", () => {
  const log = new Log();
  for (let count = 1; count <= 101; count++) log.say(`line 0: value ${count}`);
  log.wait(1000);
  assertEquals(log.lines.length, 101);
  assertEquals(log.lines[100], "line 0: value 101");
});

Deno.test("V17 without a mark, lines that differ in nothing but numbers are of a kind", () => {
  const log = new Log();
  for (let count = 0; count < 300; count++) log.say(`unknown request ${count} is refused`);
  log.say("another kind");
  assertEquals(log.lines.length, 102);
  assertEquals(
    log.lines[100],
    "unknown request 299 is refused (and 199 more lines like this one, left out)",
  );
  assertStrictEquals(log.lines[101], "another kind");
});

Deno.test("V17 the log stays in the order in which things happened", () => {
  const log = new Log();
  for (let count = 0; count < 200; count++) {
    log.say(`line 0: value ${count & 1}`, changes(0, () => 1));
    log.say(`line 1: value ${count & 1}`, changes(1, () => 1));
  }
  log.say("front-end gone");
  assertEquals(log.lines.slice(200), [
    "line 0: value 1 (100 more changes of line 0, last value 1)",
    "line 1: value 1 (100 more changes of line 1, last value 1)",
    "front-end gone",
  ]);
});

Deno.test("V17 at the end what was left out is told at once", () => {
  const log = new Log();
  for (let count = 0; count < 512; count++) log.say(`${count}`, changes(0, () => count));
  log.limit.finish();
  assertEquals(log.lines[100], "511 (412 more changes of line 0, last value 511)");
  log.wait(5000);
  assertEquals(log.lines.length, 101);
});

Deno.test("V17 what is debugged is left out only where it is too much in all", () => {
  const log = new Log();
  for (let count = 0; count < 1000; count++) log.say(`message ${count}`, undefined, "trace");
  assertEquals(log.lines.length, 1000);
  for (let count = 0; count < 10_000; count++) log.say(`message ${count}`, undefined, "debug");
  assertLess(log.lines.length, 5000);
});

Deno.test("V17 whatever a guest does, it is less than a megabyte a minute, and the last comes", () => {
  const floods: Record<string, (log: Log, count: number) => void> = {
    "one kind": (log, count) => log.say(`line 0: value ${count}`, changes(0, () => count)),
    "a thousand lines": (log, count) => {
      const line = count % 1000;
      log.say(`line ${line}: value ${count}`, changes(line, () => count));
    },
    "ever new kinds": (log, count) =>
      log.say(`kind ${count.toString(26).replace(/\d/g, (digit) => "qrstuvwxyz"[Number(digit)])}`),
    "long lines": (log, count) => log.say("x".repeat(5000) + count),
    "everything at the end": (log, count) => {
      const line = count % 5000;
      log.say(`line ${line}: value ${count}`, changes(line, () => count));
      if (count === 119_999) log.limit.finish();
    },
  };
  for (const [what, flood] of Object.entries(floods)) {
    const log = new Log();
    for (let count = 0; count < 120_000; count++) {
      flood(log, count);
      log.wait(1);
    }
    log.wait(120_000);
    assertLess(log.worstMinute, 1_000_000, what);
    assert(log.worstMinute > 40_000, `${what}: ${log.worstMinute} bytes are hardly a log`);
    if (what === "one kind") {
      assertMatch(
        log.lines[log.lines.length - 1],
        /^line 0: value 119999 \(\d+ more changes .* last value 119999\)$/,
      );
    }
  }
});

Deno.test("V17 each of a thousand lines has its last value in the log in the end", () => {
  const log = new Log();
  const last = new Map<number, number>();
  for (let count = 0; count < 60_000; count++) {
    const line = (count * 7) % 1000;
    last.set(line, count);
    log.say(`line ${line}: value ${count}`, changes(line, () => last.get(line)!));
    if (count % 10 === 0) log.wait(1);
  }
  log.wait(60_000);
  const told = new Map<number, number>();
  for (const text of log.lines) {
    const match = /^line (\d+): value (\d+)(?: \(|$)/.exec(text);
    if (match !== null) told.set(Number(match[1]), Number(match[2]));
  }
  assertEquals(told.size, 1000);
  assertEquals([...told].sort(), [...last].sort());
});

Deno.test("V17 kinds that nobody speaks of any more are forgotten", () => {
  const log = new Log();
  const say = (round: number) => {
    for (let count = 0; count < 4000; count++) {
      log.say("x", new LogKind(`${round} ${count}`, () => ""));
    }
  };
  for (let round = 0; round < 5; round++) {
    say(round);
    log.wait(60_000);
  }
  // Were they not, all of the others would be taken together by now.
  const before = log.lines.length;
  for (let count = 0; count < 150; count++) {
    log.say("a", new LogKind("a", () => "a"));
    log.say("b", new LogKind("b", () => "b"));
  }
  assertEquals(log.lines.length, before + 200);
});

Deno.test("V17 where there are too many kinds, the others are taken together", () => {
  const log = new Log();
  const say = (kind: number) => log.say(`kind ${kind}`, changes(kind, () => 1), "debug");
  for (let kind = 0; kind < 10_000; kind++) say(kind);
  const before = log.lines.length;
  assertLess(before, 5000);
  log.wait(60_000);
  const sums = log.lines.filter((line) => /left out/.test(line));
  assertEquals(sums.length, 1);
  assertMatch(sums[0], /^kind 9999 \(and \d+ more lines of all kinds, left out\)$/);
});

Deno.test("a mark is seen by the log alone", () => {
  const kind = new LogKind("x", () => "");
  const properties = { kind, reason: "y" };
  assertStrictEquals(kindOf(properties), kind);
  assertEquals(kindOf({ kind: "x" }), undefined);
  assertEquals(JSON.stringify(properties), '{"reason":"y"}');
});
