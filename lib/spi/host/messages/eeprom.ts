/**
 * EEPROM and FRAM chips of the 25 series (the data sheets of the usual makers).
 *
 * @module
 */

import { CommandTable, TableRule } from "./table.ts";
import type { MessageWaits } from "./rule.ts";

function commands(address: number): CommandTable {
  const table = new CommandTable()
    .add("read", address, 0x03)
    .add("write", address, 0x02)
    // Status, identity and, of FRAM, the serial number.
    .add("read", 0, 0x05, 0x9f, 0xc3)
    .add("write", 0, 0x01);
  // Chips of 512 bytes have the address's ninth bit in the code.
  return address === 1 ? table.add("read", 1, 0x0b).add("write", 1, 0x0a) : table;
}

/** Messages to an EEPROM. */
export class EepromRule extends TableRule {
  /** @param address its length in bytes, 1 to 3 */
  constructor(address: number, waits: MessageWaits) {
    super(commands(address), waits);
  }
}
