import { assertEquals } from "@std/assert";
import { until } from "../../support/wait.ts";
import type { SpiGuest } from "../../support/spi_driver.ts";
import { type Fixture, withGuests } from "./fixture.ts";

const CHIPS = `
- simulated:
    parts:
      - { part: at25, name: eeprom, size: 1024, contents: { 0: [1, 2, 3, 4] } }
      - { part: at25, name: small, size: 512 }
      - { part: at25, name: large, size: 131072, page: 256 }
      - { part: fram, name: fram, size-kib: 128 }
      - { part: at25, name: slow, size: 1024, write-ms: 30 }
      - { part: fram, name: fram2, size-kib: 16 }
`;

const ENABLE = 6;
const DISABLE = 4;

function on(guest: SpiGuest, chipSelect: number) {
  const send = (...tx: number[]) => guest.transfer({ chipSelect }, { tx });
  return {
    send,
    write(...bytes: number[]) {
      send(ENABLE);
      send(...bytes);
    },
    /** What comes back after a command. */
    read(command: readonly number[], length: number) {
      const { rx } = guest.exchange([...command, ...Array(length).fill(0)], { chipSelect });
      return rx.slice(command.length);
    },
    status: () => guest.exchange([5, 0], { chipSelect }).rx[1],
  };
}

function test(name: string, run: (guest: SpiGuest, fixture: Fixture) => void): void {
  Deno.test(name, withGuests(run, CHIPS));
}

test("an EEPROM reads on, and begins again after its last byte", (guest) => {
  const chip = on(guest, 0);
  assertEquals(chip.read([3, 0, 1], 3), [2, 3, 4]);
  assertEquals(chip.read([3, 3, 0xfe], 4), [0xff, 0xff, 1, 2]);
});

test("an EEPROM writes only once that was enabled, and each time anew", (guest) => {
  const chip = on(guest, 0);
  chip.send(2, 0, 0, 9);
  assertEquals(chip.status(), 0);
  chip.send(ENABLE);
  assertEquals(chip.status(), 2);
  chip.send(DISABLE);
  chip.send(2, 0, 0, 9);
  assertEquals(chip.read([3, 0, 0], 1), [1]);
  chip.write(2, 0, 0, 9);
  assertEquals(chip.status(), 0);
  chip.send(2, 0, 0, 10);
  assertEquals(chip.read([3, 0, 0], 1), [9]);
});

test(
  "an EEPROM writes within a page; of more than that, the last bytes stay",
  (guest, { things }) => {
    const chip = on(guest, 0);
    chip.write(2, 0, 30, 7, 8, 9);
    assertEquals(chip.read([3, 0, 30], 4), [7, 8, 0xff, 0xff]);
    assertEquals(chip.read([3, 0, 0], 2), [9, 2]);
    chip.write(2, 0, 64, ...Array.from({ length: 40 }, (_, index) => index));
    const page = [...things.get("eeprom").read("contents", 64, 33)];
    assertEquals(page.slice(0, 9), [32, 33, 34, 35, 36, 37, 38, 39, 8]);
    assertEquals(page.slice(31), [31, 0xff]);
  },
);

test("a command in several transfers is one, as long as something is missing", (guest) => {
  const chip = on(guest, 0);
  chip.send(ENABLE);
  chip.send(2);
  chip.send(0, 100);
  chip.send(42);
  chip.send(3);
  chip.send(0, 100);
  assertEquals(guest.transfer({}, { rx: 2 }).rx, [42, 0xff]);
  // A write without data is none, and writing stays enabled.
  chip.send(ENABLE);
  guest.transfer({ csChange: 1 }, { tx: [2, 0, 5] });
  assertEquals(chip.status(), 2);
});

test("the upper quarter, the upper half or all can be protected", (guest) => {
  const chip = on(guest, 0);
  const isWritten = (address: number) => {
    const bytes = [address >> 8, address & 0xff];
    const [before] = chip.read([3, ...bytes], 1);
    chip.write(2, ...bytes, before ^ 0xff);
    return chip.read([3, ...bytes], 1)[0] !== before;
  };
  const levels = [0, 4, 8, 12].map((level) => {
    chip.write(1, level | 0x40);
    assertEquals(chip.status(), level);
    return [0, 511, 512, 767, 768].map(isWritten);
  });
  assertEquals(levels, [
    [true, true, true, true, true],
    [true, true, true, true, false],
    [true, true, false, false, false],
    [false, false, false, false, false],
  ]);
});

test("512 bytes have the ninth bit of their address in the command", (guest) => {
  const chip = on(guest, 1);
  chip.write(0x0a, 7, 1);
  chip.write(2, 7, 2);
  assertEquals([chip.read([0x0b, 7], 1), chip.read([3, 7], 1)], [[1], [2]]);
});

test("more than 64 KiB have addresses of three bytes", (guest) => {
  const chip = on(guest, 2);
  chip.write(2, 1, 0, 9, 5);
  assertEquals([chip.read([3, 1, 0, 9], 1), chip.read([3, 0, 0, 9], 1)], [[5], [0xff]]);
});

test("an EEPROM that writes answers nothing but its status", (guest) => {
  const chip = on(guest, 4);
  chip.write(2, 0, 0, 5);
  assertEquals(chip.status() & 1, 1);
  assertEquals(chip.read([3, 0, 0], 1), [0xff]);
  chip.send(ENABLE);
  until("it has written", () => (chip.status() & 1) === 0);
  assertEquals([chip.status(), ...chip.read([3, 0, 0], 1)], [0, 5]);
});

test("FRAM knows no pages, and has an id and a serial number with its checksum", (guest) => {
  const chip = on(guest, 3);
  const data = Array.from({ length: 300 }, (_, index) => index % 251);
  chip.write(2, 1, 0xff, 0x80, ...data);
  assertEquals(chip.read([3, 1, 0xff, 0x80], 300), data);
  assertEquals(chip.read([3, 0, 0, 0], 1), [128]);
  assertEquals(chip.read([0x9f], 9).slice(6), [0xc2, 0x24, 0]);
  assertEquals(chip.read([0xc3], 8), [0, 0, 0, 0, 0, 0, 1, 7]);
  assertEquals(on(guest, 5).read([0x9f], 9).slice(6), [0xc2, 0x21, 0]);
  // An EEPROM has neither.
  assertEquals(on(guest, 0).read([0x9f], 2), [0xff, 0xff]);
});

test("what the guest enables and writes is told", (guest, { things }) => {
  const chip = on(guest, 3);
  chip.send(ENABLE);
  assertEquals(things.get("fram").get("status"), 2);
  chip.send(2, 0, 0, 0, 1, 2, 3);
  assertEquals(things.get("fram").get("status"), 0);
  assertEquals([...things.get("fram").read("contents", 0, 3)], [1, 2, 3]);
});

test("in a mode that they do not take, memories understand nothing", (guest, { log }) => {
  assertEquals(guest.exchange([3, 0, 0, 0], { mode: 1 }).rx, [0xff, 0xff, 0xff, 0xff]);
  assertEquals(log.of("warn").map((text) => /takes mode 0 or 3, .*mode 1/.test(text)), [true]);
});
