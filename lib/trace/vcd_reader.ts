/**
 * Reads value change dumps.
 *
 * Source: IEEE 1364-2005, section 18 ("Value change dump (VCD) files").
 *
 * @module
 */

/** A wire as it is declared. */
export interface VcdWire {
  readonly name: string;
  /** The scopes that it is in, the outermost first. */
  readonly scopes: readonly string[];
  /** For example `wire`; the values of a `real` are numbers. */
  readonly type: string;
  /** In bits. */
  readonly size: number;
}

/** A wire has another level. */
export interface VcdChange {
  /** In nanoseconds. */
  readonly time: number;
  /** Its place among the wires. */
  readonly wire: number;
  /** Its bits, each `0`, `1`, `x` or `z`; of a real number its digits. */
  readonly value: string;
}

/** A remark, with the time at which it stands, in nanoseconds. */
export interface VcdComment {
  readonly time: number;
  readonly text: string;
}

/** A dump. */
export class Vcd {
  constructor(
    readonly wires: readonly VcdWire[],
    readonly changes: readonly VcdChange[],
    readonly comments: readonly VcdComment[],
  ) {}

  /**
   * Reads a dump.
   *
   * @throws {VcdError} if it is none
   */
  static parse(text: string): Vcd {
    const { wires, changes, comments } = new Reader(text).read();
    if (wires.length === 0) throw new VcdError("no wires are declared: is it a dump at all?");
    return new Vcd(wires, changes, comments);
  }
}

/** Nanoseconds by unit. */
const UNITS: Readonly<Record<string, number>> = {
  s: 1e9,
  ms: 1e6,
  us: 1e3,
  ns: 1,
  ps: 1e-3,
  fs: 1e-6,
};

/** Thrown for what is no dump. */
export class VcdError extends Error {
  override readonly name = "VcdError";
}

class Reader {
  readonly wires: VcdWire[] = [];
  readonly changes: VcdChange[] = [];
  readonly comments: VcdComment[] = [];
  /** By code: more than one where wires are the same. */
  readonly #byCode = new Map<string, number[]>();
  readonly #scopes: string[] = [];
  readonly #tokens: Iterator<RegExpMatchArray>;
  #unit = 1;
  #time = 0;

  constructor(text: string) {
    this.#tokens = text.matchAll(/\S+/g);
  }

  read(): this {
    for (let token = this.#next(); token !== undefined; token = this.#next()) this.#take(token);
    return this;
  }

  #next(): string | undefined {
    const { value, done } = this.#tokens.next();
    return done ? undefined : value[0];
  }

  #take(token: string): void {
    switch (token[0]) {
      case "$":
        return this.#command(token);
      case "#":
        this.#time = this.#integer(token.slice(1)) * this.#unit;
        return;
      case "b":
      case "B":
        return this.#change(token.slice(1), this.#next());
      case "r":
      case "R":
        return this.#number(token.slice(1), this.#next());
      default:
        return this.#change(token[0], token.slice(1));
    }
  }

  #command(command: string): void {
    switch (command) {
      case "$end":
      case "$dumpvars":
      case "$dumpall":
      case "$dumpon":
      case "$dumpoff":
        // What is between these is changes.
        return;
    }
    const words = this.#words();
    switch (command) {
      case "$timescale":
        return this.#timescale(words.join(""));
      case "$scope":
        this.#scopes.push(words[1] ?? "");
        return;
      case "$upscope":
        this.#scopes.pop();
        return;
      case "$var":
        return this.#wire(words);
      case "$comment":
        this.comments.push({ time: this.#time, text: words.join(" ") });
        return;
    }
  }

  #words(): string[] {
    const words: string[] = [];
    for (let word = this.#next(); word !== undefined && word !== "$end"; word = this.#next()) {
      words.push(word);
    }
    return words;
  }

  #timescale(text: string): void {
    const [, count, unit] = /^(1|10|100)([munpf]?s)$/.exec(text) ?? [];
    if (unit === undefined) throw new VcdError(`'${text}' is no time scale, such as 1ns`);
    this.#unit = Number(count) * UNITS[unit];
  }

  #wire([type, size, code, name]: readonly string[]): void {
    if (code === undefined || name === undefined) throw new VcdError("a '$var' is too short");
    const known = this.#byCode.get(code);
    if (known === undefined) this.#byCode.set(code, [this.wires.length]);
    else known.push(this.wires.length);
    this.wires.push({ name, scopes: [...this.#scopes], type, size: this.#integer(size) });
  }

  #change(value: string, code: string | undefined): void {
    const bits = value.toLowerCase();
    if (!/^[01xz]+$/.test(bits)) throw new VcdError(`'${value}' is no level`);
    this.#becomes(bits, code);
  }

  #number(value: string, code: string | undefined): void {
    if (Number.isNaN(Number(value))) throw new VcdError(`'${value}' is no number`);
    this.#becomes(value, code);
  }

  #becomes(value: string, code = ""): void {
    const wires = this.#byCode.get(code);
    if (wires === undefined) throw new VcdError(`there is no wire '${code}'`);
    for (const wire of wires) this.changes.push({ time: this.#time, wire, value });
  }

  #integer(text: string): number {
    if (!/^\d+$/.test(text)) throw new VcdError(`'${text}' is no number`);
    return Number(text);
  }
}
