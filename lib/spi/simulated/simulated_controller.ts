/**
 * A simulated SPI controller: parts at its chip selects, at the pace of the wire.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { FAIL, type Faults, WRONG } from "../../simulation/faults.ts";
import type { PartDescription } from "../../simulation/part_list.ts";
import {
  contextOf,
  faultsOf,
  type PoweredPart,
  type Simulation,
} from "../../simulation/simulation.ts";
import { PartThing } from "../../simulation/part_thing.ts";
import type { Thing } from "../../simulation/thing.ts";
import { Lock } from "../../threads/lock.ts";
import type { SpiBackend, TransferData } from "../backend.ts";
import { Bus } from "../bus.ts";
import { type Limits, MODE_LOOP, MODE_LSB_FIRST, type Transfer, wordBytes } from "../protocol.ts";
import { FAILED, type SpiPart } from "./part.ts";
import { spiParts } from "./parts.ts";
import { loopBack } from "./parts/loopback.ts";
import { swapWireOrder } from "./wire_order.ts";

/** A part as the configuration describes it. */
export interface SpiPartDescription extends PartDescription {
  readonly chipSelect: number;
}

/** A simulated controller. */
export interface SimulatedSettings {
  readonly kind: "simulated";
  readonly limits: Limits;
  readonly parts: readonly SpiPartDescription[];
}

/** What the guests of a simulated controller share. */
export interface SimulatedMemory {
  readonly bus: SharedArrayBuffer;
  /** Held during a transfer, and by whoever controls a part. */
  readonly lock: SharedArrayBuffer;
  readonly parts: readonly (PoweredPart & SpiPartDescription)[];
}

/**
 * Makes a controller as it is when the power comes on; for the main thread.
 *
 * @throws {UsageError} if a part's file does not fit
 * @throws {RuntimeError} if the host does not have what a part needs
 */
export function powerUp(simulation: Simulation, { parts }: SimulatedSettings): SimulatedMemory {
  return {
    bus: new SharedArrayBuffer(Bus.SIZE),
    lock: new SharedArrayBuffer(Lock.SIZE),
    parts: parts.map((part) => ({
      ...simulation.powerUp(spiParts.get(part.part), part),
      chipSelect: part.chipSelect,
    })),
  };
}

/** The parts, for whoever controls them. */
export function spiThings(
  { lock, parts }: SimulatedMemory,
  guests: readonly number[],
  log: Logger,
): Thing[] {
  const shared = new Lock(lock);
  return parts.map((part) => {
    const { chipSelect } = part;
    const alias = `cs${chipSelect}`;
    const { name = alias } = part;
    const where = { name, alias, place: `chip select ${chipSelect}`, guests };
    return new PartThing(spiParts.get(part.part), part, where, ["fail", "wrong"], shared, log);
  });
}

const NOT_SELECTED = -1;

/** @returns false if a byte fails */
function exchangeAll(
  part: SpiPart,
  sent: Uint8Array,
  received: Uint8Array,
  length: number,
): boolean {
  for (let index = 0; index < length; index++) {
    const byte = part.exchange(sent[index]);
    if (byte === FAILED) return false;
    received[index] = byte;
  }
  return true;
}

/** A simulated controller, as one guest has it. */
export class SimulatedController implements SpiBackend {
  readonly limits: Limits;
  readonly bus: Bus;
  readonly patient = true;
  readonly #lock: Lock;
  /** By chip select; `undefined` where there is nothing. */
  readonly #parts: readonly (SpiPart | undefined)[];
  readonly #faults: readonly (Faults | undefined)[];
  #selected = NOT_SELECTED;

  constructor(settings: SimulatedSettings, memory: SimulatedMemory, guest: number, log: Logger) {
    this.limits = settings.limits;
    this.bus = new Bus(memory.bus, guest);
    this.#lock = new Lock(memory.lock);
    const powered = Array.from(
      { length: settings.limits.chipSelects },
      (_, index) => memory.parts.find(({ chipSelect }) => chipSelect === index),
    );
    this.#faults = powered.map((part) => part && faultsOf(part));
    this.#parts = powered.map((part) => {
      if (part === undefined) return undefined;
      const model = spiParts.get(part.part);
      return model.create(contextOf(model, part, log));
    });
  }

  get selected(): boolean {
    return this.#selected !== NOT_SELECTED;
  }

  continues(transfer: Transfer): boolean {
    return transfer.chipSelect === this.#selected;
  }

  run(transfer: Transfer, data: TransferData): boolean {
    this.#lock.acquire();
    try {
      return this.#run(transfer, data);
    } finally {
      this.#lock.release();
    }
  }

  duration(transfer: Transfer): number {
    const { frequency, bitsPerWord, length } = transfer;
    const words = length / wordBytes(bitsPerWord);
    const nbits = transfer.txLength > 0 ? transfer.txNbits : transfer.rxNbits;
    // Whatever the size of a word, its bytes in memory are what drivers reckon with.
    const bits = 8 * length / Math.max(1, nbits);
    const clocks = frequency === 0 ? 0 : bits * 1e9 / frequency;
    const between = words > 1 ? (words - 1) * transfer.wordDelay : 0;
    const after = this.selected ? 0 : transfer.inactive;
    return (clocks + between + transfer.setup + transfer.hold + after) / 1e6;
  }

  deselect(): void {
    this.#lock.acquire();
    try {
      this.#parts[this.#selected]?.deselect();
    } finally {
      this.#lock.release();
    }
    this.#selected = NOT_SELECTED;
  }

  close(): void {}

  #run(transfer: Transfer, data: TransferData): boolean {
    const { chipSelect, length } = transfer;
    const faults = this.#faults[chipSelect];
    if (faults?.any) {
      if (faults.strikes(FAIL)) return this.#failed(this.#parts[chipSelect]);
      const wrong = faults.strikes(WRONG);
      if (!this.#exchange(transfer, data)) return false;
      if (wrong && length > 0) data.received.bytes[0] ^= 0xff;
      return true;
    }
    return this.#exchange(transfer, data);
  }

  #exchange(transfer: Transfer, data: TransferData): boolean {
    const { chipSelect, mode, length, txLength } = transfer;
    const part = this.#parts[chipSelect];
    if (mode & MODE_LOOP) {
      loopBack(transfer, data);
      return true;
    }
    if (part === undefined) {
      // Nobody drives the line, which is pulled up.
      data.received.bytes.fill(0xff, 0, length);
      return true;
    }
    if (part.transfer !== undefined) {
      part.transfer(transfer, data);
      return true;
    }
    const size = wordBytes(transfer.bitsPerWord);
    const lsbFirst = (mode & MODE_LSB_FIRST) !== 0;
    const sent = data.sent.bytes;
    const received = data.received.bytes;
    if (txLength > 0) swapWireOrder(sent, length, size, lsbFirst);
    else sent.fill(0, 0, length);
    if (!exchangeAll(part, sent, received, length)) return this.#failed(part);
    swapWireOrder(received, length, size, lsbFirst);
    if (part.expectsMore && transfer.csChange === 0) {
      this.#selected = chipSelect;
    } else {
      part.deselect();
      this.#selected = NOT_SELECTED;
    }
    return true;
  }

  #failed(part: SpiPart | undefined): boolean {
    part?.deselect();
    this.#selected = NOT_SELECTED;
    return false;
  }
}
