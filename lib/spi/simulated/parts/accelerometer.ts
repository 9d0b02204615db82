/**
 * An accelerometer after Analog Devices' ADXL345, over four wires.
 *
 * The first byte is the number of a register, with bit 7 set to read, and bit 6 to go on to the
 * next register after each byte. What it measures is set from outside, in g; it takes samples at
 * its rate, keeps up to 32 of them in a FIFO, and calls at either pin for data, a watermark, an
 * overrun, activity, inactivity (also in turns), free fall, and single and double taps.
 *
 * Not modelled: sleep and its automatic kind, low power and its noise, self-test, the mode of
 * the FIFO that a trigger starts (it takes samples as the stream does), and three wires.
 *
 * State: see `../adxl345/registers.ts`.
 *
 * @module
 */

import { monotonicTime } from "../../../../ffi/clock.ts";
import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import {
  AXES,
  BYPASS,
  CURRENT,
  DATA,
  DATA_SIZE,
  DEVICE_ID,
  FIFO_CONTROL,
  FIFO_COUNT,
  FIFO_STATUS,
  FORMAT,
  ID,
  INTERRUPT_ENABLE,
  INTERRUPT_MAP,
  INTERRUPT_SOURCE,
  INVERT,
  isWritable,
  LATCHED,
  MEASURE,
  POWER,
  RATE,
  REGISTERS,
  STATE_SIZE,
} from "../adxl345/registers.ts";
import {
  advance,
  emptyFifo,
  isMeasuring,
  nextInterrupt,
  offerSample,
  rangeOf,
  rateOf,
  restart,
  sources,
  takeSample,
} from "../adxl345/sampling.ts";
import { detectTaps } from "../adxl345/taps.ts";
import type { SpiPart, SpiPartModel } from "../part.ts";

const READ = 0x80;
const MULTIPLE = 0x40;

/** The rate when the power comes on: 100 Hz. */
const USUAL_RATE = 0x0a;

const acceleration = {
  type: "number",
  set: "both",
  what: "an acceleration",
  from: -32,
  to: 32,
  unit: "g",
} as const;

const pin = { type: "boolean", set: "never", interrupt: "active-high" } as const;

const properties = {
  x: { ...acceleration, default: 0, help: "the acceleration along its x axis" },
  y: { ...acceleration, default: 0, help: "the acceleration along its y axis" },
  z: { ...acceleration, default: 1, help: "the acceleration along its z axis" },
  measuring: { type: "boolean", set: "never", help: "whether the guest lets it measure" },
  rate: {
    type: "number",
    set: "never",
    from: 0,
    to: 3200,
    unit: "Hz",
    help: "how often it measures",
  },
  range: {
    type: "integer",
    set: "never",
    from: 2,
    to: 16,
    unit: "g",
    help: "what it measures, both ways",
  },
  interrupt: { ...pin, help: "whether it calls at its pin INT1" },
  "interrupt-2": { ...pin, help: "whether it calls at its pin INT2" },
} as const satisfies Properties;

/** Interrupts that are enabled and that there is a reason for, at one pin. */
function calls(state: DataView, second: boolean): boolean {
  advance(state, monotonicTime());
  const map = state.getUint8(INTERRUPT_MAP);
  const mine = second ? map : ~map;
  return (sources(state) & state.getUint8(INTERRUPT_ENABLE) & mine) !== 0;
}

class Accelerometer implements SpiPart {
  readonly #context: PartContext<typeof properties>;
  readonly #state: DataView;
  #count = 0;
  #reading = false;
  #step = 0;
  #register = 0;
  /** Data registers were read. */
  #sampleRead = false;

  constructor(context: PartContext<typeof properties>) {
    this.#context = context;
    this.#state = context.state;
  }

  /** True while nothing of a register was read or written. */
  get expectsMore(): boolean {
    return this.#count === 1;
  }

  exchange(sent: number): number {
    if (this.#count++ === 0) {
      advance(this.#state, monotonicTime());
      this.#reading = (sent & READ) !== 0;
      this.#step = sent & MULTIPLE ? 1 : 0;
      this.#register = sent % REGISTERS;
      if (this.#reading) offerSample(this.#state);
      return 0xff;
    }
    const register = this.#register;
    this.#register = (register + this.#step) % REGISTERS;
    if (this.#reading) return this.#read(register);
    if (isWritable(register)) this.#write(register, sent);
    return 0xff;
  }

  deselect(): void {
    this.#count = 0;
    if (!this.#sampleRead) return;
    this.#sampleRead = false;
    takeSample(this.#state);
  }

  #read(register: number): number {
    const state = this.#state;
    if (register >= DATA && register < DATA + DATA_SIZE) {
      this.#sampleRead = true;
      return state.getUint8(CURRENT + register - DATA);
    }
    if (register === FIFO_STATUS) return state.getUint8(FIFO_COUNT);
    if (register === INTERRUPT_SOURCE) {
      const found = sources(state);
      state.setUint8(LATCHED, 0);
      return found;
    }
    return state.getUint8(register);
  }

  #write(register: number, value: number): void {
    const state = this.#state;
    const { changes } = this.#context;
    const before = state.getUint8(register);
    state.setUint8(register, value);
    switch (register) {
      case POWER:
        if ((before ^ value) & MEASURE) {
          restart(state, monotonicTime());
          changes.tell("measuring", isMeasuring(state));
        }
        break;
      case RATE:
        restart(state, monotonicTime());
        if (before !== value) changes.tell("rate", rateOf(state));
        break;
      case FORMAT:
        if (before !== value) changes.tell("range", rangeOf(state));
        break;
      case INTERRUPT_ENABLE:
        // What is enabled from now on begins from now on.
        if (value & ~before) restart(state, monotonicTime());
        break;
      case FIFO_CONTROL:
        if (value >>> 6 === BYPASS) emptyFifo(state);
        break;
    }
  }
}

const axes = Object.fromEntries(["x", "y", "z"].map((name, axis) => [name, {
  get: (state: DataView) => state.getFloat64(AXES + 8 * axis),
  set(state: DataView, value: number) {
    const now = monotonicTime();
    // Samples up to now are of what was before.
    advance(state, now);
    state.setFloat64(AXES + 8 * axis, value);
    detectTaps(state, now);
  },
}]));

function pinOf(second: boolean) {
  return {
    get: (state: DataView) => calls(state, second),
    active: (state: DataView) => state.getUint8(FORMAT) & INVERT ? "active-low" : "active-high",
    due: nextInterrupt,
  } as const;
}

/** `adxl345` */
export const accelerometer: SpiPartModel<typeof properties> = {
  name: "adxl345",
  help: "accelerometer with a FIFO and interrupts, for the guest's driver adxl345_spi",
  properties,
  modes: [3],
  stateSize: () => STATE_SIZE,
  initialize({ x, y, z }, state) {
    state.setUint8(DEVICE_ID, ID);
    state.setUint8(RATE, USUAL_RATE);
    [x, y, z].forEach((value, axis) => state.setFloat64(AXES + 8 * axis, value));
    restart(state, 0);
  },
  live: {
    ...axes,
    measuring: { get: isMeasuring },
    rate: { get: rateOf },
    range: { get: rangeOf },
    interrupt: pinOf(false),
    "interrupt-2": pinOf(true),
  },
  create: (context) => new Accelerometer(context),
};
