/**
 * A simulated SPI controller: loopbacks and chips at its chip selects, at the pace of the wire.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { SpiBackend, TransferData } from "../backend.ts";
import { Bus } from "../bus.ts";
import { BackingFile, loadBackingFile } from "./backing_file.ts";
import { type Chip, FAILED } from "./part.ts";
import { Flash, type FlashSettings, makeFlash } from "./parts/flash.ts";
import { makeRegisters, Registers, type RegistersSettings } from "./parts/registers.ts";
import { type Limits, MODE_LOOP, MODE_LSB_FIRST, type Transfer, wordBytes } from "../protocol.ts";
import { swapWireOrder } from "./wire_order.ts";

/** What comes back is what is sent. */
export interface LoopbackSettings {
  readonly type: "loopback";
}

/** A chip of the configuration. */
export type ChipSettings = LoopbackSettings | FlashSettings | RegistersSettings;

/** A simulated controller. */
export interface SimulatedSettings {
  readonly kind: "simulated";
  readonly limits: Limits;
  readonly chips: readonly ChipSettings[];
}

/** What the guests of a simulated controller share. */
export interface SimulatedMemory {
  readonly bus: SharedArrayBuffer;
  /** By chip select; `undefined` for a loopback. */
  readonly chips: readonly (SharedArrayBuffer | undefined)[];
}

/**
 * Makes what the guests share, on the main thread.
 *
 * @throws {UsageError} if a chip's file does not fit
 * @throws {RuntimeError} if it cannot be read
 */
export function makeSimulatedMemory(chips: readonly ChipSettings[]): SimulatedMemory {
  return {
    bus: new SharedArrayBuffer(Bus.SIZE),
    chips: chips.map((chip) => {
      if (chip.type === "loopback") return undefined;
      if (chip.type === "registers") return makeRegisters(chip);
      const { file, size } = chip;
      return makeFlash(chip, file === undefined ? new Uint8Array() : loadBackingFile(file, size));
    }),
  };
}

function makeChip(
  settings: ChipSettings,
  memory: SharedArrayBuffer | undefined,
  log: Logger,
): Chip | undefined {
  if (settings.type === "loopback" || memory === undefined) return undefined;
  if (settings.type === "registers") return new Registers(settings, memory);
  const store = settings.file === undefined ? undefined : new BackingFile(settings.file, log);
  return new Flash(settings, memory, store);
}

const NOT_SELECTED = -1;

/** A simulated controller, as one guest has it. */
export class SimulatedController implements SpiBackend {
  readonly limits: Limits;
  readonly bus: Bus;
  readonly patient = true;
  /** By chip select; `undefined` for a loopback. */
  readonly #chips: readonly (Chip | undefined)[];
  #selected = NOT_SELECTED;

  /** @throws {RuntimeError} if a chip's file cannot be written */
  constructor(settings: SimulatedSettings, memory: SimulatedMemory, guest: number, log: Logger) {
    this.limits = settings.limits;
    this.bus = new Bus(memory.bus, guest);
    this.#chips = settings.chips.map((chip, index) => makeChip(chip, memory.chips[index], log));
  }

  get selected(): boolean {
    return this.#selected !== NOT_SELECTED;
  }

  continues(transfer: Transfer): boolean {
    return transfer.chipSelect === this.#selected;
  }

  run(transfer: Transfer, data: TransferData): boolean {
    const { chipSelect, mode, length, txLength } = transfer;
    const chip = this.#chips[chipSelect];
    if (chip === undefined || mode & MODE_LOOP) {
      if (txLength > 0) data.received = data.sent;
      else data.received.bytes.fill(0, 0, length);
      return true;
    }
    const size = wordBytes(transfer.bitsPerWord);
    const lsbFirst = (mode & MODE_LSB_FIRST) !== 0;
    const sent = data.sent.bytes;
    const received = data.received.bytes;
    if (txLength > 0) swapWireOrder(sent, length, size, lsbFirst);
    else sent.fill(0, 0, length);
    for (let index = 0; index < length; index++) {
      const byte = chip.exchange(sent[index]);
      if (byte === FAILED) return this.#failed(chip);
      received[index] = byte;
    }
    swapWireOrder(received, length, size, lsbFirst);
    if (chip.expectsMore && transfer.csChange === 0) {
      this.#selected = chipSelect;
    } else {
      chip.deselect();
      this.#selected = NOT_SELECTED;
    }
    return true;
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
    this.#chips[this.#selected]?.deselect();
    this.#selected = NOT_SELECTED;
  }

  #failed(chip: Chip): boolean {
    chip.deselect();
    this.#selected = NOT_SELECTED;
    return false;
  }

  close(): void {
    for (const chip of this.#chips) chip?.close();
  }
}
