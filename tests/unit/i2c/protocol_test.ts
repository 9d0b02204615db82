import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  addressBits,
  addressText,
  decodeAddress,
  isReserved,
  isTenBit,
  TEN_BIT,
} from "../../../lib/i2c/protocol.ts";

Deno.test("I2 every 7-bit address is decoded from bits 7 to 1", () => {
  for (let address = 0; address < 128; address++) {
    assertStrictEquals(decodeAddress(address << 1), address);
    assertEquals(decodeAddress(address << 1 | 1), -1);
  }
});

Deno.test("I2 every 10-bit address that does not look like a 7-bit one is decoded", () => {
  for (let address = 0; address < 1024; address++) {
    if ((address & 0xff) === 0) continue;
    const field = (address & 0xff) << 8 | 0b11110_000 | (address >> 8) << 1;
    assertStrictEquals(decodeAddress(field), TEN_BIT + address);
    assertStrictEquals(addressBits(TEN_BIT + address), address);
    assert(isTenBit(TEN_BIT + address));
  }
});

Deno.test("I2 fields of neither form are refused", () => {
  for (const field of [0x0100, 0x01a0, 0xa0a0, 0xfff8, 0x01f1, 0x80e0]) {
    assertEquals(decodeAddress(field), -1);
  }
});

Deno.test("addresses 0 to 2 and above 0x77 are reserved, 10-bit ones are not", () => {
  const reserved = Array.from({ length: 128 }, (_, address) => address).filter(isReserved);
  assertEquals(reserved, [0, 1, 2, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f]);
  assertEquals(isReserved(TEN_BIT + 1), false);
});

Deno.test("addresses are shown in hexadecimal, and 10-bit ones as such", () => {
  assertEquals(addressText(5), "0x05");
  assertEquals(addressText(TEN_BIT + 0x50), "0x050 (10-bit)");
});
