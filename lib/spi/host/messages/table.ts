/**
 * Chips that know commands: a message is one command with its address and data.
 *
 * @module
 */

import type { Transfer } from "../../protocol.ts";
import { COMPLETE, type MessageRule, type MessageWaits } from "./rule.ts";

/** What follows a command's code. */
interface Shape {
  /** Bytes of the address, up to the data. */
  readonly address: number;
  readonly data: "none" | "read" | "write";
}

/** The commands of a kind of chip, as far as it takes to know where each ends. */
export class CommandTable {
  readonly #shapes = new Map<number, Shape>();

  /**
   * Adds commands.
   *
   * Where data is read, a command is complete with the first of it: dummy bytes do not matter.
   */
  add(data: Shape["data"], address: number, ...codes: number[]): this {
    for (const code of codes) this.#shapes.set(code, { address, data });
    return this;
  }

  /** A command's shape; one that is not known has neither address nor data. */
  shape(code: number): Shape {
    return this.#shapes.get(code) ?? NOTHING;
  }
}

const NOTHING: Shape = { address: 0, data: "none" };
/** No command has begun. */
const NONE = -1;

/** A message is complete when its command is. */
export class TableRule implements MessageRule {
  readonly csChangeKeeps = false;
  readonly #table: CommandTable;
  readonly #waits: MessageWaits;
  #code = NONE;
  /** Bytes so far, the code included. */
  #count = 0;
  #hasRead = false;

  constructor(table: CommandTable, waits: MessageWaits) {
    this.#table = table;
    this.#waits = waits;
  }

  begin(): void {
    this.#code = NONE;
    this.#count = 0;
    this.#hasRead = false;
  }

  joins(_transfer: Transfer): boolean {
    return true;
  }

  follow(transfer: Transfer, first: number): number {
    const { txLength, rxLength } = transfer;
    if (this.#code === NONE && txLength > 0) {
      this.#code = first;
      this.begun(first);
    }
    this.#count += transfer.length;
    if (rxLength > 0) this.#hasRead = true;
    return this.#isComplete ? COMPLETE : this.#waits.incomplete;
  }

  /** A command has begun. */
  protected begun(_code: number): void {}

  /** Bytes of the address of a command of the table. */
  protected addressLength(address: number): number {
    return address;
  }

  get #isComplete(): boolean {
    if (this.#code === NONE) return true;
    const { address, data } = this.#table.shape(this.#code);
    if (data === "read") return this.#hasRead;
    const rest = this.#count - 1 - this.addressLength(address);
    return data === "write" ? rest > 0 : rest >= 0;
  }
}
