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

/** A number of a dump. */
export interface Counter {
  readonly code: string;
}

/** Where changes go. */
export interface WireSink {
  /**
   * A wire changes.
   *
   * @param time in nanoseconds since the start; what comes before the last change is put there
   */
  change(time: number, wire: Wire, level: Level): void;
}

/** Bytes are passed on in pieces of about this size. */
const PIECE = 65536;
/** More than a time stamp and a change take. */
const ROOM = 64;
/** More than a remark needs; longer ones are cut. */
const REMARK = 512;

const FIRST_CODE = 33;
const CODES = 94;
const NEWLINE = 10;
const HASH = 35;
const ZERO = 48;
const UNKNOWN = 120;
const OPEN = 122;

const encoder = new TextEncoder();

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

/** A remark that cannot be taken for its own end. */
function remark(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, "_").replaceAll("$", "_").slice(0, REMARK);
}

/** Writes one dump: scopes and wires first, then {@linkcode begin}, then changes in order of time. */
export class VcdWriter implements WireSink {
  readonly #write: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly #buffer = new Uint8Array(PIECE + ROOM);
  readonly #initial: { readonly wire: Wire; readonly level: Level }[] = [];
  readonly #counters: string[] = [];
  readonly #names = new Set<string>();
  readonly #digits = new Uint8Array(20);
  #declared = 0;
  #length = 0;
  #time = -1;

  /**
   * @param write is given pieces that end with a whole line; it must not keep them
   * @param date for people
   * @param program that makes the dump, with its version
   */
  constructor(write: (bytes: Uint8Array<ArrayBuffer>) => void, date: string, program: string) {
    this.#write = write;
    this.#line(`$date ${date} $end`);
    this.#line(`$version ${program} $end`);
    this.#line("$timescale 1 ns $end");
  }

  /** The time of the last change in nanoseconds. */
  get time(): number {
    return Math.max(0, this.#time);
  }

  /** What follows, until {@linkcode leaveScope}, is a part of this. */
  enterScope(name: string): void {
    this.#line(`$scope module ${wireName(name)} $end`);
  }

  leaveScope(): void {
    this.#line("$upscope $end");
  }

  /**
   * A wire, with the level that it has at the start. Not all readers tell scopes apart: a name that
   * there is already gets a number.
   */
  wire(name: string, level: Level): Wire {
    const code = codeOf(this.#declared++);
    const wire = { code };
    this.#initial.push({ wire, level });
    this.#declare("wire 1", new TextDecoder().decode(code), name);
    return wire;
  }

  /** A number, which is 0 at the start. It is a real one, for sigrok cannot pass over others. */
  counter(name: string): Counter {
    const code = new TextDecoder().decode(codeOf(this.#declared++));
    this.#counters.push(code);
    this.#declare("real 64", code, name);
    return { code };
  }

  /** Ends the declarations. */
  begin(): void {
    this.#line("$enddefinitions $end");
    this.#stamp(0);
    this.#line("$dumpvars");
    for (const { wire, level } of this.#initial) this.#change(wire, level);
    for (const code of this.#counters) this.#line(`r0 ${code}`);
    this.#line("$end");
  }

  change(time: number, wire: Wire, level: Level): void {
    this.#stamp(time);
    this.#change(wire, level);
  }

  /** A number changes. */
  count(time: number, { code }: Counter, value: number): void {
    this.#stamp(time);
    this.#line(`r${value} ${code}`);
  }

  /** Time goes by, with nothing else to tell. */
  advance(time: number): void {
    this.#stamp(time);
  }

  /**
   * A remark for people, before {@linkcode begin} or after the last change: sigrok finds nothing of
   * what follows a remark among changes.
   */
  comment(text: string): void {
    this.#line(`$comment ${remark(text)} $end`);
  }

  /** Passes on what is there. */
  flush(): void {
    if (this.#length > 0) this.#write(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }

  #declare(type: string, code: string, name: string): void {
    const shown = wireName(name);
    let unique = shown;
    for (let number = 2; this.#names.has(unique); number++) unique = `${shown}_${number}`;
    this.#names.add(unique);
    this.#line(`$var ${type} ${code} ${unique} $end`);
  }

  #stamp(time: number): void {
    let rest = Math.floor(time);
    if (!(rest > this.#time)) return;
    this.#time = rest;
    this.#makeRoom();
    this.#buffer[this.#length++] = HASH;
    let count = 0;
    do {
      const quotient = Math.floor(rest / 10);
      this.#digits[count++] = ZERO + (rest - 10 * quotient);
      rest = quotient;
    } while (rest > 0);
    while (count > 0) this.#buffer[this.#length++] = this.#digits[--count];
    this.#buffer[this.#length++] = NEWLINE;
  }

  #change({ code }: Wire, level: Level): void {
    this.#makeRoom();
    this.#buffer[this.#length++] = level === "x" ? UNKNOWN : level === "z" ? OPEN : ZERO + level;
    for (let index = 0; index < code.length; index++) this.#buffer[this.#length++] = code[index];
    this.#buffer[this.#length++] = NEWLINE;
  }

  #line(text: string): void {
    this.flush();
    this.#write(encoder.encode(`${text}\n`));
  }

  #makeRoom(): void {
    if (this.#length >= PIECE) this.flush();
  }
}
