/**
 * Parts of a simulated I2C bus without the bus: what is written and read, and their properties.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { i2cParts } from "../../lib/i2c/simulated/parts.ts";
import type { I2cPart } from "../../lib/i2c/simulated/part.ts";
import { ConfigNode } from "../../lib/input/config_node.ts";
import { PartThing } from "../../lib/simulation/part_thing.ts";
import type { Value } from "../../lib/simulation/property.ts";
import { contextOf, Simulation, stateOf } from "../../lib/simulation/simulation.ts";
import { Lock } from "../../lib/threads/lock.ts";

/** Of all of them. */
export const ADDRESS = 0x20;

/** A part with two threads' view of it. */
export class OnBus {
  readonly #simulation = new Simulation();
  readonly #parts: readonly I2cPart[];
  readonly thing: PartThing;
  readonly state: DataView;

  constructor(name: string, yaml = "{}", log = getLogger(["test"])) {
    const entry = ConfigNode.parse("part", `{ part: ${name}, ${yaml.replace(/^\{|\}$/g, "")} }`);
    const description = i2cParts.read(entry, [], new Set());
    const model = i2cParts.get(name);
    const powered = this.#simulation.powerUp(model, description);
    this.#parts = [0, 1].map(() => model.create(contextOf(model, powered, log), ADDRESS));
    this.state = stateOf(powered);
    const place = { name, place: "", guests: [] };
    const lock = new Lock(new SharedArrayBuffer(Lock.SIZE));
    this.thing = new PartThing(model, powered, place, [], lock, log);
  }

  /** Reads a property. */
  get(name: string): Value {
    return this.thing.get(name);
  }

  /** Sets a property from outside. */
  set(name: string, value: unknown): void {
    this.thing.set(name, value);
  }

  /** Writes a word, high byte first, to a register. */
  writeWord(register: number, value: number): void {
    this.transaction([[register, value >> 8, value & 0xff]]);
  }

  /** Reads a word from a register. */
  readWord(register: number): number {
    const [high, low] = this.transaction([[register], 2]) as number[];
    return high * 256 + low;
  }

  /** Bytes to write, or the number of bytes to read; a stop after the last. */
  transaction(messages: readonly (number[] | number)[], offset = 0, thread = 0): number[] | string {
    const chip = this.#parts[thread];
    let got: number[] = [];
    try {
      for (const message of messages) {
        const reads = typeof message === "number";
        if (!chip.start(reads, offset)) return "no address";
        if (reads) {
          got = Array.from({ length: message }, () => chip.read());
          continue;
        }
        for (const [index, byte] of message.entries()) {
          if (!chip.write(byte)) return `no byte ${index}`;
        }
      }
      return got;
    } finally {
      chip.stop();
    }
  }

  /** In milliseconds. */
  get stretch(): number | undefined {
    return this.#parts[0].stretch?.();
  }

  close(): void {
    this.#simulation.close();
  }
}
