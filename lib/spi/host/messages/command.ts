/**
 * What is done of a chip that nothing is known of: a transfer that only writes is taken for a
 * command, and one that only reads for its answer.
 *
 * @module
 */

import type { Transfer } from "../../protocol.ts";
import { COMPLETE, type MessageRule, type MessageWaits } from "./rule.ts";

/** What is longer is hardly a command: Linux' `spi_write_then_read()` takes no more (SPI_BUFSIZ). */
const LONGEST_COMMAND = 32;
/** Linux allocates memory in multiples of so many bytes. */
const ALIGNMENT = 8;

/** What has gone by of the message. */
const NOTHING = 0;
/** One byte was written. */
const BYTE = 1;
/** Something else was written. */
const WRITTEN = 2;
/**
 * A byte was written, and then what lies right behind it in memory: code and address of a command
 * as the drivers of memories send them (`spi_mem_exec_op()`).
 */
const ADDRESSED = 3;

/**
 * The default.
 *
 * A transfer whose data lies right behind what was written last, and is not aligned, belongs to the
 * same message: it cannot be memory that was allocated by itself.
 */
export class CommandRule implements MessageRule {
  readonly csChangeKeeps = false;
  readonly #waits: MessageWaits;
  readonly #warn: (text: string) => void;
  #state = NOTHING;
  /** The address behind the last byte written. */
  #end = 0;
  #warned = false;

  constructor(waits: MessageWaits, warn: (text: string) => void) {
    this.#waits = waits;
    this.#warn = warn;
  }

  begin(): void {
    this.#state = NOTHING;
  }

  joins(transfer: Transfer): boolean {
    if (transfer.txLength === 0 || this.#isBehind(transfer)) return true;
    return this.#state === ADDRESSED && transfer.txLength > 1 && transfer.rxLength === 0;
  }

  follow(transfer: Transfer): number {
    const { txLength, rxLength } = transfer;
    const before = this.#state;
    const behind = before !== NOTHING && this.#isBehind(transfer);
    this.#end = transfer.txEnd;
    this.#state = before === NOTHING && txLength === 1
      ? BYTE
      : behind && (before === BYTE || before === ADDRESSED)
      ? ADDRESSED
      : WRITTEN;
    if (this.#state === ADDRESSED && rxLength === 0) this.#warnOfMemory();
    const isData = before === ADDRESSED && !behind;
    if (txLength === 0 || rxLength > 0 || txLength > LONGEST_COMMAND || isData) return COMPLETE;
    return this.#waits.unsure;
  }

  #isBehind(transfer: Transfer): boolean {
    const start = transfer.txLength > 0 ? transfer.txStart : transfer.rxStart;
    return start === this.#end && start % ALIGNMENT !== 0;
  }

  #warnOfMemory(): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#warn(
      "the guest's driver seems to be one of a memory; say which with 'messages: nor', 'nand' or " +
        "'eeprom', or what it writes may be cut and taken for other commands",
    );
  }
}
