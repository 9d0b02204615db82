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
  interruptsOf,
  type PoweredPart,
  type Simulation,
} from "../../simulation/simulation.ts";
import type { InterruptPins } from "../../simulation/interrupt_pins.ts";
import { PartThing } from "../../simulation/part_thing.ts";
import { RemoteThing } from "../../simulation/remote/remote_thing.ts";
import type { Thing } from "../../simulation/thing.ts";
import { Lock } from "../../threads/lock.ts";
import {
  DONE,
  FAILED as TRANSFER_FAILED,
  type Progress,
  type SpiBackend,
  type TransferData,
  UNFINISHED,
} from "../backend.ts";
import { Bus } from "../../threads/bus.ts";
import {
  clockMode,
  type Limits,
  MODE_LOOP,
  MODE_LSB_FIRST,
  type Transfer,
  wordBytes,
} from "../protocol.ts";
import { transferTime } from "../wire_time.ts";
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
export function powerUp(
  simulation: Simulation,
  { parts }: SimulatedSettings,
  guests: number,
): SimulatedMemory {
  return {
    bus: new SharedArrayBuffer(Bus.size(guests)),
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
    const model = spiParts.get(part.part);
    const Kind = model.isRemote ? RemoteThing : PartThing;
    return new Kind(model, part, where, ["fail", "wrong"], shared, log);
  });
}

const NOT_SELECTED = -1;
/** After so many bytes other descriptors get their turn; a multiple of any word's. */
const PIECE = 16384;

/** @returns false if a byte fails */
function exchangeAll(
  part: SpiPart,
  sent: Uint8Array,
  received: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (part.exchangeAll !== undefined) return part.exchangeAll(sent, received, start, end);
  for (let index = start; index < end; index++) {
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
  readonly maxWordTime = Infinity;
  readonly #wait: number;
  readonly #lock: Lock;
  /** By chip select; `undefined` where there is nothing. */
  readonly #parts: readonly (SpiPart | undefined)[];
  readonly #faults: readonly (Faults | undefined)[];
  readonly #interrupts: readonly (InterruptPins | undefined)[];
  /** By chip select: bit n stands for mode n, which the part takes. */
  readonly #modes: readonly number[];
  readonly #log: Logger;
  /** Chip selects whose part was asked in another mode. */
  readonly #misread = new Set<number>();
  #selected = NOT_SELECTED;

  // The transfer at work.
  #transfer: Transfer | undefined;
  #data: TransferData | undefined;
  #done = 0;
  #wrong = false;

  /** @param wait how long a part stays selected whose command is not complete, in milliseconds */
  constructor(
    settings: SimulatedSettings,
    memory: SimulatedMemory,
    guest: number,
    wait: number,
    log: Logger,
  ) {
    this.#wait = wait;
    this.limits = settings.limits;
    this.bus = new Bus(memory.bus, guest);
    this.#lock = new Lock(memory.lock);
    const powered = Array.from(
      { length: settings.limits.chipSelects },
      (_, index) => memory.parts.find(({ chipSelect }) => chipSelect === index),
    );
    this.#log = log;
    this.#modes = powered.map((part) => {
      const modes = part && spiParts.get(part.part).modes;
      return modes?.reduce((mask, mode) => mask | (1 << mode), 0) ?? 0xf;
    });
    this.#faults = powered.map((part) => part && faultsOf(part));
    this.#interrupts = powered.map((part) => part && interruptsOf(spiParts.get(part.part), part));
    this.#parts = powered.map((part) => {
      if (part === undefined) return undefined;
      const model = spiParts.get(part.part);
      return model.create(contextOf(model, part, log, this.#lock), part.chipSelect);
    });
  }

  get selected(): boolean {
    return this.#selected !== NOT_SELECTED;
  }

  get wait(): number {
    return this.selected ? this.#wait : 0;
  }

  frequency({ frequency }: Transfer): number {
    return frequency;
  }

  continues(transfer: Transfer): boolean {
    return transfer.chipSelect === this.#selected;
  }

  run(transfer: Transfer, data: TransferData): Progress {
    this.#transfer = transfer;
    this.#data = data;
    this.#done = 0;
    this.#wrong = false;
    const faults = this.#faults[transfer.chipSelect];
    if (faults?.any) {
      this.#lock.acquire();
      try {
        if (faults.strikes(FAIL)) return this.#failed(transfer.chipSelect);
        this.#wrong = faults.strikes(WRONG);
      } finally {
        this.#lock.release();
      }
    }
    return this.proceed();
  }

  proceed(): Progress {
    this.#lock.acquire();
    try {
      const progress = this.#exchange(this.#transfer!, this.#data!);
      if (progress === DONE && this.#wrong && this.#transfer!.length > 0) {
        this.#data!.received.bytes[0] ^= 0xff;
      }
      return progress;
    } finally {
      this.#lock.release();
    }
  }

  duration(transfer: Transfer): number {
    return transferTime(transfer, transfer.frequency, !this.selected);
  }

  deselect(): void {
    this.#lock.acquire();
    try {
      this.#release(this.#selected);
    } finally {
      this.#lock.release();
    }
    this.#selected = NOT_SELECTED;
  }

  close(): void {
    this.bus.close();
  }

  #exchange(transfer: Transfer, data: TransferData): Progress {
    const { chipSelect, mode, length, txLength } = transfer;
    const part = this.#parts[chipSelect];
    if (mode & MODE_LOOP) {
      loopBack(transfer, data);
      return DONE;
    }
    if (part === undefined || !((this.#modes[chipSelect] >>> clockMode(mode)) & 1)) {
      if (part !== undefined) this.#tellOfMode(chipSelect, clockMode(mode));
      // Nobody drives the line, which is pulled up.
      data.received.bytes.fill(0xff, 0, length);
      return DONE;
    }
    if (part.transfer !== undefined) {
      part.transfer(transfer, data);
      return DONE;
    }
    const start = this.#done;
    const end = Math.min(length, start + PIECE);
    const size = wordBytes(transfer.bitsPerWord);
    const lsbFirst = (mode & MODE_LSB_FIRST) !== 0;
    const sent = data.sent.bytes;
    const received = data.received.bytes;
    if (txLength > 0) swapWireOrder(sent, start, end, size, lsbFirst);
    else sent.fill(0, start, end);
    const exchanged = exchangeAll(part, sent, received, start, end);
    // What was sent is told to whoever observes the guest.
    if (txLength > 0) swapWireOrder(sent, start, end, size, lsbFirst);
    if (!exchanged) return this.#failed(chipSelect);
    swapWireOrder(received, start, end, size, lsbFirst);
    this.#done = end;
    if (end < length) {
      this.#selected = chipSelect;
      return UNFINISHED;
    }
    if (part.expectsMore && transfer.csChange === 0) {
      this.#selected = chipSelect;
    } else {
      this.#release(chipSelect);
      this.#selected = NOT_SELECTED;
    }
    return DONE;
  }

  #tellOfMode(chipSelect: number, mode: number): void {
    if (this.#misread.has(chipSelect)) return;
    this.#misread.add(chipSelect);
    const modes = [0, 1, 2, 3].filter((one) => (this.#modes[chipSelect] >>> one) & 1);
    this.#log.warn(
      `the part at chip select ${chipSelect} takes mode ${modes.join(" or ")}, the guest uses ` +
        `mode ${mode}: it does not understand`,
    );
  }

  /** Releases a chip select, with the lock held. */
  #release(chipSelect: number): void {
    this.#parts[chipSelect]?.deselect();
    this.#interrupts[chipSelect]?.look();
  }

  #failed(chipSelect: number): Progress {
    this.#release(chipSelect);
    this.#selected = NOT_SELECTED;
    return TRANSFER_FAILED;
  }
}
