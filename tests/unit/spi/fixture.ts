/**
 * A simulated controller in front of a pretended driver, all on the test's own thread.
 *
 * @module
 */

import { SpiDevice } from "../../../lib/spi/device.ts";
import {
  powerUp,
  SimulatedController,
  spiThings,
} from "../../../lib/spi/simulated/simulated_controller.ts";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { Simulation } from "../../../lib/simulation/simulation.ts";
import { Things } from "../../../lib/simulation/thing.ts";
import { readGuests } from "../../../lib/spi/config.ts";
import { InProcess, RecordingLog } from "../../support/in_process.ts";
import { SpiGuest } from "../../support/spi_driver.ts";
import type { QueueOptions } from "../../support/driver_queue.ts";

/** Chips that a test can tell apart. */
export const CHIPS = `
- simulated:
    parts:
      - part: loopback
      - { part: registers, values: { 0x0f: 0x33, 0x10: 0x44 }, failing: [0x7f] }
      - part: flash
`;

/** Guests that share a controller, each with a device and a driver of its own. */
export class Fixture implements Disposable {
  readonly backEnds: InProcess<SpiDevice>[];
  readonly guests: SpiGuest[];
  readonly things: Things;
  readonly log = new RecordingLog();
  readonly #simulation = new Simulation();

  /**
   * @param yaml the list of guests of a configuration file
   * @param wait how long a chip stays selected for the rest of a command, in milliseconds
   */
  constructor(
    yaml = CHIPS,
    { count = 1, wait = 1000, maxTransfer = 60_000, queue = {} as QueueOptions } = {},
  ) {
    const [settings] = readGuests(ConfigNode.parse("test.yaml", yaml));
    if (settings.kind !== "simulated") throw new TypeError("not simulated");
    const memory = powerUp(this.#simulation, settings, count);
    const guests = Array.from({ length: count }, (_, guest) => guest);
    this.things = new Things(spiThings(memory, guests, this.log.logger));
    this.backEnds = Array.from({ length: count }, (_, guest) => {
      const controller = new SimulatedController(settings, memory, guest, wait, this.log.logger);
      return new InProcess(new SpiDevice(controller, maxTransfer, this.log.logger));
    });
    this.guests = this.backEnds.map((backEnd) => new SpiGuest(backEnd.connect(), queue));
  }

  get guest(): SpiGuest {
    return this.guests[0];
  }

  [Symbol.dispose](): void {
    for (const guest of this.guests) guest[Symbol.dispose]();
    for (const backEnd of this.backEnds) backEnd[Symbol.dispose]();
    this.#simulation.close();
  }
}

/** Runs a test with guests that share a controller. */
export function withGuests(
  run: (guest: SpiGuest, fixture: Fixture) => void,
  yaml = CHIPS,
  options: ConstructorParameters<typeof Fixture>[1] = {},
): () => void {
  return () => {
    using fixture = new Fixture(yaml, options);
    run(fixture.guest, fixture);
  };
}
