/**
 * Between a guest's thread and the one that talks to a program: memory for one question and its
 * answer. Who asks has the part's bus, so that there is one at a time.
 *
 * @module
 */

import { signalEventfd } from "../../../ffi/eventfd.ts";
import type { Question } from "./remote_end.ts";

// i32 words, then the bytes of a question or of its answer.
const STATE = 0;
/** The eventfd of the thread that talks to the program, plus one. */
const WAKER = 1;
const ID = 2;
const KIND = 3;
const FIRST = 4;
const LENGTH = 5;
/** Of an answer: whether more of the message is expected. */
const MORE = 6;
const INTERRUPT = 7;
const DATA_AT = 64;
/** The most bytes of a question. */
const MAX_DATA = 65536;

// What is going on.
/** Nobody would answer. */
const UNSERVED = 0;
const IDLE = 1;
const ASKED = 2;
const ANSWERED = 3;
/** The same, with a refusal. */
const REFUSED = 4;
/** Asked, and not waited for any longer. */
const LATE = 5;

/** Kinds of questions: bytes are written, so many are read, or both at once. */
export const WRITE = 0;
export const READ = 1;
export const EXCHANGE = 2;

/** What becomes of a question: there is an answer, a refusal, none in time, or nobody to give one. */
export const ANSWER = 0;
const REFUSAL = 1;
export const SILENCE = 2;
export const NOBODY = 3;

/** Shared memory for questions about one part. */
export class Mailbox {
  /** Its size in bytes. */
  static readonly SIZE = DATA_AT + MAX_DATA;
  readonly #words: Int32Array;
  readonly #data: Uint8Array;

  /** @param memory of {@linkcode Mailbox.SIZE} bytes that threads share, zero at first */
  constructor({ buffer, byteOffset }: DataView) {
    this.#words = new Int32Array(buffer as SharedArrayBuffer, byteOffset, DATA_AT / 4);
    this.#data = new Uint8Array(buffer, byteOffset + DATA_AT, MAX_DATA);
  }

  /** True if a program serves the part. */
  get isServed(): boolean {
    return Atomics.load(this.#words, STATE) !== UNSERVED;
  }

  get interrupt(): boolean {
    return Atomics.load(this.#words, INTERRUPT) !== 0;
  }

  set interrupt(calls: boolean) {
    Atomics.store(this.#words, INTERRUPT, Number(calls));
  }

  /** Of the last answer: whether it expects more of the message. */
  get more(): boolean {
    return this.#words[MORE] !== 0;
  }

  /**
   * Asks, and waits for the answer.
   *
   * @param bytes what is written, or where what is read goes, from `begin` to `end`
   * @param wait calls what it is given, which waits for so long, while others may have the bus's lock
   */
  ask(
    kind: number,
    first: boolean,
    bytes: Uint8Array,
    begin: number,
    end: number,
    wait: (run: () => void) => void,
    limit: number,
  ): number {
    const words = this.#words;
    const state = Atomics.load(words, STATE);
    // Once it was late, it is not waited for again until it has answered.
    if (state !== IDLE) return state === UNSERVED ? NOBODY : SILENCE;
    const length = end - begin;
    if (kind !== READ) this.#data.set(bytes.subarray(begin, end));
    words[ID]++;
    words[KIND] = kind;
    words[FIRST] = Number(first);
    words[LENGTH] = length;
    if (Atomics.compareExchange(words, STATE, IDLE, ASKED) !== IDLE) return NOBODY;
    signalEventfd(words[WAKER] - 1);
    wait(() => Atomics.wait(words, STATE, ASKED, limit));
    if (Atomics.compareExchange(words, STATE, ASKED, LATE) === ASKED) return SILENCE;
    if (Atomics.compareExchange(words, STATE, REFUSED, IDLE) === REFUSED) return REFUSAL;
    if (Atomics.load(words, STATE) !== ANSWERED) return NOBODY;
    if (kind !== WRITE) bytes.set(this.#data.subarray(0, length), begin);
    Atomics.compareExchange(words, STATE, ANSWERED, IDLE);
    return ANSWER;
  }

  /** A program serves the part from now on. */
  serve(): void {
    Atomics.store(this.#words, STATE, IDLE);
  }

  /** It does so no longer; whoever waits for an answer gets none. */
  end(): void {
    Atomics.store(this.#words, STATE, UNSERVED);
    Atomics.notify(this.#words, STATE);
    this.interrupt = false;
  }

  /** Signals this eventfd from now on when there is a question. */
  wakeAt(eventfd: number): void {
    this.#words[WAKER] = eventfd + 1;
  }

  /**
   * The question that is to be answered, if there is one.
   *
   * @param known the number of the one that was taken last
   */
  question(known: number): Question | undefined {
    const words = this.#words;
    if (Atomics.load(words, STATE) !== ASKED || words[ID] === known) return undefined;
    const kind = words[KIND];
    const length = words[LENGTH];
    const data = this.#data.slice(0, kind === READ ? 0 : length);
    return { id: words[ID], kind, first: words[FIRST] === 1, length, data };
  }

  /**
   * Answers a question.
   *
   * @param data what was read; beyond its end nobody drives the wire. `undefined` refuses.
   */
  answer(data: Uint8Array | undefined, more: boolean): void {
    const words = this.#words;
    if (Atomics.load(words, STATE) === ASKED && data !== undefined) {
      this.#data.fill(0xff, data.length, words[LENGTH]);
      this.#data.set(data.subarray(0, words[LENGTH]));
      words[MORE] = Number(more);
    }
    const answered = data === undefined ? REFUSED : ANSWERED;
    if (Atomics.compareExchange(words, STATE, ASKED, answered) === ASKED) {
      Atomics.notify(words, STATE);
    } else Atomics.compareExchange(words, STATE, LATE, IDLE);
  }
}
