/**
 * The daemon on adapters that can do more, or less, than others: 10-bit addresses, no messages
 * without data, a limit to their length; and two of one name.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { ERR, OK, READ, read, tenBit, write } from "../../support/i2c_driver.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { busLog, refused, served, statuses } from "./hardware.ts";

async function configured(text: string, use: (file: string) => void | Promise<void>) {
  using folder = new TemporaryFolder();
  const file = folder.file("i2c.yaml");
  Deno.writeTextFileSync(file, text);
  await use(file);
}

const tenBitConfig = `
adapters:
  - { bus: 0, addresses: [0x50], ten-bit-addresses: [0x250, 0x050] }
`;

Deno.test("I2 on a real bus 10-bit addresses are served where the adapter can do them", () =>
  configured(tenBitConfig, (file) =>
    served(["--config", file], (guest) => {
      const address = tenBit(0x250);
      const outcomes = guest.transfer(
        { ...write(0, 3, 0x77), address },
        { ...write(0, 3), address },
        { address, flags: READ, bytes: [], room: 1 },
      );
      assertEquals(statuses(outcomes), [OK, OK, OK]);
      assertEquals(outcomes[2].data, [0x77]);
      assertEquals(busLog(), ["w2@0x250 w1@0x250 r1@0x250 = 3"]);
      // Not the chip at the 7-bit address 0x50.
      assertEquals(
        statuses(guest.exchange({ ...read(0, 1), address: tenBit(0x050) })),
        [ERR],
      );
      assertEquals(busLog(), ["r1@0x50 = -6"]);
    })));

Deno.test("I2 10-bit addresses are refused at start where the adapter cannot do them", () =>
  configured(tenBitConfig.replace("bus: 0", 'bus: "uml-sim SMBus"'), (file) => {
    const { code, message } = refused(["--config", file]);
    assertEquals(code, 1);
    assertMatch(message, /cannot do 10-bit addresses such as 0x250/);
  }));

Deno.test("I5 on a real bus that cannot do messages without data they are errors without traffic", () =>
  served(["-l", "0:0x50"], (guest) => {
    const outcomes = guest.exchange(write(0x50), read(0x50, 0), read(0x50, 1));
    assertEquals(statuses(outcomes), [ERR, ERR, OK]);
    assertEquals(busLog(), ["r1@0x50 = 1"]);
  }));

Deno.test("I5 a message that is longer than a real adapter can do is an error, explained once", () =>
  served(["-l", "0:0x50"], (guest, { daemon }) => {
    for (let round = 0; round < 3; round++) {
      assertEquals(statuses(guest.exchange(read(0x50, 16), read(0x50, 17))), [OK, ERR]);
    }
    assertEquals(daemon.log.match(/ warn .*EOPNOTSUPP/g)?.length, 1);
  }));

Deno.test("a name that two adapters have is refused, with their numbers", () => {
  const { code, message } = refused(["-l", "uml-sim I2C:0x50"]);
  assertEquals(code, 1);
  assertMatch(message, /^[^\n]*2 I2C adapters are called 'uml-sim I2C'[^\n]*: 0, 1$/);
});
