/**
 * A real SPI controller: spidev nodes of one bus, one for each chip select.
 *
 * Linux guests send each transfer of a message by itself and do not say where the message ends. A
 * transfer that only writes, and whose chip select is not to be released, is taken for the command
 * of a transfer that only reads: the chip stays selected until that comes, anything else comes, or
 * the device has waited long enough. Of a chip that is known to be a NOR flash the commands
 * themselves are looked at.
 *
 * A transfer longer than spidev's buffers goes in pieces, between which the chip stays selected.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EMSGSIZE, errno, errnoText } from "../../../ffi/errno.ts";
import {
  SPI_CPHA,
  SPI_CPOL,
  SPI_CS_HIGH,
  SPI_LOOP,
  SPI_LSB_FIRST,
  SPI_RX_DUAL,
  SPI_RX_OCTAL,
  SPI_RX_QUAD,
  SPI_TX_DUAL,
  SPI_TX_OCTAL,
  SPI_TX_QUAD,
  SpiMessage,
  type TransferSettings,
  writeMode,
} from "../../../ffi/spidev.ts";
import type { HostBuffer } from "../../virtio/descriptor_chain.ts";
import type { SpiBackend, TransferData } from "../backend.ts";
import { Bus } from "../bus.ts";
import { SharedNodes } from "./shared_nodes.ts";
import { NorCommand } from "./nor_commands.ts";
import { NBITS_MODES } from "./probe.ts";
import {
  type Limits,
  MODE_CPHA,
  MODE_CPOL,
  MODE_CS_HIGH,
  MODE_LOOP,
  MODE_LSB_FIRST,
  NBITS_DUAL,
  NBITS_OCTAL,
  NBITS_QUAD,
  type Transfer,
  wordBytes,
} from "../protocol.ts";

/** A real controller. */
export interface HostSettings {
  /** The nodes, in the order of the guest's chip selects. */
  readonly paths: readonly string[];
  readonly limits: Limits;
  /** Chip selects with a NOR flash. */
  readonly flash: readonly number[];
  /** The longest transfer of one message in bytes. */
  readonly pieceSize: number;
}

/** What the guests of a real controller share. */
export interface HostMemory {
  readonly bus: SharedArrayBuffer;
  readonly nodes: SharedArrayBuffer;
}

/**
 * Makes what the guests share, on the main thread.
 *
 * @param bus of another controller on the same bus
 */
export function makeHostMemory(nodes: number, bus?: SharedArrayBuffer): HostMemory {
  return {
    bus: bus ?? new SharedArrayBuffer(Bus.SIZE),
    nodes: new SharedArrayBuffer(SharedNodes.size(nodes)),
  };
}

const NOT_SELECTED = -1;
/** All that a request decides of a node's mode. */
const REQUEST_MODES = SPI_CPHA | SPI_CPOL | SPI_CS_HIGH | SPI_LSB_FIRST | SPI_LOOP | NBITS_MODES;

function hostMode(mode: number): number {
  return (mode & MODE_CPHA ? SPI_CPHA : 0) | (mode & MODE_CPOL ? SPI_CPOL : 0) |
    (mode & MODE_CS_HIGH ? SPI_CS_HIGH : 0) | (mode & MODE_LSB_FIRST ? SPI_LSB_FIRST : 0) |
    (mode & MODE_LOOP ? SPI_LOOP : 0);
}

/**
 * Leave to use as many data lines as there are; a transfer says how many it does use. Changing the
 * mode from one transfer to the next would release the chip.
 */
function lineMode({ txNbits, rxNbits }: Limits): number {
  const pick = (nbits: number, dual: number, quad: number, octal: number) =>
    nbits & NBITS_OCTAL ? octal : nbits & NBITS_QUAD ? quad : nbits & NBITS_DUAL ? dual : 0;
  return pick(txNbits, SPI_TX_DUAL, SPI_TX_QUAD, SPI_TX_OCTAL) |
    pick(rxNbits, SPI_RX_DUAL, SPI_RX_QUAD, SPI_RX_OCTAL);
}

/** Whole microseconds that are not shorter. */
function microseconds(nanoseconds: number): number {
  return Math.ceil(nanoseconds / 1000);
}

/** The address of a buffer's first byte, found out once per buffer. */
class BufferAddress {
  #buffer: HostBuffer | undefined;
  #address = 0;

  of(buffer: HostBuffer): number {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      const pointer = Deno.UnsafePointer.of(buffer.bytes);
      this.#address = Number(Deno.UnsafePointer.value(pointer));
    }
    return this.#address;
  }
}

/** A real controller, as one guest has it. */
export class HostController implements SpiBackend {
  readonly limits: Limits;
  readonly bus: Bus;
  readonly patient = false;
  readonly #settings: HostSettings;
  readonly #nodes: SharedNodes;
  readonly #lineMode: number;
  /** By chip select, for NOR flash chips. */
  readonly #commands: (NorCommand | undefined)[];
  readonly #log: Logger;
  readonly #message = new SpiMessage(2);
  readonly #sent = new BufferAddress();
  readonly #received = new BufferAddress();
  readonly #common: TransferSettings = {
    delayMicroseconds: 0,
    wordDelayMicroseconds: 0,
    speed: 0,
    bitsPerWord: 8,
    txLines: 1,
    rxLines: 1,
  };
  #selected = NOT_SELECTED;
  #lastError = 0;

  /** @throws {RuntimeError} if a node cannot be had */
  constructor(settings: HostSettings, memory: HostMemory, guest: number, log: Logger) {
    this.limits = settings.limits;
    this.bus = new Bus(memory.bus, guest);
    this.#settings = settings;
    this.#nodes = new SharedNodes(memory.nodes, settings.paths);
    this.#lineMode = lineMode(settings.limits);
    this.#commands = settings.paths.map((_, node) =>
      settings.flash.includes(node) ? new NorCommand() : undefined
    );
    this.#log = log;
  }

  get selected(): boolean {
    return this.#selected !== NOT_SELECTED;
  }

  continues(transfer: Transfer): boolean {
    const { chipSelect } = transfer;
    return chipSelect === this.#selected &&
      (transfer.txLength === 0 || this.#commands[chipSelect] !== undefined) &&
      this.#nodes.mode(chipSelect) === this.#mode(transfer);
  }

  run(transfer: Transfer, data: TransferData): boolean {
    const node = transfer.chipSelect;
    const mode = this.#mode(transfer);
    if (this.#nodes.mode(node) !== mode) {
      if (writeMode(this.#nodes.fd(node), mode) < 0) return this.#failed(node);
      this.#nodes.setMode(node, mode);
    }
    const begins = this.#selected !== node;
    const keep = this.#isUnfinished(transfer, data, begins) && transfer.csChange === 0;
    this.#describe(transfer);
    const tx = transfer.txLength > 0 ? this.#sent.of(data.sent) : 0;
    const rx = transfer.rxLength > 0 ? this.#received.of(data.received) : 0;
    const size = wordBytes(transfer.bitsPerWord);
    const { pieceSize } = this.#settings;
    const piece = Math.max(size, pieceSize - pieceSize % size);
    const { length } = transfer;
    let done = 0;
    do {
      const part = Math.min(piece, length - done);
      const last = done + part === length;
      this.#message.clear();
      if (done === 0 && begins && transfer.setup > 0) this.#appendDelay(transfer.setup);
      this.#common.delayMicroseconds = last ? microseconds(transfer.hold) : 0;
      const from = tx === 0 ? 0 : tx + done;
      const to = rx === 0 ? 0 : rx + done;
      // At the end of a message, cs_change keeps the chip selected.
      this.#message.append(from, to, part, this.#common, last ? keep : true);
      if (this.#message.send(this.#nodes.fd(node)) < 0) return this.#failed(node);
      done += part;
    } while (done < length);
    this.#selected = keep ? node : NOT_SELECTED;
    return true;
  }

  duration(transfer: Transfer): number {
    return this.selected ? 0 : transfer.inactive / 1e6;
  }

  deselect(): void {
    const node = this.#selected;
    if (node === NOT_SELECTED) return;
    this.#selected = NOT_SELECTED;
    this.#release(node);
  }

  close(): void {
    this.#nodes.close();
  }

  #mode(transfer: Transfer): number {
    const found = this.#nodes.originalMode(transfer.chipSelect);
    return (found & ~REQUEST_MODES) | this.#lineMode | hostMode(transfer.mode);
  }

  /** True if more is to be expected of the message that the transfer belongs to. */
  #isUnfinished(transfer: Transfer, data: TransferData, begins: boolean): boolean {
    const { chipSelect, txLength, rxLength } = transfer;
    const command = this.#commands[chipSelect];
    if (command === undefined) return txLength > 0 && rxLength === 0;
    if (begins) command.begin();
    command.follow(data.sent.bytes[0], txLength, rxLength);
    return command.expectsMore;
  }

  #describe(transfer: Transfer): void {
    const common = this.#common;
    common.speed = transfer.frequency;
    common.bitsPerWord = transfer.bitsPerWord;
    common.wordDelayMicroseconds = microseconds(transfer.wordDelay);
    common.txLines = transfer.txNbits;
    common.rxLines = transfer.rxNbits;
  }

  /** A delay after the chip is selected: that of a transfer without data. */
  #appendDelay(nanoseconds: number): void {
    this.#common.delayMicroseconds = microseconds(nanoseconds);
    this.#message.append(0, 0, 0, this.#common, false);
  }

  /** Setting the mode, even to what it is, makes the kernel release the chip select. */
  #release(node: number): void {
    writeMode(this.#nodes.fd(node), this.#nodes.mode(node));
  }

  #failed(node: number): boolean {
    const number = errno();
    this.#selected = NOT_SELECTED;
    const hint = number === EMSGSIZE ? "; load spidev with a larger bufsiz" : "";
    const text = `a transfer of ${this.#settings.paths[node]} has failed: ` +
      `${errnoText(number)}${hint}`;
    if (number === this.#lastError) this.#log.debug(text);
    else this.#log.warn(`${text}; more of this kind are logged at level debug`);
    this.#lastError = number;
    this.#release(node);
    return false;
  }
}
