/**
 * The daemon on top of real spidev nodes, with a bus that can do less in one place and more in another.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { SPI_CPOL, SPI_CS_HIGH } from "../../../ffi/spidev.ts";
import { RESULT } from "../../support/spi_driver.ts";
import { busLog, config, NODE, served } from "./hardware.ts";

Deno.test("S1 word sizes, modes and data lines are those of the controller", () =>
  served(NODE, (guest) => {
    const { txNbits, rxNbits, bitsPerWord, modes } = config(guest);
    assertEquals([txNbits, rxNbits], [0b011, 0b001]);
    assertEquals(bitsPerWord, 0x8080);
    assertEquals(modes, 0b0000111);
  }));

Deno.test("S2 what the controller cannot do is refused, and not tried", () =>
  served(NODE, (guest) => {
    const heads = [
      { bitsPerWord: 32 },
      { mode: SPI_CPOL },
      { mode: SPI_CS_HIGH },
      { txNbits: 8 },
      { rxNbits: 4 },
      { frequency: 10_000_001 },
    ];
    for (const head of heads) {
      assertStrictEquals(guest.exchange([1, 2, 3, 4], head).result, RESULT.PARAM_ERR);
    }
    assertEquals(busLog(), []);
  }));

Deno.test("transfers over several data lines go out as such, within one message, too", () =>
  served(NODE, (guest) => {
    assertStrictEquals(guest.transfer({ txNbits: 4 }, { tx: [1] }).result, RESULT.OK);
    assertStrictEquals(guest.transfer({ rxNbits: 2 }, { rx: 1 }).result, RESULT.OK);
    const log = busLog();
    const nbits = log.map((line) => /nbits (\S+)/.exec(line)?.[1]).filter(Boolean);
    assertEquals(nbits, ["4/0", "0/2"]);
    // The first is that of setting the mode.
    const selected = log.filter((line) => line.startsWith("cs"));
    assertEquals(selected, ["cs 0 off", "cs 0 on", "cs 0 off"]);
  }));
