/**
 * A simulated I2C adapter: chip models on a bus, shared by all guests of a daemon.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import {
  FUNC_SMBUS_BLOCK_PROC_CALL,
  FUNC_SMBUS_PROC_CALL,
  FUNC_SMBUS_QUICK,
  FUNC_SMBUS_READ_BLOCK_DATA,
  FUNC_SMBUS_READ_BYTE,
  FUNC_SMBUS_READ_BYTE_DATA,
  FUNC_SMBUS_READ_I2C_BLOCK,
  FUNC_SMBUS_READ_WORD_DATA,
  FUNC_SMBUS_WRITE_BLOCK_DATA,
  FUNC_SMBUS_WRITE_BYTE,
  FUNC_SMBUS_WRITE_BYTE_DATA,
  FUNC_SMBUS_WRITE_I2C_BLOCK,
  FUNC_SMBUS_WRITE_WORD_DATA,
} from "../../../ffi/i2c_uapi.ts";
import { Lock } from "../../threads/lock.ts";
import type { I2cAdapter } from "../backend.ts";
import type { Chip } from "./part.ts";
import { chipModel } from "./parts.ts";
import { MAX_LENGTH, type Messages, SLOT_SIZE } from "../messages.ts";
import { ADDRESS_COUNT } from "../protocol.ts";
import { NOT_SMBUS, recoverSmbus } from "../smbus.ts";

const EVERYTHING_OF_SMBUS = FUNC_SMBUS_QUICK | FUNC_SMBUS_READ_BYTE | FUNC_SMBUS_WRITE_BYTE |
  FUNC_SMBUS_READ_BYTE_DATA | FUNC_SMBUS_WRITE_BYTE_DATA | FUNC_SMBUS_READ_WORD_DATA |
  FUNC_SMBUS_WRITE_WORD_DATA | FUNC_SMBUS_PROC_CALL | FUNC_SMBUS_READ_BLOCK_DATA |
  FUNC_SMBUS_WRITE_BLOCK_DATA | FUNC_SMBUS_BLOCK_PROC_CALL | FUNC_SMBUS_READ_I2C_BLOCK |
  FUNC_SMBUS_WRITE_I2C_BLOCK;

/** A chip as the configuration describes it. */
export interface ChipDescription {
  /** The address, or the first of several; see `TEN_BIT` in the protocol. */
  readonly address: number;
  /** One of the names of its model. */
  readonly name: string;
  /** What the model has made of the configuration. */
  readonly config: unknown;
}

/** A chip, its state in memory that threads share. */
export interface ChipSettings extends ChipDescription {
  readonly state: SharedArrayBuffer;
}

/** An adapter, likewise. */
export interface SimulatedAdapterSettings {
  readonly smbusOnly: boolean;
  readonly lock: SharedArrayBuffer;
  readonly chips: readonly ChipSettings[];
}

/** How many addresses in a row a chip answers to. */
export function addressCount({ name, config }: ChipDescription): number {
  return chipModel(name).addressCount?.(config) ?? 1;
}

/**
 * Makes an adapter as it is when the power comes on; for the main thread.
 *
 * @throws {RuntimeError} if the host does not have what a chip needs, such as a file
 */
export function powerUp(
  chips: readonly ChipDescription[],
  smbusOnly: boolean,
): SimulatedAdapterSettings {
  return {
    smbusOnly,
    lock: new SharedArrayBuffer(Lock.SIZE),
    chips: chips.map((chip) => {
      const model = chipModel(chip.name);
      const state = new SharedArrayBuffer(model.stateSize(chip.config));
      model.initialize(chip.config, new DataView(state));
      return { ...chip, state };
    }),
  };
}

/** One guest's access to a simulated bus. A transaction has the bus for itself. */
export class SimulatedAdapter implements I2cAdapter {
  readonly maxLength = MAX_LENGTH;
  readonly zeroLength = true;

  readonly #lock: Lock;
  readonly #smbusOnly: boolean;
  readonly #chips: readonly Chip[];
  /** By address, the index of its chip. */
  readonly #chipAt = new Int16Array(ADDRESS_COUNT).fill(-1);
  /** By address, how far it is from the chip's first one. */
  readonly #offsetAt = new Uint8Array(ADDRESS_COUNT);
  /** Chips that have taken part in the transaction. */
  readonly #addressed: Uint8Array;

  constructor(settings: SimulatedAdapterSettings, log: Logger) {
    this.#lock = new Lock(settings.lock);
    this.#smbusOnly = settings.smbusOnly;
    this.#addressed = new Uint8Array(settings.chips.length);
    this.#chips = settings.chips.map((chip, index) => {
      const count = addressCount(chip);
      for (let offset = 0; offset < count; offset++) {
        this.#chipAt[chip.address + offset] = index;
        this.#offsetAt[chip.address + offset] = offset;
      }
      return chipModel(chip.name).create(chip.config, new DataView(chip.state), log);
    });
  }

  transfer(messages: Messages, first: number, count: number): number {
    if (this.#smbusOnly && this.#isNoSmbus(messages, first, count)) return 0;
    this.#lock.acquire();
    try {
      let done = 0;
      while (done < count && this.#message(messages, first + done)) done++;
      this.#stop();
      return done;
    } finally {
      this.#lock.release();
    }
  }

  close(): void {
    for (const chip of this.#chips) chip.close?.();
  }

  #isNoSmbus(messages: Messages, first: number, count: number): boolean {
    return recoverSmbus(messages, first, count, EVERYTHING_OF_SMBUS) === NOT_SMBUS;
  }

  /** @returns false if the chip has not acknowledged all of it */
  #message(messages: Messages, index: number): boolean {
    const address = messages.addresses[index];
    const number = this.#chipAt[address];
    if (number < 0) return false;
    const chip = this.#chips[number];
    const read = messages.reads[index] === 1;
    this.#addressed[number] = 1;
    if (!chip.start(read, this.#offsetAt[address])) return false;
    const { bytes } = messages.data;
    const begin = index * SLOT_SIZE;
    const end = begin + messages.lengths[index];
    if (read) {
      for (let at = begin; at < end; at++) bytes[at] = chip.read();
      return true;
    }
    for (let at = begin; at < end; at++) {
      if (!chip.write(bytes[at])) return false;
    }
    return true;
  }

  #stop(): void {
    for (let index = 0; index < this.#chips.length; index++) {
      if (this.#addressed[index] === 0) continue;
      this.#addressed[index] = 0;
      this.#chips[index].stop();
    }
  }
}
