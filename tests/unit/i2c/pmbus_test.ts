import { assertEquals, assertStrictEquals } from "@std/assert";
import { ADDRESS, OnBus } from "../../support/on_bus.ts";

/** The CRC-8 of SMBus, bit by bit as its specification has it. */
function code(...bytes: number[]): number {
  let value = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const carry = value >> 7 ^ byte >> bit & 1;
      value = (value << 1 & 0xff) ^ (carry ? 0x07 : 0);
    }
  }
  return value;
}

const WRITE = ADDRESS << 1;
const READ = WRITE | 1;

const STATUS_WORD = 0x79;
const STATUS_CML = 0x7e;
const VOUT_COMMAND = 0x21;

/** A word is read with its low byte first. */
function word(chip: OnBus, command: number): number {
  const [low, high] = chip.transaction([[command], 2]) as number[];
  return high * 256 + low;
}

function byte(chip: OnBus, command: number): number {
  return (chip.transaction([[command], 1]) as number[])[0];
}

function linear(word: number): number {
  return (word << 21 >> 21) * 2 ** (word << 16 >> 27);
}

Deno.test("PMBus: what is measured is in the linear formats", () => {
  const chip = new OnBus(
    "pmbus",
    "{ input-voltage: 48.5, output-voltage: 12.25, output-current: 3.125, temperature: -12.5 }",
  );
  assertStrictEquals(byte(chip, 0x20), 0x17);
  assertStrictEquals(word(chip, 0x8b), 12.25 * 512);
  assertEquals([0x88, 0x8c, 0x8d].map((command) => linear(word(chip, command))), [
    ...[48.5, 3.125, -12.5],
  ]);
  assertStrictEquals(Math.abs(linear(word(chip, 0x96)) - 38.28125) < 0.05, true);
  chip.set("output-current", 300);
  assertStrictEquals(linear(word(chip, 0x8c)), 300);
});

Deno.test("PMBus: what is read ends with a packet error code for those who read on", () => {
  assertStrictEquals(code(0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39), 0xf4);
  const chip = new OnBus("pmbus");
  const value = word(chip, 0x8b);
  const bytes = [value & 0xff, value >> 8];
  assertEquals(chip.transaction([[0x8b], 4]), [
    ...[...bytes, code(WRITE, 0x8b, READ, ...bytes), 0xff],
  ]);
  const text = [...new TextEncoder().encode("SIMULATED")];
  assertEquals(chip.transaction([[0x99], 11]), [
    ...[text.length, ...text, code(WRITE, 0x99, READ, text.length, ...text)],
  ]);
});

Deno.test("PMBus: what is written is checked where a packet error code follows", () => {
  const chip = new OnBus("pmbus");
  const volts = (value: number, ...more: number[]) =>
    chip.transaction([[VOUT_COMMAND, value * 512 & 0xff, value * 512 >> 8, ...more]]);
  assertEquals(volts(11), []);
  assertStrictEquals(chip.get("output-voltage"), 11);
  const right = code(WRITE, VOUT_COMMAND, 0x00, 0x14);
  assertEquals(volts(10, right), []);
  assertStrictEquals(chip.get("output-voltage"), 10);
  assertEquals(volts(9, 0x55), "no byte 3");
  assertStrictEquals(chip.get("output-voltage"), 10);
  assertStrictEquals(byte(chip, STATUS_CML), 0x20);
  assertStrictEquals(chip.get("interrupt"), true);
  assertEquals(chip.transaction([[0x03, code(WRITE, 0x03)]]), []);
  assertStrictEquals(byte(chip, STATUS_CML), 0);
  assertEquals(volts(10, right, 0), "no byte 4");
  assertEquals(chip.transaction([[0x03, 0x01]]), "no byte 1");
});

Deno.test("PMBus: there are commands that it does not have, and data that makes no sense", () => {
  const chip = new OnBus("pmbus");
  assertEquals(chip.transaction([[0xd0], 1]), "no byte 0");
  assertStrictEquals(byte(chip, STATUS_CML), 0x80);
  assertStrictEquals(word(chip, STATUS_WORD), 0x0002);
  chip.transaction([[STATUS_CML, 0x80]]);
  assertStrictEquals(byte(chip, STATUS_CML), 0);
  chip.transaction([[0x00, 1]]);
  assertEquals([byte(chip, 0x00), byte(chip, STATUS_CML)], [0, 0x40]);
  chip.transaction([[0x03]]);
  chip.transaction([[0x19, 0]]);
  assertEquals([byte(chip, 0x19), byte(chip, STATUS_CML)], [0xb0, 0x40]);
  // A word that ends after its first byte is nothing.
  chip.transaction([[VOUT_COMMAND, 0]]);
  assertStrictEquals(chip.get("output-voltage"), 12);
});

Deno.test("PMBus: a value beyond a limit stays in the status until it is within, and is cleared", () => {
  const chip = new OnBus("pmbus");
  assertEquals([word(chip, STATUS_WORD), chip.get("interrupt")], [0, false]);
  const cases = [
    ["output-voltage", 14.5, 12, 0x7a, 0x40, 0x8000],
    ["output-voltage", 15.5, 12, 0x7a, 0xc0, 0x8020],
    ["output-voltage", 9.5, 12, 0x7a, 0x20, 0x8000],
    ["output-current", 21, 1, 0x7b, 0x20, 0x4000],
    ["output-current", 26, 1, 0x7b, 0xa0, 0x4010],
    ["input-voltage", 39, 48, 0x7c, 0x20, 0x2000],
    ["input-voltage", 35, 48, 0x7c, 0x30, 0x2008],
    ["input-voltage", 57, 48, 0x7c, 0x40, 0x2000],
    ["temperature", 91, 35, 0x7d, 0x40, 0x0004],
  ] as const;
  for (const [name, beyond, within, status, bits, summary] of cases) {
    chip.set(name, beyond);
    assertEquals([byte(chip, status), word(chip, STATUS_WORD)], [bits, summary], name);
    assertStrictEquals(chip.get("interrupt"), true);
    chip.transaction([[0x03]]);
    assertStrictEquals(byte(chip, status), bits, name);
    chip.set(name, within);
    assertStrictEquals(byte(chip, status), bits, name);
    chip.transaction([[0x03]]);
    assertEquals([byte(chip, status), chip.get("interrupt")], [0, false], name);
  }
  // A limit of 34 °C, in quarters.
  chip.transaction([[0x51, 136, 0xf0]]);
  assertStrictEquals(byte(chip, 0x7d), 0x40);
});

Deno.test("PMBus: an output that is off has neither voltage nor current", () => {
  const chip = new OnBus("pmbus");
  chip.transaction([[0x01, 0x00]]);
  assertStrictEquals(chip.get("on"), false);
  assertEquals([0x8b, 0x8c, 0x96].map((command) => linear(word(chip, command))), [0, 0, 0]);
  assertStrictEquals(word(chip, STATUS_WORD), 0x0840);
  chip.transaction([[0x01, 0x80]]);
  assertStrictEquals(word(chip, 0x8b), 12 * 512);
});

Deno.test("PMBus: what is protected is not changed", () => {
  const chip = new OnBus("pmbus");
  chip.transaction([[0x10, 0x40]]);
  chip.transaction([[VOUT_COMMAND, 0, 0x10]]);
  chip.transaction([[0x01, 0x00]]);
  assertEquals([word(chip, VOUT_COMMAND), chip.get("on")], [12 * 512, false]);
  chip.transaction([[0x10, 0x80]]);
  chip.transaction([[0x01, 0x80]]);
  assertStrictEquals(chip.get("on"), false);
  chip.transaction([[0x10, 0x00]]);
  chip.transaction([[0x01, 0x80]]);
  assertStrictEquals(chip.get("on"), true);
});
