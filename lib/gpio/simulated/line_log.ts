/**
 * What the log tells of a simulated line.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { LogKind } from "../../text/log_kind.ts";
import { directionName } from "../protocol.ts";

/** Logs what becomes of one line; where that is too much, its changes are summed up. */
export class LineLog {
  readonly #log: Logger;
  readonly #title: string;
  readonly #values: { readonly kind: LogKind };
  readonly #directions: { readonly kind: LogKind };
  #value = 0;
  #direction = 0;

  /** @param name empty for none */
  constructor(log: Logger, line: number, name: string) {
    const title = name === "" ? `line ${line}` : `line ${line} "${name}"`;
    this.#log = log;
    this.#title = title;
    const values = (count: number) =>
      `${count} more changes of line ${line}, last value ${this.#value}`;
    const directions = (count: number) =>
      `${count} more changes of line ${line}'s direction, last ${directionName(this.#direction)}`;
    this.#values = { kind: new LogKind(`value ${line}`, values) };
    this.#directions = { kind: new LogKind(`direction ${line}`, directions) };
  }

  /** The line is an output and drives another value. */
  value(value: number): void {
    this.#value = value;
    this.#log.info(`${this.#title}: value ${value}`, this.#values);
  }

  /** The line has another direction. */
  direction(direction: number): void {
    this.#direction = direction;
    this.#log.info(`${this.#title}: direction ${directionName(direction)}`, this.#directions);
  }
}
