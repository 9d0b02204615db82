/**
 * The multiplexer TCA9548: parts behind it are reached while their channel is selected.
 *
 * It has one register, with a bit for each of 8 channels, which takes effect at the stop. Any number
 * of channels can be selected at a time.
 *
 * Not modelled: the reset pin. Where two channels are selected that have parts at the same address,
 * only the one that is described first is reached.
 *
 * State: u8 selected channels.
 *
 * Source: data sheet of TCA9548A.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";

const SELECTED = 0;
const STATE_SIZE = 1;
const CHANNELS = 8;
const NOTHING_WRITTEN = -1;

const properties = {
  selected: {
    type: "integer",
    set: "never",
    from: 0,
    to: 0xff,
    base: 16,
    help: "the channels that the guest has selected, a bit each",
  },
} as const satisfies Properties;

class Tca9548 implements I2cPart {
  readonly #state: DataView;
  readonly #watch: PartContext<typeof properties>["watch"];
  #written = NOTHING_WRITTEN;

  constructor({ state, watch }: PartContext<typeof properties>) {
    this.#state = state;
    this.#watch = watch;
  }

  start(): boolean {
    this.#watch.begin();
    return true;
  }

  write(byte: number): boolean {
    this.#written = byte;
    return true;
  }

  read(): number {
    return this.#state.getUint8(SELECTED);
  }

  stop(): void {
    if (this.#written !== NOTHING_WRITTEN) this.#state.setUint8(SELECTED, this.#written);
    this.#written = NOTHING_WRITTEN;
    this.#watch.end();
  }
}

/** `tca9548` */
export const tca9548: I2cPartModel<typeof properties> = {
  name: "tca9548",
  help: `multiplexer with ${CHANNELS} channels for other parts`,
  properties,
  channels: {
    count: CHANNELS,
    isSelected: (state, channel) => (state.getUint8(SELECTED) >> channel & 1) === 1,
  },
  stateSize: () => STATE_SIZE,
  live: { selected: { get: (state) => state.getUint8(SELECTED) } },
  create: (context) => new Tca9548(context),
};
