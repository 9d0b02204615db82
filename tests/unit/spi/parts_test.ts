import { assert, assertEquals } from "@std/assert";
import { Timer } from "../../../ffi/timerfd.ts";
import { parseNodePath, pieceSize } from "../../../lib/spi/host/find_nodes.ts";
import { combine } from "../../../lib/spi/host/probe.ts";
import type { Limits } from "../../../lib/spi/protocol.ts";
import { describeFrequency, describeLimits } from "../../../lib/spi/describe.ts";
import { swapWireOrder } from "../../../lib/spi/simulated/wire_order.ts";
import { waitReadable } from "../../support/wait.ts";

const wire = (bytes: number[], size: number, lsbFirst = false) => {
  const swapped = Uint8Array.from(bytes);
  swapWireOrder(swapped, 0, bytes.length, size, lsbFirst);
  return [...swapped];
};

Deno.test("words go over the wire with their high byte first", () => {
  assertEquals(wire([1, 2, 3, 4], 1), [1, 2, 3, 4]);
  assertEquals(wire([1, 2, 3, 4], 2), [2, 1, 4, 3]);
  assertEquals(wire([1, 2, 3, 4], 4), [4, 3, 2, 1]);
});

Deno.test("with the least significant bit first, bytes keep their order and bits do not", () => {
  assertEquals(wire([0x01, 0xc0], 2, true), [0x80, 0x03]);
});

Deno.test("pieces fit spidev's buffers whatever the kernel's alignment", () => {
  assertEquals([4096, 65536, 5000, 128, 100, 1].map(pieceSize), [
    4096,
    65536,
    4992,
    128,
    64,
    1,
  ]);
});

Deno.test("a node's path tells its bus and chip select", () => {
  assertEquals(parseNodePath("/dev/spidev12.3"), { bus: 12, chipSelect: 3 });
  assertEquals(parseNodePath("/dev/spidev12"), undefined);
  assertEquals(parseNodePath("/dev/spidev1.2.3"), undefined);
});

const limits: Limits = {
  chipSelects: 1,
  txNbits: 0b11,
  rxNbits: 0b111,
  bitsPerWordMask: 0x8088,
  modeFunctions: 0x7f,
  maxFrequency: 10_000_000,
  maxWordDelay: 1,
  maxSetup: 1,
  maxHold: 1,
  maxInactive: 1,
};

Deno.test("the nodes of a controller can do what all of them can, each at its own speed", () => {
  const other = { ...limits, txNbits: 0b01, bitsPerWordMask: 0x8080, maxFrequency: 500_000 };
  const both = combine([limits, other]);
  assertEquals(both.chipSelects, 2);
  assertEquals(both.txNbits, 0b01);
  assertEquals(both.bitsPerWordMask, 0x8080);
  assertEquals(both.maxFrequency, 10_000_000);
  assertEquals(both.chipFrequencies, [10_000_000, 500_000]);
});

Deno.test("a node that takes words of any size does not change what the others take", () => {
  assertEquals(combine([limits, { ...limits, bitsPerWordMask: 0 }]).bitsPerWordMask, 0x8088);
});

Deno.test("limits are told in words", () => {
  assertEquals(
    describeLimits({ ...limits, modeFunctions: 0b0100111 }),
    "up to 10 MHz, modes 0-1, lsb-first, words of 4, 8, 16 bits, up to 4 lines out and 8 in",
  );
  assertEquals([500, 1500, 2_500_000].map(describeFrequency), ["500 Hz", "1.5 kHz", "2.5 MHz"]);
});

Deno.test("a timer is readable once its time is up, and after it was cleared no more", () => {
  const timer = new Timer();
  const begin = performance.now();
  timer.arm(5.5);
  assert(waitReadable(timer.fd));
  assert(performance.now() - begin >= 5.5);
  assert(timer.clear());
  assert(!timer.clear());
  timer.arm(0);
  assert(waitReadable(timer.fd));
  timer.close();
});

Deno.test("a timer that was set anew or disarmed has nothing to tell", () => {
  const timer = new Timer();
  timer.arm(0.01);
  assert(waitReadable(timer.fd));
  timer.arm(60_000);
  assert(!timer.clear());
  timer.disarm();
  assert(!waitReadable(timer.fd, 0));
  timer.close();
});
