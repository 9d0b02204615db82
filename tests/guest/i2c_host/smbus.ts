/**
 * The daemon on adapters that know nothing but SMBus: the one of uml_sim.c, which writes down what
 * it is asked for, and i2c-stub.
 *
 * @module
 */

import { assertEquals, assertNotMatch, assertStrictEquals } from "@std/assert";
import { ERR, type Message, OK, read, write } from "../../support/i2c_driver.ts";
import { busLog, served, statuses } from "./hardware.ts";

/** Tests that an adapter is asked for this where a guest sends messages as one group. */
function asks(name: string, messages: Message[], expected: string): void {
  Deno.test(`I7 ${name}`, () =>
    served(["-l", "uml-sim SMBus:0x50"], (guest) => {
      assertEquals(statuses(guest.transfer(...messages)), messages.map(() => OK));
      assertEquals(busLog("smbus0"), [expected]);
    }));
}

const bytes = (length: number) => Array.from({ length }, (_, index) => 0xa0 + index);

asks("w0 is a quick write", [write(0x50)], "w quick@0x50 command 0x00 = 0");
asks("r0 is a quick read", [read(0x50, 0)], "r quick@0x50 command 0x00 = 0");
asks("w1 is send byte", [write(0x50, 7)], "w byte@0x50 command 0x07 = 0");
asks("r1 is receive byte", [read(0x50, 1)], "r byte@0x50 command 0x00 = 0");
asks("w2 is write byte data", [write(0x50, 7, 1)], "w byte-data@0x50 command 0x07 = 0");
asks(
  "w1 r1 is read byte data",
  [write(0x50, 7), read(0x50, 1)],
  "r byte-data@0x50 command 0x07 = 0",
);
asks("w3 is write word data", [write(0x50, 7, 1, 2)], "w word-data@0x50 command 0x07 = 0");
asks(
  "w1 r2 is read word data",
  [write(0x50, 7), read(0x50, 2)],
  "r word-data@0x50 command 0x07 = 0",
);
asks(
  "w3 r2 is a process call",
  [write(0x50, 7, 1, 2), read(0x50, 2)],
  "w proc-call@0x50 command 0x07 = 0",
);
asks(
  "a write that says how long it is is a block write",
  [write(0x50, 7, 32, ...bytes(32))],
  "w block-data@0x50 command 0x07 = 0",
);
asks(
  "any other write of up to 33 bytes is an I2C block write",
  [write(0x50, 7, ...bytes(32))],
  "w i2c-block-data@0x50 command 0x07 = 0",
);
asks(
  "w1 r3 to r32 is an I2C block read",
  [write(0x50, 7), read(0x50, 32)],
  "r i2c-block-data@0x50 command 0x07 = 0",
);
asks(
  "w1 r33 is a block read",
  [write(0x50, 7), read(0x50, 33)],
  "r block-data@0x50 command 0x07 = 0",
);
asks(
  "a block write with a read is a block process call",
  [write(0x50, 7, 3, 1, 2, 3), read(0x50, 4)],
  "w block-proc-call@0x50 command 0x07 = 0",
);
Deno.test("I7 bytes, words and blocks arrive as they were sent", () =>
  served(["-l", "uml-sim SMBus:0x50"], (guest) => {
    assertStrictEquals(guest.write(0x50, 0x10, 0x5a), OK);
    assertEquals(guest.writeRead(0x50, [0x10], 1), [0x5a]);
    assertStrictEquals(guest.write(0x50, 0x20, 0x34, 0x12), OK);
    assertEquals(guest.writeRead(0x50, [0x20], 2), [0x34, 0x12]);
    assertStrictEquals(guest.write(0x50, 0x30, ...bytes(5)), OK);
    assertEquals(guest.writeRead(0x50, [0x30], 5), bytes(5));
    assertStrictEquals(guest.write(0x50, 0x40, 4, 9, 8, 7, 6), OK);
    const padding = new Array(28).fill(0xff);
    assertEquals(guest.writeRead(0x50, [0x40], 33), [4, 9, 8, 7, 6, ...padding]);
    assertEquals(guest.writeRead(0x50, [0, 0x0f, 0xf0], 2), [0xf0, 0x0f]);
    assertEquals(guest.writeRead(0x50, [0, 3, 1, 2, 3], 4), [3, 3, 2, 1]);
  }));

Deno.test("I7 what SMBus cannot express is an error without bus traffic", () =>
  served(["-l", "uml-sim SMBus:0x50"], (guest) => {
    const impossible = [
      [read(0x50, 2)],
      [write(0x50, ...bytes(35))],
      [write(0x50, 1), read(0x50, 34)],
      [write(0x50, 1), read(0x50, 0)],
      [write(0x50, 1), write(0x50, 2)],
      [read(0x50, 1), read(0x50, 1)],
      [write(0x50, 1, 2), read(0x50, 1)],
      [write(0x50, 1), read(0x50, 1), read(0x50, 1)],
    ];
    for (const messages of impossible) {
      assertEquals(statuses(guest.transfer(...messages)), messages.map(() => ERR));
    }
    assertEquals(busLog("smbus0"), []);
  }));

Deno.test("I7 a NAK on an SMBus-only adapter is an error, and the next transaction is served", () =>
  served(["-l", "uml-sim SMBus:0x50:0x33"], (guest, { daemon }) => {
    assertEquals(statuses(guest.transfer(write(0x33, 1), read(0x33, 1))), [ERR, ERR]);
    assertEquals(statuses(guest.exchange(write(0x50, 1))), [OK]);
    assertNotMatch(daemon.log, /warn|error/);
  }));

Deno.test("I8 guests that share an SMBus-only adapter never mix addresses and transfers", () =>
  served(["-l", "SMBus stub driver:0x50:0x51"], (_guest, { guests }) => {
    for (let round = 0; round < 300; round++) {
      const pending = guests.map((guest, index) =>
        guest.offer([write(0x50 + (index + round) % 2, 4 + index, round & 0xff)])
      );
      guests.forEach((guest, index) => {
        assertEquals(statuses(guest.collect(pending[index])), [OK]);
      });
      guests.forEach((guest, index) => {
        const got = guest.writeRead(0x50 + (index + round) % 2, [4 + index], 1);
        assertEquals(got, [round & 0xff]);
      });
    }
  }, 2));

Deno.test("i2c-stub serves bytes, words and I2C blocks", () =>
  served(["-l", "SMBus stub driver:0x50:0x51"], (guest) => {
    assertStrictEquals(guest.write(0x50, 0x10, 0x5a), OK);
    assertEquals(guest.writeRead(0x50, [0x10], 1), [0x5a]);
    assertEquals(guest.writeRead(0x51, [0x10], 1), [0]);
    assertStrictEquals(guest.write(0x50, 0x20, 0x34, 0x12), OK);
    assertEquals(guest.writeRead(0x50, [0x20], 2), [0x34, 0x12]);
    assertStrictEquals(guest.write(0x51, 0x30, ...bytes(32)), OK);
    assertEquals(guest.writeRead(0x51, [0x30], 32), bytes(32));
    assertEquals(statuses(guest.exchange(write(0x51), read(0x51, 1))), [OK, OK]);
  }));

Deno.test("a block is sent as an I2C block where the adapter can do nothing else", () =>
  served(["-l", "SMBus stub driver:0x50:0x51"], (guest) => {
    assertStrictEquals(guest.write(0x50, 0x40, 3, 7, 8, 9), OK);
    assertEquals(guest.writeRead(0x50, [0x40], 4), [3, 7, 8, 9]);
    const outcomes = guest.transfer(write(0x50, 0x40), read(0x50, 33));
    assertEquals(statuses(outcomes), [ERR, ERR]);
  }));
