/**
 * How much a guest can put into the log: lines of one kind up to a rate, and all of them together up
 * to a number of bytes. What is left out is summed up, kind by kind, a moment later.
 *
 * @module
 */

import type { LogLevel } from "@logtape/logtape";
import { kindOf } from "../text/log_kind.ts";

// In any minute there is less than 1 MB of a guest: the burst, what comes in with time, the sums at
// the end, and then a long line or two.
/** So many bytes at once, and as many a second from then on. */
const BURST_BYTES = 200_000;
const BYTES_PER_SECOND = 10_000;
/** What sums may take beyond that at the end, when nothing comes in any more. */
const END_BYTES = 150_000;
/** What single lines leave for the sums. */
const RESERVED_BYTES = BURST_BYTES / 2;
/** So many lines of a kind at once, and as many a second from then on. */
const BURST_LINES = 100;
const LINES_PER_SECOND = 10;
/** How long lines are gathered for a sum, in milliseconds. */
const GATHERING = 1000;
/** The most kinds that are told apart. */
const MANY_KINDS = 4096;

/** What is looked at of a log record. */
export interface LimitedRecord {
  readonly level: LogLevel;
  readonly rawMessage: string | TemplateStringsArray;
  readonly properties: Record<string, unknown>;
}

/** A store that fills with time, at most to a limit. */
class Bucket {
  #level: number;
  #filled: number;

  constructor(readonly limit: number, readonly perSecond: number, now: number) {
    this.#level = limit;
    this.#filled = now;
  }

  level(now: number): number {
    const more = (now - this.#filled) / 1000 * this.perSecond;
    this.#level = Math.min(this.limit, this.#level + more);
    this.#filled = now;
    return this.#level;
  }

  take(amount: number): void {
    this.#level -= amount;
  }
}

/** Lines of one kind, or those of many where there are too many of them. */
class Kind<Record> {
  readonly lines: Bucket;
  /** How many were left out since the last sum, and the last of them. */
  count = 0;
  last: Record | undefined;
  /** When the first of them was left out. */
  since = 0;

  constructor(now: number, readonly mixed = false) {
    this.lines = new Bucket(BURST_LINES, LINES_PER_SECOND, now);
  }
}

function textOf({ rawMessage }: LimitedRecord): string {
  return typeof rawMessage === "string" ? rawMessage : rawMessage.join("");
}

/** What stands for the lines of a kind that were left out. */
function sumOf<Record extends LimitedRecord>({ last, count, mixed }: Kind<Record>): Record {
  if (last === undefined) throw new Error("nothing was left out");
  if (count === 1) return last;
  const mark = mixed ? undefined : kindOf(last.properties);
  const what = mixed ? "lines of all kinds" : "lines like this one";
  const sum = mark?.sum(count) ?? `and ${count - 1} more ${what}, left out`;
  // Who waits for a line finds the last of them as ever.
  const rawMessage = `${textOf(last)} (${sum})`;
  return { ...last, rawMessage, properties: { ...last.properties, count } };
}

/** Lets lines of a guest's thread through, or sums them up. */
export class LogLimit<Record extends LimitedRecord> {
  readonly #write: (record: Record) => number;
  readonly #now: () => number;
  readonly #bytes: Bucket;
  readonly #kinds = new Map<string, Kind<Record>>();
  /** Those of which lines were left out, in that order. */
  readonly #gathering = new Set<Kind<Record>>();
  readonly #others: Kind<Record>;
  #after: ((milliseconds: number, action: () => void) => void) | undefined;
  #armed = false;
  #nextSweep = 0;

  /**
   * @param write writes a line and returns its size in bytes
   * @param now the time in milliseconds
   */
  constructor(write: (record: Record) => number, now: () => number = () => performance.now()) {
    this.#write = write;
    this.#now = now;
    this.#bytes = new Bucket(BURST_BYTES, BYTES_PER_SECOND, now());
    this.#others = new Kind(now(), true);
  }

  /** Sums come by themselves from now on. @param after calls a function after a time */
  drive(after: (milliseconds: number, action: () => void) => void): void {
    this.#after = after;
    this.#arm();
  }

  /** Writes the record, or keeps it for a sum. */
  take(record: Record): void {
    const now = this.#now();
    const kind = this.#kindOf(record, now);
    if (kind.count > 0 || !this.#mayWrite(kind, record.level, now)) {
      return this.#leaveOut(kind, record, now);
    }
    // Whoever reads the log finds things in the order in which they happened.
    if (this.#gathering.size > 0) this.#sumUp(now, 0);
    kind.lines.take(1);
    this.#bytes.take(this.#write(record));
  }

  /** Writes the sums of what was left out, now that no more will follow. */
  finish(): void {
    this.#sumUp(this.#now(), 0, -END_BYTES);
  }

  #mayWrite(kind: Kind<Record>, level: LogLevel, now: number): boolean {
    if (this.#bytes.level(now) < RESERVED_BYTES) return false;
    // Who asks for these wants to see each of them.
    return level === "debug" || level === "trace" || kind.lines.level(now) >= 1;
  }

  #leaveOut(kind: Kind<Record>, record: Record, now: number): void {
    kind.last = record;
    if (kind.count++ > 0) return;
    kind.since = now;
    this.#gathering.add(kind);
    this.#arm();
  }

  /**
   * Writes the sums of those kinds whose lines have been gathered for so many milliseconds, down to
   * this level of bytes.
   */
  #sumUp(now: number, milliseconds: number, bottom = 0): void {
    for (const kind of this.#gathering) {
      if (now - kind.since < milliseconds || this.#bytes.level(now) <= bottom) return;
      this.#gathering.delete(kind);
      const sum = sumOf(kind);
      kind.count = 0;
      kind.last = undefined;
      this.#bytes.take(this.#write(sum));
    }
  }

  #arm(): void {
    if (this.#armed || this.#after === undefined) return;
    for (const { since } of this.#gathering) {
      this.#armed = true;
      // Where bytes have run out, since longer than that.
      const delay = Math.max(since + GATHERING - this.#now(), GATHERING / 10);
      return this.#after(delay, () => {
        this.#armed = false;
        this.#sumUp(this.#now(), GATHERING);
        this.#arm();
      });
    }
  }

  #kindOf(record: Record, now: number): Kind<Record> {
    const mark = kindOf(record.properties);
    const key = mark === undefined
      ? `${record.level} ${template(textOf(record))}`
      : `= ${mark.key}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    if (this.#kinds.size >= MANY_KINDS && !this.#sweep(now)) return this.#others;
    const kind = new Kind<Record>(now);
    this.#kinds.set(key, kind);
    return kind;
  }

  /** Forgets kinds of which there was no line for a while. @returns false if there is none */
  #sweep(now: number): boolean {
    if (now < this.#nextSweep) return false;
    this.#nextSweep = now + GATHERING;
    for (const [key, kind] of this.#kinds) {
      if (kind.count === 0 && kind.lines.level(now) >= BURST_LINES) this.#kinds.delete(key);
    }
    return this.#kinds.size < MANY_KINDS;
  }
}

/** The text without what tells lines of a kind apart. */
function template(text: string): string {
  return text.replace(/\d+/g, "#");
}
