/**
 * NOR flash chips of the 25 series (JEDEC JESD216 and the data sheets of the usual makers).
 *
 * @module
 */

import { CommandTable, TableRule } from "./table.ts";
import type { MessageWaits } from "./rule.ts";

const commands = new CommandTable()
  .add("read", 3, 0x03, 0x0b, 0x3b, 0x6b, 0x8b, 0xbb, 0xeb, 0xcb, 0x5a, 0x48, 0x4b, 0x90)
  .add("read", 4, 0x13, 0x0c, 0x3c, 0x6c, 0x7c, 0xbc, 0xec, 0xcc)
  // Identity, status and configuration registers.
  .add("read", 0, 0x9f, 0x9e, 0xaf, 0x05, 0x07, 0x15, 0x35, 0x70, 0x85, 0xb5, 0xc8, 0x16, 0x2d)
  .add("read", 0, 0xe8)
  .add("write", 3, 0x02, 0x32, 0x38, 0x82, 0xa2, 0xd2, 0x42)
  .add("write", 4, 0x12, 0x34, 0x3e, 0x84, 0x8e)
  .add("write", 0, 0x01, 0x11, 0x31, 0x81, 0x61, 0xb1, 0xc5, 0x17, 0xc0)
  .add("none", 3, 0x20, 0x52, 0xd8, 0x44, 0x36, 0x39)
  .add("none", 4, 0x21, 0x5c, 0xdc);

const ENTER_4_BYTE_ADDRESSES = 0xb7;
const LEAVE_4_BYTE_ADDRESSES = 0xe9;
const RESET = 0x99;

/** Messages to a NOR flash. */
export class NorRule extends TableRule {
  /** Commands with a 3-byte address have one of 4 bytes. */
  #longAddresses = false;

  constructor(waits: MessageWaits) {
    super(commands, waits);
  }

  protected override begun(code: number): void {
    if (code === ENTER_4_BYTE_ADDRESSES) this.#longAddresses = true;
    if (code === LEAVE_4_BYTE_ADDRESSES || code === RESET) this.#longAddresses = false;
  }

  protected override addressLength(address: number): number {
    return address === 3 && this.#longAddresses ? 4 : address;
  }
}
