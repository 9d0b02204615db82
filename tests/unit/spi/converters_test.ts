import { assertEquals } from "@std/assert";
import type { SpiGuest } from "../../support/spi_driver.ts";
import { type Fixture, withGuests } from "./fixture.ts";

const CHIPS = `
- simulated:
    parts:
      - { part: mcp3008, name: adc, reference: 5, ch0: 2.5, ch1: 1, ch5: 5 }
      - { part: mcp3208, name: fine, reference: 4.096, ch0: 3.003 }
      - { part: max31855, name: hot, temperature: 100.75, cold-junction: -10.0625 }
`;

function test(name: string, run: (guest: SpiGuest, fixture: Fixture) => void): void {
  Deno.test(name, withGuests(run, CHIPS));
}

/** As most programs do it: a start bit at the end of the first byte. */
function convert(guest: SpiGuest, choice: number, chipSelect = 0): number {
  const { rx } = guest.exchange([1, choice << 4, 0], { chipSelect });
  return (rx[1] & 3) * 256 + rx[2];
}

test(
  "a converter reads the voltage of a channel in steps of its reference",
  (guest, { things }) => {
    assertEquals([8, 9, 10, 13].map((choice) => convert(guest, choice)), [512, 204, 0, 1023]);
    things.get("adc").set("ch2", 0.01);
    assertEquals(convert(guest, 10), 2);
  },
);

test("the difference of two channels is 0 where it is negative", (guest) => {
  assertEquals([0, 1].map((choice) => convert(guest, choice)), [307, 0]);
});

test("the start bit can be anywhere, after any number of zeros", (guest) => {
  for (let shift = 0; shift < 16; shift++) {
    // Start, single, channel 0; then 2 bits, 10 of the value and 9 the other way round.
    const bits = `${"0".repeat(shift)}11000${"0".repeat(40)}`.slice(0, 48).match(/.{8}/g)!;
    const { rx } = guest.exchange(bits.map((byte) => parseInt(byte, 2)));
    const received = rx.map((byte) => byte.toString(2).padStart(8, "0")).join("").slice(shift);
    assertEquals(received.slice(6, 26), "01000000000000000001", `after ${shift} zeros`);
  }
});

test("a conversion in two transfers is one", (guest) => {
  guest.transfer({}, { tx: [0x60] });
  assertEquals(guest.transfer({}, { rx: 2 }).rx, [0x80, 0x00]);
  // The one before is over: this is another.
  guest.transfer({}, { tx: [0x64] });
  assertEquals(guest.transfer({}, { rx: 2 }).rx.map((byte) => byte & 0xc0), [0, 0]);
});

test("12 bits are four times as fine", (guest) => {
  guest.transfer({ chipSelect: 1 }, { tx: [0x60] });
  const { rx } = guest.transfer({ chipSelect: 1 }, { rx: 2 });
  assertEquals(rx[0] * 16 + (rx[1] >> 4), 3003);
});

/** The 32 bits of the thermocouple. */
function word(guest: SpiGuest): string {
  const { rx } = guest.transfer({ chipSelect: 2 }, { rx: 4 });
  return rx.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

test("a thermocouple reads as two temperatures and what is wrong", (guest, { things }) => {
  const hot = things.get("hot");
  // 403/4 °C and -161/16 °C
  assertEquals(word(guest), "064cf5f0");
  hot.set("temperature", -250.1);
  assertEquals([word(guest), hot.get("temperature")], ["f060f5f0", -250]);
  const faults = ["open", "short-to-ground", "short-to-supply", "none"].map((fault) => {
    hot.set("fault", fault);
    return [word(guest), hot.get("fault")];
  });
  assertEquals(faults, [
    ["f061f5f1", "open"],
    ["f061f5f2", "short-to-ground"],
    ["f061f5f4", "short-to-supply"],
    ["f060f5f0", "none"],
  ]);
});

test("a thermocouple is read from its highest bit on each time it is selected", (guest) => {
  assertEquals(guest.transfer({ chipSelect: 2 }, { rx: 2 }).rx, [0x06, 0x4c]);
  assertEquals(guest.transfer({ chipSelect: 2 }, { rx: 2 }).rx, [0x06, 0x4c]);
});
