import { assert, assertEquals } from "@std/assert";
import { monotonicTime } from "../../../ffi/clock.ts";
import {
  ACTIVITY,
  AXES,
  DATA_READY,
  DOUBLE_TAP,
  FIFO_COUNT,
  FREE_FALL,
  INACTIVITY,
  LATCHED,
  OVERRUN,
  SINGLE_TAP,
  STATE_SIZE,
  WATERMARK,
} from "../../../lib/spi/simulated/adxl345/registers.ts";
import {
  advance,
  nextInterrupt,
  offerSample,
  restart,
  sources,
  takeSample,
} from "../../../lib/spi/simulated/adxl345/sampling.ts";
import { detectTaps } from "../../../lib/spi/simulated/adxl345/taps.ts";
import type { SpiGuest } from "../../support/spi_driver.ts";
import { until } from "../../support/wait.ts";
import { type Fixture, withGuests } from "./fixture.ts";

/** Registers by their numbers. */
const R = {
  tap: 0x1d,
  offset: 0x1e,
  tapDuration: 0x21,
  tapLatency: 0x22,
  tapWindow: 0x23,
  activity: 0x24,
  inactivity: 0x25,
  inactivityTime: 0x26,
  control: 0x27,
  fall: 0x28,
  fallTime: 0x29,
  tapAxes: 0x2a,
  status: 0x2b,
  rate: 0x2c,
  power: 0x2d,
  enable: 0x2e,
  map: 0x2f,
  format: 0x31,
  fifo: 0x38,
} as const;

/** A state that measures 100 times a second, from the time 0 on. */
function measuring(registers: Partial<Record<keyof typeof R, number>> = {}) {
  const state = new DataView(new ArrayBuffer(STATE_SIZE));
  const all = { rate: 0x0a, format: 0x08, power: 0x08, ...registers };
  for (const [name, value] of Object.entries(all)) state.setUint8(R[name as keyof typeof R], value);
  restart(state, 0);
  return state;
}

function set(state: DataView, ...values: number[]): void {
  values.forEach((value, axis) => state.setFloat64(AXES + 8 * axis, value));
}

/** The sample that is read next. */
function read(state: DataView): number[] {
  offerSample(state);
  const at = FIFO_COUNT + 3;
  const sample = [0, 2, 4].map((offset) => state.getInt16(at + offset, true));
  takeSample(state);
  return sample;
}

Deno.test("samples come at the rate, and a second one before the first was read is an overrun", () => {
  const state = measuring({ enable: DATA_READY | OVERRUN });
  set(state, 0.5, -1, 1);
  advance(state, 9.9);
  assertEquals([sources(state), nextInterrupt(state)], [WATERMARK, 10]);
  advance(state, 10);
  assertEquals(sources(state), WATERMARK | DATA_READY);
  assertEquals(nextInterrupt(state), 20);
  advance(state, 25);
  assertEquals(sources(state), WATERMARK | DATA_READY | OVERRUN);
  assertEquals(nextInterrupt(state), Infinity);
  assertEquals(read(state), [128, -256, 256]);
  assertEquals(sources(state), WATERMARK);
  assertEquals(nextInterrupt(state), 30);
});

Deno.test("a sample has the resolution, the range, the place and the offset that were chosen", () => {
  const sample = (format: number, x: number, offset = 0) => {
    const state = measuring({ format, offset });
    set(state, x);
    advance(state, 10);
    return read(state)[0];
  };
  // 2 g in full resolution; 16 g likewise; 4 g and 16 g in 10 bits; 10 and 13 bits to the left.
  assertEquals([sample(0x08, 1.5), sample(0x08, 3), sample(0x08, -3)], [384, 511, -512]);
  assertEquals([sample(0x0b, 15), sample(0x0b, -20)], [3840, -4096]);
  assertEquals([sample(0x01, 1), sample(0x03, 1), sample(0x03, 20)], [128, 32, 511]);
  assertEquals([sample(0x04, 1), sample(0x0f, 1)], [256 * 64, 256 * 8]);
  assertEquals([sample(0x08, 1, 64), sample(0x08, 0, 0xff)], [511, -4]);
});

Deno.test("the FIFO keeps the first samples, or the last ones, and says when it has enough", () => {
  for (const [mode, first] of [[1, 1], [2, 4]] as const) {
    const state = measuring({ fifo: mode << 6 | 10, enable: WATERMARK | OVERRUN });
    assertEquals([sources(state), nextInterrupt(state)], [0, 100]);
    for (let count = 1; count <= 35; count++) {
      set(state, count / 256);
      advance(state, 10 * count);
      const expected = (count >= 10 ? WATERMARK : 0) | (count > 32 ? OVERRUN : 0);
      assertEquals(sources(state) & (WATERMARK | OVERRUN), expected, `${count}`);
    }
    assertEquals(state.getUint8(FIFO_COUNT), 32);
    const samples = Array.from({ length: 32 }, () => read(state)[0]);
    assertEquals(samples, Array.from({ length: 32 }, (_, index) => first + index));
    assertEquals(sources(state), 0);
  }
});

Deno.test("a FIFO that nobody has looked at for long is full of what was last", () => {
  const state = measuring({ fifo: 0x80 });
  set(state, 1);
  advance(state, 1e9);
  assertEquals(state.getUint8(FIFO_COUNT), 32);
  assertEquals(read(state)[0], 256);
});

Deno.test("activity is beyond the threshold, on the axes that take part", () => {
  const state = measuring({ activity: 16, control: 0x60, enable: ACTIVITY });
  set(state, 0, 1, 5);
  advance(state, 10);
  assertEquals([state.getUint8(LATCHED), nextInterrupt(state)], [0, Infinity]);
  set(state, 0, -1.01, 0);
  assertEquals(nextInterrupt(state), 20);
  advance(state, 20);
  assertEquals([state.getUint8(LATCHED), state.getUint8(R.status)], [ACTIVITY, 0x20]);
  state.setUint8(LATCHED, 0);
  assertEquals(nextInterrupt(state), 30);
});

Deno.test("relative activity is a change since it began", () => {
  const state = measuring({ activity: 16, control: 0xf0, enable: ACTIVITY });
  set(state, 1.5, 0, -1.5);
  advance(state, 10);
  set(state, 0.4, 0, -1.5);
  advance(state, 20);
  assertEquals([state.getUint8(LATCHED), state.getUint8(R.status)], [ACTIVITY, 0x40]);
});

Deno.test("inactivity is below the threshold on all axes for a time", () => {
  const state = measuring({
    inactivity: 8,
    inactivityTime: 2,
    control: 0x07,
    enable: INACTIVITY,
  });
  set(state, 0, 0, 0.5);
  advance(state, 1000);
  set(state, 0, 0, 0.4);
  advance(state, 1010);
  assertEquals(nextInterrupt(state), 3010);
  advance(state, 3000);
  assertEquals(state.getUint8(LATCHED), 0);
  advance(state, 3010);
  assertEquals(state.getUint8(LATCHED), INACTIVITY);
});

Deno.test("relative inactivity is rest wherever it came to rest", () => {
  const state = measuring({ inactivity: 8, inactivityTime: 1, control: 0x0f, enable: INACTIVITY });
  set(state, 0, 0, 1);
  advance(state, 10);
  set(state, 1, 0, 0);
  advance(state, 20);
  advance(state, 1030);
  assertEquals(state.getUint8(LATCHED), INACTIVITY);
});

Deno.test("activity and inactivity can take turns", () => {
  const state = measuring({
    activity: 16,
    inactivity: 8,
    inactivityTime: 1,
    control: 0x77,
    power: 0x28,
    enable: ACTIVITY | INACTIVITY,
  });
  const latched = (now: number, x: number) => {
    set(state, x);
    advance(state, now);
    const found = state.getUint8(LATCHED);
    state.setUint8(LATCHED, 0);
    return found;
  };
  assertEquals(latched(10, 2), 0);
  assertEquals(latched(500, 0), 0);
  assertEquals(latched(1600, 0), INACTIVITY);
  assertEquals(latched(9000, 0), 0);
  assertEquals(latched(9010, 2), ACTIVITY);
  assertEquals(latched(9020, 2), 0);
});

Deno.test("free fall is little on all axes for a short time", () => {
  const state = measuring({ fall: 8, fallTime: 20, enable: FREE_FALL });
  set(state, 0, 0, 1);
  advance(state, 50);
  set(state, 0, 0.2, 0);
  advance(state, 60);
  assertEquals(nextInterrupt(state), 160);
  advance(state, 160);
  assertEquals(state.getUint8(LATCHED), FREE_FALL);
});

/** Shocks along x or y, from one time to another; returns which taps came of each. */
function shocks(state: DataView, ...times: [from: number, to: number, axis?: number][]): number[] {
  return times.map(([from, to, axis = 0]) => {
    const shock = [0, 0, 0];
    shock[axis] = -1.5;
    set(state, ...shock);
    detectTaps(state, from);
    set(state, 0, 0, 0);
    detectTaps(state, to);
    const found = state.getUint8(LATCHED);
    state.setUint8(LATCHED, 0);
    return found;
  });
}

// 1 g for up to 20 ms; 50 ms until the second, which has 100 ms to come.
const TAPS = { tap: 16, tapDuration: 32, tapLatency: 40, tapWindow: 80, tapAxes: 0x04 } as const;

Deno.test("a shock that is soon over is a tap, on the axes that take part", () => {
  const state = measuring(TAPS);
  assertEquals(shocks(state, [0, 20], [500, 521], [1000, 1005, 1]), [SINGLE_TAP, 0, 0]);
  assertEquals(state.getUint8(R.status), 0x04);
  state.setUint8(R.tapAxes, 0x02);
  assertEquals(shocks(state, [2000, 2005, 1]), [SINGLE_TAP]);
  assertEquals(state.getUint8(R.status), 0x02);
  state.setUint8(R.tap, 24);
  state.setUint8(R.tapDuration, 32);
  assertEquals(shocks(state, [3000, 3005, 1]), [0]);
  state.setUint8(R.tap, 16);
  state.setUint8(R.tapDuration, 0);
  assertEquals(shocks(state, [4000, 4000, 1]), [0]);
});

Deno.test("two taps in a row are a double one, not sooner and not later than they may be", () => {
  const both = SINGLE_TAP | DOUBLE_TAP;
  const second = (from: number) => shocks(measuring(TAPS), [0, 10], [from, from + 5])[1];
  assertEquals([59, 60, 160, 161].map(second), [SINGLE_TAP, both, both, SINGLE_TAP]);
  // A third one begins anew.
  assertEquals(shocks(measuring(TAPS), [0, 10], [70, 75], [130, 135]), [
    SINGLE_TAP,
    both,
    SINGLE_TAP,
  ]);
});

Deno.test("a shock between two taps can make them none", () => {
  const third = (tapAxes: number) =>
    shocks(measuring({ ...TAPS, tapAxes }), [0, 10], [30, 55], [100, 105])[2];
  assertEquals([third(0x04), third(0x0c)], [SINGLE_TAP | DOUBLE_TAP, SINGLE_TAP]);
  const second = shocks(measuring({ ...TAPS, tapAxes: 0x0c }), [0, 10], [70, 75])[1];
  assertEquals(second, SINGLE_TAP | DOUBLE_TAP);
});

Deno.test("one that does not measure takes no samples, and keeps those it has", () => {
  const state = measuring({ fifo: 0x80, enable: DATA_READY });
  advance(state, 30);
  state.setUint8(R.power, 0);
  advance(state, 1000);
  assertEquals([state.getUint8(FIFO_COUNT), nextInterrupt(state)], [3, Infinity]);
});

const CHIPS = "[{ simulated: { parts: [{ part: adxl345, name: accel, x: 0.25, z: -1 }] } }]";
const MODE = { mode: 3 };

function test(name: string, run: (guest: SpiGuest, fixture: Fixture) => void): void {
  Deno.test(name, withGuests(run, CHIPS));
}

function register(guest: SpiGuest, number: number): number {
  return guest.exchange([0x80 | number, 0], MODE).rx[1];
}

function write(guest: SpiGuest, number: number, value: number): void {
  guest.transfer(MODE, { tx: [number, value] });
}

test("registers are read and written one by one, or in a row", (guest) => {
  assertEquals([register(guest, 0), register(guest, R.rate)], [0xe5, 0x0a]);
  write(guest, 0, 1);
  write(guest, R.activity, 5);
  guest.transfer(MODE, { tx: [0x40 | R.inactivity, 6, 7] });
  assertEquals(guest.exchange([0xc0 | R.activity, 0, 0, 0], MODE).rx.slice(1), [5, 6, 7]);
  assertEquals(guest.exchange([0x80 | R.activity, 0, 0], MODE).rx.slice(1), [5, 5]);
  assertEquals(register(guest, 0), 0xe5);
  guest.transfer(MODE, { tx: [0x80 | R.activity] });
  assertEquals(guest.transfer(MODE, { rx: 1 }).rx, [5]);
});

test("a guest that has it measure is called at the pin it has chosen", (guest, { things }) => {
  const accel = things.get("accel");
  const pins = () => [accel.get("interrupt"), accel.get("interrupt-2")];
  write(guest, R.format, 0x08);
  write(guest, R.rate, 0x0f);
  write(guest, R.power, 0x08);
  until("a sample", () => (register(guest, 0x30) & DATA_READY) !== 0);
  assertEquals(pins(), [false, false]);
  write(guest, R.enable, DATA_READY);
  until("the first pin calls", () => accel.get("interrupt") === true);
  write(guest, R.map, DATA_READY);
  assertEquals(pins(), [false, true]);
  const { rx } = guest.exchange([0xf2, 0, 0, 0, 0, 0, 0], MODE);
  assertEquals(rx.slice(1), [64, 0, 0, 0, 0, 0xff]);
  assertEquals([accel.get("measuring"), accel.get("rate"), accel.get("range")], [true, 3200, 2]);
  write(guest, R.power, 0);
  assertEquals(accel.get("measuring"), false);
});

test("what is set from outside is in the samples from then on, not before", (guest, { things }) => {
  write(guest, R.format, 0x08);
  write(guest, R.fifo, 0x80);
  write(guest, R.rate, 0x0d);
  write(guest, R.power, 0x08);
  until("two samples", () => register(guest, 0x39) >= 2);
  things.get("accel").set("x", 1);
  const before = register(guest, 0x39);
  const end = monotonicTime() + 10;
  while (monotonicTime() < end);
  write(guest, R.power, 0);
  const samples = Array.from(
    { length: register(guest, 0x39) },
    () => guest.exchange([0xf2, 0, 0], MODE).rx.slice(1),
  );
  assert(before < samples.length || before === 32, `${before} ${samples.length}`);
  assertEquals(samples.at(-1), [0, 1]);
  if (samples.length < 32) assertEquals(samples[0], [64, 0]);
});
