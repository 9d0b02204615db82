/**
 * Analog-to-digital converters after Microchip's MCP3008 (10 bits) and MCP3208 (12 bits), with 8
 * channels.
 *
 * After the first 1 that is sent, the start bit, come a bit that is 0 for the difference of two
 * channels, and three for the channel. While the clock after them runs, the channel is sampled; a 0
 * comes back, then the value from its highest bit on, and then the same bits the other way round.
 *
 * Not modelled: noise, and the time that a source with a high resistance needs.
 *
 * State: f64 for each channel, its voltage.
 *
 * Source: data sheets of MCP3008 and MCP3208.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import type { SpiPart, SpiPartModel } from "../part.ts";

const CHANNELS = 8;

/** Clocks from the start bit on: the last bit of the channel, and the value's highest bit. */
const LAST_CHANNEL_BIT = 4;
const FIRST_VALUE_BIT = 7;
/** No start bit has come. */
const IDLE = -1;

function channel(number: number) {
  return {
    type: "number",
    set: "both",
    what: "a voltage",
    from: 0,
    to: 6,
    unit: "V",
    default: 0,
    help: `the voltage at channel ${number}`,
  } as const;
}

const properties = {
  reference: {
    type: "number",
    set: "start",
    what: "a voltage",
    from: 0.25,
    to: 6,
    unit: "V",
    default: 3.3,
    help: "the reference voltage: what reads as just above the greatest value",
  },
  ch0: channel(0),
  ch1: channel(1),
  ch2: channel(2),
  ch3: channel(3),
  ch4: channel(4),
  ch5: channel(5),
  ch6: channel(6),
  ch7: channel(7),
} as const satisfies Properties;

const CHANNEL_NAMES = ["ch0", "ch1", "ch2", "ch3", "ch4", "ch5", "ch6", "ch7"] as const;

class Converter implements SpiPart {
  readonly #state: DataView;
  readonly #reference: number;
  readonly #bits: number;
  /** Clocks since the start bit. */
  #clock = IDLE;
  /** The bits that choose what is sampled. */
  #choice = 0;
  #value = 0;

  constructor({ state, settings }: PartContext<typeof properties>, bits: number) {
    this.#state = state;
    this.#reference = settings.reference;
    this.#bits = bits;
  }

  /** True while a conversion's lowest bit is still to come. */
  get expectsMore(): boolean {
    return this.#clock !== IDLE && this.#clock < FIRST_VALUE_BIT + this.#bits - 1;
  }

  exchange(sent: number): number {
    let received = 0;
    for (let bit = 7; bit >= 0; bit--) {
      received = received << 1 | this.#tick((sent >>> bit) & 1);
    }
    return received;
  }

  deselect(): void {
    this.#clock = IDLE;
  }

  /** One clock. @returns what comes back */
  #tick(sent: number): number {
    if (this.#clock === IDLE) {
      if (sent === 1) this.#clock = this.#choice = 0;
      return 1;
    }
    const clock = ++this.#clock;
    if (clock <= LAST_CHANNEL_BIT) {
      this.#choice = this.#choice << 1 | sent;
      if (clock === LAST_CHANNEL_BIT) this.#value = this.#sample();
      return 1;
    }
    const index = clock - FIRST_VALUE_BIT;
    if (index === -1) return 0;
    if (index < 0) return 1;
    const last = this.#bits - 1;
    const place = index <= last ? last - index : index - last;
    return place > last ? 0 : (this.#value >>> place) & 1;
  }

  #sample(): number {
    const number = this.#choice & 7;
    const single = (this.#choice & 8) !== 0;
    const voltage = this.#voltage(number) - (single ? 0 : this.#voltage(number ^ 1));
    const steps = 2 ** this.#bits;
    const value = Math.floor(voltage / this.#reference * steps);
    return Math.min(steps - 1, Math.max(0, value));
  }

  #voltage(channel: number): number {
    return this.#state.getFloat64(8 * channel);
  }
}

const live = Object.fromEntries(CHANNEL_NAMES.map((name, number) => [name, {
  get: (state: DataView) => state.getFloat64(8 * number),
  set: (state: DataView, value: number) => state.setFloat64(8 * number, value),
}]));

function model(name: string, bits: number): SpiPartModel<typeof properties> {
  return {
    name,
    help: `analog-to-digital converter of ${bits} bits with 8 channels`,
    properties,
    modes: [0, 3],
    stateSize: () => 8 * CHANNELS,
    initialize(settings, state) {
      CHANNEL_NAMES.forEach((name, number) => state.setFloat64(8 * number, settings[name]));
    },
    live,
    create: (context) => new Converter(context, bits),
  };
}

/** `mcp3008`, `mcp3208` */
export const converters: readonly SpiPartModel<typeof properties>[] = [
  model("mcp3008", 10),
  model("mcp3208", 12),
];
