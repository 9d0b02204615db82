/**
 * Value change dumps: the text that logic analysers and simulators exchange.
 *
 * Source: IEEE 1364-2005, section 18 ("Value change dump (VCD) files").
 *
 * @module
 */

/** What a wire can be. */
export type Level = 0 | 1 | "x" | "z";

/** A wire of a dump. */
export interface Wire {
  /** By which changes refer to it: printable ASCII. */
  readonly code: Uint8Array;
}

/** Bytes are passed on in pieces of about this size. */
const PIECE = 65536;
/** More than a time stamp and a change take. */
const ROOM = 64;

const FIRST_CODE = 33;
const CODES = 94;
const NEWLINE = 10;
const HASH = 35;
const ZERO = 48;

const encoder = new TextEncoder();
const levels = new Map<Level, number>([[0, ZERO], [1, ZERO + 1], ["x", 120], ["z", 122]]);

/** The code of wire number `index`: digits of base 94, the lowest first. */
function codeOf(index: number): Uint8Array {
  const code: number[] = [];
  do {
    code.push(FIRST_CODE + index % CODES);
    index = Math.floor(index / CODES);
  } while (index > 0);
  return Uint8Array.from(code);
}

/** A name that readers of dumps take: no white space in it, and no brackets that mean a vector. */
export function wireName(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]+/g, "_").replaceAll(/[[\]$]/g, "_");
}

/** Writes one dump: scopes and wires first, then {@linkcode begin}, then changes in order of time. */
export class VcdWriter {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #buffer = new Uint8Array(PIECE + ROOM);
  readonly #initial: { readonly wire: Wire; readonly level: Level }[] = [];
  readonly #digits = new Uint8Array(20);
  #length = 0;
  #time = -1;

  /**
   * @param write is given pieces that end with a whole line; it must not keep them
   * @param date for people
   * @param program that makes the dump, with its version
   */
  constructor(write: (bytes: Uint8Array) => void, date: string, program: string) {
    this.#write = write;
    this.#line(`$date ${date} $end`);
    this.#line(`$version ${program} $end`);
    this.#line("$timescale 1 ns $end");
  }

  /** What follows, until {@linkcode leaveScope}, is a part of this. */
  enterScope(name: string): void {
    this.#line(`$scope module ${wireName(name)} $end`);
  }

  leaveScope(): void {
    this.#line("$upscope $end");
  }

  /** A wire, with the level that it has at the start. */
  wire(name: string, level: Level): Wire {
    const wire = { code: codeOf(this.#initial.length) };
    this.#initial.push({ wire, level });
    const code = new TextDecoder().decode(wire.code);
    this.#line(`$var wire 1 ${code} ${wireName(name)} $end`);
    return wire;
  }

  /** Ends the declarations. */
  begin(): void {
    this.#line("$enddefinitions $end");
    this.#stamp(0);
    this.#line("$dumpvars");
    for (const { wire, level } of this.#initial) this.#change(wire, level);
    this.#line("$end");
  }

  /**
   * A wire changes.
   *
   * @param time in nanoseconds since the start; what comes before the last change is put there
   */
  change(time: number, wire: Wire, level: Level): void {
    this.#stamp(time);
    this.#change(wire, level);
  }

  /** Time goes by, with nothing else to tell. */
  advance(time: number): void {
    this.#stamp(time);
  }

  /** A remark for people, at the time of the last change. */
  comment(text: string): void {
    this.#line(`$comment ${text.replaceAll("$", "")} $end`);
  }

  /** Passes on what is there. */
  flush(): void {
    if (this.#length > 0) this.#write(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }

  #stamp(time: number): void {
    if (!(time > this.#time)) return;
    time = Math.floor(time);
    if (time === this.#time) return;
    this.#time = time;
    this.#makeRoom();
    this.#buffer[this.#length++] = HASH;
    let count = 0;
    do {
      this.#digits[count++] = ZERO + time % 10;
      time = Math.floor(time / 10);
    } while (time > 0);
    while (count > 0) this.#buffer[this.#length++] = this.#digits[--count];
    this.#buffer[this.#length++] = NEWLINE;
  }

  #change({ code }: Wire, level: Level): void {
    this.#makeRoom();
    this.#buffer[this.#length++] = levels.get(level)!;
    for (let index = 0; index < code.length; index++) this.#buffer[this.#length++] = code[index];
    this.#buffer[this.#length++] = NEWLINE;
  }

  #line(text: string): void {
    const bytes = encoder.encode(`${text}\n`);
    this.flush();
    this.#write(bytes);
  }

  #makeRoom(): void {
    if (this.#length >= PIECE) this.flush();
  }
}
