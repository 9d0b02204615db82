/**
 * What a program has printed, and how much of it has been looked at.
 *
 * @module
 */

import type { Matcher } from "./matcher.ts";

/** The most that is kept of what nobody has looked for, in characters. */
const KEPT = 1 << 20;
/** What terminals are told of colours, cursors and titles, and what is at the end of their lines. */
// deno-fmt-ignore
// deno-lint-ignore no-control-regex
const SEQUENCES = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_=>])|(?<!\r)\r+(?=\n)/g;
/** The beginning of such a thing. */
// deno-lint-ignore no-control-regex
const UNFINISHED = /(?:\x1b(?:\[[0-9;?]*[ -/]*|\][^\x07\x1b]*\x1b?)?|(?<!\r)\r+)$/;

/** The text of a console, without what only terminals understand. */
export class Console {
  #text = "";
  /** What was before it has been found, or was too much. */
  #cursor = 0;
  /** The beginning of a sequence whose end has not come. */
  #unfinished = "";
  /** How many characters there were before the text that is kept. */
  #forgotten = 0;

  /** Something is printed. */
  append(text: string): void {
    const all = this.#unfinished + text;
    // A long one is none.
    const unfinished = UNFINISHED.exec(all)?.[0] ?? "";
    this.#unfinished = unfinished.length > 1000 ? "" : unfinished;
    const whole = this.#unfinished === "" ? all : all.slice(0, -this.#unfinished.length);
    this.#text += whole.replaceAll(SEQUENCES, "");
    const surplus = this.#text.length - KEPT;
    if (surplus < KEPT) return;
    this.#text = this.#text.slice(surplus);
    this.#cursor = Math.max(0, this.#cursor - surplus);
    this.#forgotten += surplus;
  }

  /** Where that begins which nobody has looked for, among all that was ever printed. */
  get position(): number {
    return this.#forgotten + this.#cursor;
  }

  /** True if there is something after a position. */
  has(matcher: Matcher, position: number): boolean {
    return matcher.find(this.#text, Math.max(0, position - this.#forgotten)) !== undefined;
  }

  /** Looks for something; what is printed up to there will not be looked at again. */
  take(matcher: Matcher): boolean {
    const end = matcher.find(this.#text, this.#cursor);
    if (end === undefined) return false;
    this.#cursor = end;
    return true;
  }

  /** The last lines. */
  tail(count: number): string[] {
    const lines = (this.#text + this.#unfinished).trimEnd().split("\n");
    return lines.length === 1 && lines[0] === "" ? [] : lines.slice(-count);
  }
}
