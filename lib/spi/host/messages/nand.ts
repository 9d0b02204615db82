/**
 * NAND flash chips with an SPI interface (the data sheets of the usual makers). Codes that they
 * share with NOR flash have other addresses.
 *
 * @module
 */

import { CommandTable, TableRule } from "./table.ts";
import type { MessageWaits } from "./rule.ts";

const commands = new CommandTable()
  // Features, which status is one of; identity; ECC status.
  .add("read", 1, 0x0f, 0x9f, 0x7c)
  .add("write", 1, 0x1f)
  // From the chip's page buffer, and to it.
  .add("read", 2, 0x03, 0x0b, 0x3b, 0x6b, 0xbb, 0xeb, 0x0c, 0x3c, 0x6c, 0xbc, 0xec)
  .add("write", 2, 0x02, 0x32, 0x84, 0x34, 0xc4)
  // Page read, program execute, block erase.
  .add("none", 3, 0x13, 0x10, 0xd8)
  // Die select.
  .add("none", 1, 0xc2);

/** Messages to a NAND flash. */
export class NandRule extends TableRule {
  constructor(waits: MessageWaits) {
    super(commands, waits);
  }
}
