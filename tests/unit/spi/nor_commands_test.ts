import { assert, assertEquals } from "@std/assert";
import { NorCommand } from "../../../lib/spi/host/nor_commands.ts";

type Transfer = readonly number[] | { readonly rx: number };

/** Whether more is expected after each of these transfers of one command. */
function follow(transfers: readonly Transfer[], command = new NorCommand()): boolean[] {
  command.begin();
  return transfers.map((transfer) => {
    if ("rx" in transfer) command.follow(0, 0, transfer.rx);
    else command.follow(transfer[0], transfer.length, 0);
    return command.expectsMore;
  });
}

const commands: [what: string, transfers: Transfer[]][] = [
  ["write enable", [[0x06]]],
  ["the identity in two transfers", [[0x9f], { rx: 6 }]],
  ["a status", [[0x05], { rx: 1 }]],
  ["a read in three transfers", [[0x03], [0, 1, 2], { rx: 64 }]],
  ["a read in two transfers", [[0x03, 0, 1, 2], { rx: 64 }]],
  ["a fast read with its dummy byte by itself", [[0x0b], [0, 1, 2], [0xff], { rx: 64 }]],
  ["a read with an address of four bytes", [[0x13], [0, 0, 1, 2], { rx: 64 }]],
  ["a program in three transfers", [[0x02], [0, 1, 2], [7, 7, 7]]],
  ["a program in two transfers", [[0x02, 0, 1, 2], [7, 7, 7]]],
  ["a program in one", [[0x02, 0, 1, 2, 7]]],
  ["a status that is written", [[0x01], [0]]],
  ["an erase", [[0x20], [0, 1, 2]]],
  ["an erase of the whole chip", [[0xc7]]],
  ["an unknown command", [[0xfe]]],
];

for (const [what, transfers] of commands) {
  Deno.test(`a NOR command ends with its last transfer: ${what}`, () => {
    const expected = transfers.map((_, index) => index < transfers.length - 1);
    assertEquals(follow(transfers), expected);
  });
}

Deno.test("a NOR command in one full-duplex transfer is complete", () => {
  const command = new NorCommand();
  command.begin();
  command.follow(0x9f, 4, 4);
  assert(!command.expectsMore);
});

Deno.test("addresses are of four bytes after the chip was told so, and until it is told otherwise", () => {
  const command = new NorCommand();
  const erase = () => follow([[0x20], [0, 1, 2], [3]], command);
  follow([[0xb7]], command);
  assertEquals(erase(), [true, true, false]);
  follow([[0xe9]], command);
  assertEquals(erase(), [true, false, false]);
});
