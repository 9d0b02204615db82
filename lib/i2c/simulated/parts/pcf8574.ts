/**
 * The GPIO expander PCF8574, of 8 quasi-bidirectional lines.
 *
 * There are no registers: what is written is latched, what is read is the levels of the lines. A
 * line whose latch is 0 is driven low; one whose latch is 1 is pulled up weakly, and low where
 * somebody outside pulls it down.
 *
 * INT calls from the moment on at which a line has another level than it had when the port was last
 * read or written, until then or until it has that level again.
 *
 * State: u8 latch, u8 levels from outside, u8 levels when the port was last read or written.
 *
 * Source: data sheet of PCF8574.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import { lineProperties, liveLines, setBit } from "../expander_lines.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";

const LATCH = 0;
const OUTSIDE = 1;
const SEEN = 2;
const STATE_SIZE = 3;

const NAMES = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"] as const;

const properties = {
  ...lineProperties(NAMES, 1, { property: "latch", is: 1 }),
  latch: {
    type: "integer",
    set: "never",
    from: 0,
    to: 0xff,
    base: 16,
    help: "what the guest has written: it drives the lines low whose bit is 0",
  },
  interrupt: {
    type: "boolean",
    set: "never",
    interrupt: "active-low",
    help: "whether INT calls: an input has changed since it was last read",
  },
} as const satisfies Properties;

function levels(state: DataView): number {
  return state.getUint8(LATCH) & state.getUint8(OUTSIDE);
}

class Pcf8574 implements I2cPart {
  readonly #state: DataView;
  readonly #watch: PartContext<typeof properties>["watch"];

  constructor({ state, watch }: PartContext<typeof properties>) {
    this.#state = state;
    this.#watch = watch;
  }

  start(): boolean {
    this.#watch.begin();
    return true;
  }

  write(byte: number): boolean {
    this.#state.setUint8(LATCH, byte);
    this.#state.setUint8(SEEN, levels(this.#state));
    return true;
  }

  read(): number {
    const now = levels(this.#state);
    this.#state.setUint8(SEEN, now);
    return now;
  }

  stop(): void {
    this.#watch.end();
  }
}

/** `pcf8574` */
export const pcf8574: I2cPartModel<typeof properties> = {
  name: "pcf8574",
  help: "GPIO expander of 8 lines that are pulled up or driven low",
  properties,
  stateSize: () => STATE_SIZE,

  initialize(settings, state) {
    state.setUint8(LATCH, 0xff);
    NAMES.forEach((name, line) => setBit(state, OUTSIDE, line, settings[name]));
    state.setUint8(SEEN, levels(state));
  },

  live: {
    ...liveLines(NAMES, {
      level: (state, line) => levels(state) >> line & 1,
      refusal: (state, line) =>
        (state.getUint8(LATCH) >> line & 1) === 0 ? "the guest drives it low" : undefined,
      setOutside: (state, line, level) => setBit(state, OUTSIDE, line, level),
    }),
    latch: { get: (state) => state.getUint8(LATCH) },
    interrupt: { get: (state) => levels(state) !== state.getUint8(SEEN) },
  },

  create: (context) => new Pcf8574(context),
};
