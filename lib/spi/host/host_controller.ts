/**
 * A real SPI controller: spidev nodes of one bus, one for each chip select.
 *
 * Linux guests send each transfer of a message by itself and do not say where the message ends: each
 * chip select has a rule for that (messages/rule.ts).
 *
 * A transfer longer than spidev's buffers, or than the thread may be deaf, goes in pieces, between
 * which the chip stays selected.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EMSGSIZE, ENODEV, ENXIO, errno, errnoText, ESHUTDOWN } from "../../../ffi/errno.ts";
import {
  DONE,
  FAILED,
  type Progress,
  type SpiBackend,
  type TransferData,
  UNFINISHED,
} from "../backend.ts";
import { Bus } from "../../threads/bus.ts";
import type { Limits, Transfer } from "../protocol.ts";
import { hostMode, lineMode, REQUEST_MODES } from "./mode.ts";
import { COMPLETE, type MessageRule, type MessageWaits } from "./messages/rule.ts";
import { makeRule, type MessageSetting } from "./messages/settings.ts";
import { MAX_WORD_TIME, Pieces } from "./pieces.ts";
import { SharedNodes } from "./shared_nodes.ts";

/** A real controller. */
export interface HostSettings {
  /** The nodes, in the order of the guest's chip selects. */
  readonly paths: readonly string[];
  readonly limits: Limits;
  /** By chip select: where messages end. */
  readonly messages: readonly MessageSetting[];
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
export function makeHostMemory(nodes: number, guests: number, bus?: SharedArrayBuffer): HostMemory {
  return {
    bus: bus ?? new SharedArrayBuffer(Bus.size(guests)),
    nodes: new SharedArrayBuffer(SharedNodes.size(nodes)),
  };
}

const NOT_SELECTED = -1;
/** After this time other descriptors get their turn between two pieces, in milliseconds. */
const BURST_TIME = 1;

/** What transfers of a node fail with that has gone. */
const GONE: readonly number[] = [ESHUTDOWN, ENODEV, ENXIO];
/** How often a node that has gone is looked for, in milliseconds. */
const RETRY_INTERVAL = 100;

/** A real controller, as one guest has it. */
export class HostController implements SpiBackend {
  readonly limits: Limits;
  readonly bus: Bus;
  readonly patient = false;
  readonly maxWordTime = MAX_WORD_TIME;
  readonly duty = "releasing its chips and putting back the modes of its nodes";
  readonly #settings: HostSettings;
  readonly #nodes: SharedNodes;
  readonly #lineMode: number;
  /** By chip select. */
  readonly #rules: readonly MessageRule[];
  readonly #log: Logger;
  readonly #pieces = new Pieces();
  #selected = NOT_SELECTED;
  #wait = COMPLETE;
  #lastError = 0;
  #retryAt = 0;
  /** Of the transfer at work. */
  #node = 0;

  /** @throws {RuntimeError} if a node cannot be had */
  constructor(
    settings: HostSettings,
    memory: HostMemory,
    guest: number,
    waits: MessageWaits,
    log: Logger,
  ) {
    this.limits = settings.limits;
    this.#settings = settings;
    this.#nodes = new SharedNodes(memory.nodes, settings.paths);
    this.bus = new Bus(memory.bus, guest);
    this.#lineMode = lineMode(settings.limits);
    this.#rules = settings.messages.map((setting, chipSelect) => {
      const of = `chip select ${chipSelect} (${settings.paths[chipSelect]})`;
      const warn = (text: string) => log.warn(`${of}: ${text}`);
      return makeRule(setting, waits, warn, (text) => log.info(`${of}: ${text}`));
    });
    this.#log = log;
  }

  get selected(): boolean {
    return this.#selected !== NOT_SELECTED;
  }

  get wait(): number {
    return this.#wait;
  }

  frequency({ chipSelect, frequency }: Transfer): number {
    if (frequency !== 0) return frequency;
    return this.limits.chipFrequencies?.[chipSelect] ?? this.limits.maxFrequency;
  }

  continues(transfer: Transfer): boolean {
    const { chipSelect } = transfer;
    return chipSelect === this.#selected && this.#rules[chipSelect].joins(transfer) &&
      this.#nodes.mode(chipSelect) === this.#mode(transfer);
  }

  run(transfer: Transfer, data: TransferData): Progress {
    const node = transfer.chipSelect;
    if (this.#nodes.isGone(node) && !this.#reopen(node)) return FAILED;
    const begins = this.#selected !== node;
    this.#pieces.clear();
    const progress = this.#start(transfer, data, begins);
    if (progress !== FAILED || this.#pieces.touched || !begins || !this.#nodes.isGone(node)) {
      return progress;
    }
    // It may have come back since the last transfer.
    return this.#reopen(node) ? this.#start(transfer, data, begins) : FAILED;
  }

  #start(transfer: Transfer, data: TransferData, begins: boolean): Progress {
    const node = transfer.chipSelect;
    const mode = this.#mode(transfer);
    if (this.#nodes.mode(node) !== mode && !this.#nodes.writeMode(node, mode)) {
      return this.#failed(node);
    }
    this.#wait = this.#follow(transfer, data.sent.bytes[0], begins);
    this.#node = node;
    const { pieceSize } = this.#settings;
    const frequency = this.frequency(transfer);
    this.#pieces.begin(transfer, data, pieceSize, frequency, begins, this.#wait > 0);
    return this.proceed();
  }

  proceed(): Progress {
    const pieces = this.#pieces;
    const begin = pieces.several ? performance.now() : 0;
    const fd = this.#nodes.fd(this.#node);
    for (;;) {
      if (!pieces.send(fd)) return this.#failed(this.#node);
      if (pieces.over) break;
      this.#selected = this.#node;
      if (performance.now() - begin >= BURST_TIME) return UNFINISHED;
    }
    this.#selected = this.#wait > 0 ? this.#node : NOT_SELECTED;
    return DONE;
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
    this.bus.close();
    this.#nodes.close();
  }

  #mode(transfer: Transfer): number {
    const found = this.#nodes.originalMode(transfer.chipSelect);
    return (found & ~REQUEST_MODES) | this.#lineMode | hostMode(transfer.mode);
  }

  /** How long to wait for what follows the transfer, in milliseconds. */
  #follow(transfer: Transfer, first: number, begins: boolean): number {
    const rule = this.#rules[transfer.chipSelect];
    if (begins) rule.begin();
    const wait = rule.follow(transfer, first);
    return transfer.csChange === 1 && !rule.csChangeKeeps ? COMPLETE : wait;
  }

  #release(node: number): void {
    this.#nodes.writeMode(node, this.#nodes.mode(node));
  }

  /** @returns false if the node is still gone */
  #reopen(node: number): boolean {
    const now = performance.now();
    if (now < this.#retryAt) return false;
    const path = this.#settings.paths[node];
    try {
      this.#nodes.reopen(node);
    } catch (error) {
      this.#retryAt = now + RETRY_INTERVAL;
      this.#log.debug(`${path} is not back: ${(error as Error).message}`);
      return false;
    }
    this.#log.info(`${path} is back`);
    return true;
  }

  #failed(node: number): Progress {
    const number = errno();
    this.#selected = NOT_SELECTED;
    if (GONE.includes(number)) {
      this.#nodes.setGone(node);
      const path = this.#settings.paths[node];
      this.#log.warn(`${path} is gone; transfers to it fail until it is back`);
      return FAILED;
    }
    const hint = number === EMSGSIZE ? "; load spidev with a larger bufsiz" : "";
    const text = `a transfer of ${this.#settings.paths[node]} has failed: ` +
      `${errnoText(number)}${hint}`;
    if (number === this.#lastError) this.#log.debug(text);
    else this.#log.warn(`${text}; more of this kind are logged at level debug`);
    this.#lastError = number;
    this.#release(node);
    return FAILED;
  }
}
