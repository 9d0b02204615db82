/**
 * The configuration file: YAML, read with an eye on where in the file everything stands.
 *
 * @module
 */

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from "yaml";
import { EACCES, ENOENT, errnoText, SystemError } from "../../ffi/errno.ts";
import { readFile } from "../../ffi/file.ts";
import { readInteger } from "../text/numbers.ts";
import { anyOf, closest } from "../text/words.ts";
import { UsageError } from "../errors.ts";

/** More than any configuration needs, and less than a device file without end. */
const MAX_SIZE = 4 * 2 ** 20;

interface Source {
  readonly file: string;
  readonly text: string;
  readonly lines: LineCounter;
  readonly resolve: (node: unknown) => unknown;
}

/** What the parser complains about, with a remedy where its own words have none. */
function explain(problem: YAMLError, text: string): string {
  const [message] = problem.message.split(/ at line |\n/);
  switch (problem.code) {
    case "DUPLICATE_KEY": {
      const key = /^[^\s:]+/.exec(text.slice(problem.pos[0]))?.[0] ?? "";
      return `the key '${key}' is given twice; give it once`;
    }
    case "TAB_AS_INDENT":
      return "a tab is used for indentation; use spaces";
    case "MULTIPLE_DOCS":
      return "a second document begins here; put everything into the first one";
    case "TAG_RESOLVE_FAILED":
      return `${message}; leave the tag out`;
    default:
      return `not valid YAML: ${message}`;
  }
}

/** What helps against a file that cannot be read. */
function remedy(number: number, who: string): string {
  switch (number) {
    case ENOENT:
      return "check the path, or create it";
    case EACCES:
      return "make it readable for this user";
    default:
      return `${who} takes a YAML file`;
  }
}

function form(value: unknown): string {
  if (isMap(value)) return "a mapping";
  if (isSeq(value)) return "a list";
  if (!isScalar(value) || value.value === null) return "nothing";
  return typeof value.value === "string" ? `'${value.value}'` : String(value.value);
}

/** One value of the file, with its place. Every method refuses what does not fit, with that place. */
export class ConfigNode {
  readonly #source: Source;
  readonly #node: unknown;
  readonly #offset: number;
  readonly #path: string;

  private constructor(source: Source, node: unknown, offset: number, path: string) {
    this.#source = source;
    this.#node = source.resolve(node);
    this.#offset = (node as Node | null)?.range?.[0] ?? offset;
    this.#path = path;
    if (isAlias(node) && this.#node === undefined) {
      this.fail(`the alias '*${node.source}' comes without an anchor '&${node.source}' before it`);
    }
  }

  /**
   * Reads a file's text.
   *
   * @param file its name, for messages
   * @throws {UsageError} if that is not YAML
   */
  static parse(file: string, text: string): ConfigNode {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines });
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) {
      const line = problem.linePos?.[0].line ?? 1;
      throw new UsageError(`${file}:${line}: ${explain(problem, text)}`);
    }
    const resolve = (node: unknown) => isAlias(node) ? node.resolve(document) : node;
    return new ConfigNode({ file, text, lines, resolve }, document.contents, 0, "");
  }

  /**
   * Reads a file.
   *
   * @param what it is, and what is said to read it, for messages
   * @throws {UsageError} if it cannot be read or is not YAML
   */
  static load(file: string, what = "configuration file", who = "--config"): ConfigNode {
    let bytes: Uint8Array<ArrayBuffer> | undefined;
    try {
      bytes = readFile(file, MAX_SIZE);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new UsageError(
        `${what} '${file}' cannot be read: ${errnoText(error.errno)}; ${remedy(error.errno, who)}`,
      );
    }
    if (bytes === undefined) {
      throw new UsageError(
        `${what} '${file}' has more than ${MAX_SIZE} bytes; is it the right file?`,
      );
    }
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw new UsageError(`${what} '${file}' is not UTF-8 text; ${who} takes a YAML file`);
    }
    return ConfigNode.parse(file, text);
  }

  /** Where in the file it is, counted from 1 on. */
  get line(): number {
    return this.#source.lines.linePos(this.#offset).line;
  }

  /**
   * The value as a file of its own, in which it is at the same line and column: what is wrong with it
   * there is wrong with it here.
   */
  get excerpt(): string {
    const [begin, , end] = (this.#node as Node | null)?.range ?? [0, 0, 0];
    const { line, col } = this.#source.lines.linePos(begin);
    const text = this.#source.text.slice(begin, end).trimEnd();
    return `${"\n".repeat(line - 1)}${" ".repeat(col - 1)}${text}\n`;
  }

  /** Refuses this value: `FILE:LINE: KEY: MESSAGE`. */
  fail(message: string): never {
    const where = this.#path === "" ? "" : `${this.#path}: `;
    throw new UsageError(`${this.#source.file}:${this.line}: ${where}${message}`);
  }

  #expected(what: string, hint = ""): never {
    return this.fail(`expected ${what}, found ${form(this.#node)}${hint}`);
  }

  /**
   * A mapping with no other keys than these.
   *
   * @param former keys that there were, each with what to write now
   * @returns its values by key
   */
  mapping<Key extends string>(
    keys: readonly Key[],
    former: Readonly<Record<string, string>> = {},
  ): Partial<Record<Key, ConfigNode>> {
    // A file of comments alone says nothing, which is fine.
    if (this.#path === "" && form(this.#node) === "nothing") return {};
    if (!isMap(this.#node)) return this.#expected(`a mapping with the keys ${anyOf(keys)}`);
    const result: Partial<Record<Key, ConfigNode>> = {};
    for (const { key, value } of this.#node.items) {
      const name = String(isScalar(key) ? key.value : key);
      const path = this.#path === "" ? name : `${this.#path}.${name}`;
      const offset = (key as Node).range?.[0] ?? this.#offset;
      if (!keys.includes(name as Key)) {
        const here = new ConfigNode(this.#source, key, offset, this.#path);
        if (Object.hasOwn(former, name)) {
          here.fail(`there is no key '${name}' any more; write ${former[name]}`);
        }
        const guess = closest(name, keys);
        const hint = guess === undefined ? `expected ${anyOf(keys)}` : `did you mean '${guess}'?`;
        here.fail(`unknown key '${name}'; ${hint}`);
      }
      result[name as Key] = new ConfigNode(this.#source, value, offset, path);
    }
    return result;
  }

  /** True if the value is a mapping. */
  get isMapping(): boolean {
    return isMap(this.#node);
  }

  /** True if the value is a list. */
  get isList(): boolean {
    return isSeq(this.#node);
  }

  /** A list; `what` says of what, for example `line names`. */
  list(what: string): ConfigNode[] {
    if (!isSeq(this.#node)) return this.#expected(`a list of ${what}`);
    return this.#node.items.map((item, index) =>
      new ConfigNode(this.#source, item, this.#offset, `${this.#path}[${index}]`)
    );
  }

  /** A mapping with keys of its own; `what` says which. Its entries, in order. */
  entries(what: string): { readonly key: ConfigNode; readonly value: ConfigNode }[] {
    if (!isMap(this.#node)) return this.#expected(what);
    return this.#node.items.map(({ key, value }) => {
      const offset = (key as Node).range?.[0] ?? this.#offset;
      const path = `${this.#path}.${isScalar(key) ? key.source ?? key.value : key}`;
      return {
        key: new ConfigNode(this.#source, key, offset, this.#path),
        value: new ConfigNode(this.#source, value, offset, path),
      };
    });
  }

  /** A text; `what` says which. */
  string(what = "a text"): string {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value === "string") return value;
    const plain = typeof value === "number" || typeof value === "boolean";
    return this.#expected(what, plain ? `; put it in quotes: '${this.source}'` : "");
  }

  /** A path of a file. */
  path(): string {
    const path = this.string("a path");
    if (path === "") return this.fail("expected a path, found an empty text");
    // What comes after it would be left out, and another file be meant.
    if (!path.includes("\0")) return path;
    return this.fail(`'${path}' has a zero byte in it; choose a path without`);
  }

  /** A text that is not empty, or a number taken as one: what an option of the command line takes. */
  word(what: string): string {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number") return this.source;
    return this.#expected(what);
  }

  /** A text, a number, `true` or `false`, as it is meant: a number as it is written. */
  scalar(what: string): string {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value === "string") return value;
    return typeof value === "number" || typeof value === "boolean"
      ? this.source
      : this.#expected(what);
  }

  /** The value as it is written in the file, for example `0x50`. */
  get source(): string {
    return isScalar(this.#node) ? this.#node.source ?? String(this.#node.value) : "";
  }

  /** A whole number from `minimum` to `maximum`. */
  integer(minimum: number, maximum: number, what = "a whole number"): number {
    return this.number(
      { from: minimum, to: maximum },
      `${what} from ${minimum} to ${maximum}`,
      true,
    );
  }

  /** A number within a range, whole if `isWhole`; `what` says which, with the range. */
  number(
    { from, to }: { readonly from: number; readonly to: number },
    what: string,
    isWhole = false,
  ): number {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    const fits = typeof value === "number" && value >= from && value <= to &&
      (!isWhole || Number.isInteger(value));
    if (fits) return value;
    const quoted = typeof value === "string" && readInteger(value) !== undefined;
    return this.#expected(what, quoted ? "; leave out the quotes" : "");
  }

  /** `true` or `false`. */
  boolean(what = "true or false"): boolean {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    return typeof value === "boolean" ? value : this.#expected(what);
  }

  /** One of these texts or numbers. */
  choice<Choice extends string | number>(
    choices: readonly Choice[],
    what = anyOf(choices.map(String)),
  ): Choice {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    const index = choices.indexOf(value as Choice);
    return index >= 0 ? choices[index] : this.#expected(what);
  }

  /** True if the value is a number. */
  get isNumber(): boolean {
    return isScalar(this.#node) && typeof this.#node.value === "number";
  }
}
