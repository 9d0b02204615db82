/**
 * The virtio SPI controller: requests in, results out, one after the other.
 *
 * Source: virtio specification, "SPI Controller Device".
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLIN } from "../../ffi/epoll.ts";
import { Timer } from "../../ffi/timerfd.ts";
import { type DescriptorChain, HostBuffer } from "../virtio/descriptor_chain.ts";
import { type DeviceHost, type EventHandler, HELD, type VirtioDevice } from "../virtio/device.ts";
import { writeFailure } from "../virtio/trailing_status.ts";
import type { SpiBackend, TransferData } from "./backend.ts";
import type { SpiEvents } from "./events.ts";
import { BusTurn, type TurnOwner } from "./bus_turn.ts";
import {
  encodeConfig,
  FUNC_CS_HIGH,
  HEAD_SIZE,
  MODE_CS_HIGH,
  PARAM_ERR,
  refusedField,
  RESULT_SIZE,
  SPI_DEVICE_ID,
  TRANS_ERR,
  TRANS_OK,
  Transfer,
} from "./protocol.ts";
import { transferTime, wordTime } from "./wire_time.ts";

/** The longest transfer in bytes; a longer one is refused. */
export const MAX_TRANSFER = 16 * 2 ** 20;
/** What is set aside for the data of a transfer from the start, in bytes. */
const USUAL_TRANSFER = 65536;

/** How long a message may wait for its rest after the longest transfer, in milliseconds. */
const TURN_ALLOWANCE = 1000;
/** After so long with transfers that had to wait, other descriptors get their turn; likewise. */
const CATCH_UP_LIMIT = 1;

/** One guest's SPI controller. */
export class SpiDevice implements VirtioDevice, EventHandler, TurnOwner {
  readonly id = SPI_DEVICE_ID;
  readonly queueCount = 1;
  readonly features = 0n;
  readonly requiredFeatures = 0n;
  readonly featureNames = new Map<bigint, string>();
  readonly config: Uint8Array;

  readonly #backend: SpiBackend;
  readonly #turn: BusTurn;
  readonly #maxTransferTime: number;
  readonly #log: Logger;
  readonly #events: SpiEvents | undefined;
  readonly #transfer = new Transfer();
  #sent = new HostBuffer(USUAL_TRANSFER);
  #received = new HostBuffer(USUAL_TRANSFER);
  #data: TransferData = { sent: this.#sent, received: this.#received };
  #host: DeviceHost | undefined;
  /** Chains held: the first is at work or waits for the bus, the others are in line behind it. */
  readonly #held: DescriptorChain[] = [];
  /** Lets others have their turn in the event loop before the first of them is begun. */
  readonly #timer = new Timer();
  #isPaused = false;
  /** What transfers were refused for. */
  readonly #refusals = new Set<string>();

  /** @param maxTransferTime a transfer that would take longer is refused; in milliseconds */
  constructor(backend: SpiBackend, maxTransferTime: number, log: Logger, events?: SpiEvents) {
    this.#events = events;
    this.#backend = backend;
    this.#turn = new BusTurn(backend, maxTransferTime + TURN_ALLOWANCE, this);
    this.#maxTransferTime = maxTransferTime;
    this.#log = log;
    this.config = encodeConfig(backend.limits);
  }

  get duty(): string | undefined {
    return this.#backend.duty;
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    this.#turn.attach(host);
    host.watch(this.#timer.fd, EPOLLIN, this);
  }

  setFeatures(_features: bigint): void {}

  process(_queue: number, chain: DescriptorChain): number {
    if (this.#held.length === 0) {
      const written = this.#begin(chain);
      if (written !== HELD) return written;
    }
    this.#held.push(chain);
    return HELD;
  }

  /** Others have had their turn. */
  onEvents(_events: number): void {
    if (!this.#timer.clear() || !this.#isPaused) return;
    this.#isPaused = false;
    this.#goOn(false);
  }

  busTaken(): void {
    this.#goOn(false);
  }

  transferOver(): void {
    this.#goOn(true);
  }

  chipReleased(): void {
    this.#events?.release();
  }

  queueStopping(_queue: number): void {
    const host = this.#host!;
    const held = this.#held.splice(0);
    this.#isPaused = false;
    if (held[0]?.isSuspended) {
      // Nobody waits for the transfer at work: its chip is released at once.
      this.#turn.end();
      for (const chain of held) host.complete(0, chain, 0);
      return;
    }
    if (this.#turn.transferring) {
      this.#turn.finish(() => host.isAwaited());
      const chain = held.shift()!;
      host.complete(0, chain, this.#finish(chain));
    }
    this.#turn.end();
    for (const chain of held.reverse()) {
      if (!host.putBack(0, chain)) host.complete(0, chain, writeFailure(chain, TRANS_ERR));
    }
  }

  reset(): void {
    this.#turn.end();
  }

  close(): void {
    this.#turn.close();
    this.#host?.unwatch(this.#timer.fd);
    this.#timer.close();
    this.#backend.close();
  }

  /** Answers the first of the chains held and those behind it, as far as the bus lets it. */
  #goOn(firstIsOver: boolean): void {
    if (this.#held.length === 0) return;
    const end = performance.now() + CATCH_UP_LIMIT;
    let written = firstIsOver ? this.#finish(this.#held[0]) : this.#begin(this.#held[0]);
    while (written !== HELD) {
      const done = this.#held.shift()!;
      this.#host?.complete(0, done, written);
      if (this.#held.length === 0) return;
      if (performance.now() >= end) {
        this.#isPaused = true;
        this.#timer.arm(0);
        return;
      }
      written = this.#begin(this.#held[0]);
    }
  }

  /** @returns the number of bytes written, or HELD where the answer has to wait */
  #begin(chain: DescriptorChain): number {
    if (chain.writableLength < RESULT_SIZE) return 0;
    const transfer = this.#transfer;
    const problem = transfer.decode(chain) ? this.#problem() : "the head is too short";
    if (problem !== undefined) {
      this.#logRefusal(problem);
      // What the guest wanted to go on with is over.
      this.#turn.end();
      return writeFailure(chain, PARAM_ERR);
    }
    if (!this.#turn.take(transfer)) return HELD;
    if (transfer.txLength > 0) chain.read(HEAD_SIZE, this.#sent, 0, transfer.txLength);
    this.#data.received = this.#received;
    return this.#turn.run(transfer, this.#data) ? this.#finish(chain) : HELD;
  }

  #finish(chain: DescriptorChain): number {
    this.#turn.endTransfer();
    const { succeeded } = this.#turn;
    this.#events?.transfer(this.#transfer, this.#data, succeeded, this.#backend.selected);
    const { rxLength } = this.#transfer;
    if (!succeeded) return writeFailure(chain, TRANS_ERR);
    if (rxLength > 0) chain.write(0, this.#data.received, 0, rxLength);
    chain.writeU8(rxLength, TRANS_OK);
    return rxLength + RESULT_SIZE;
  }

  /** Why the transfer is refused, for people; `undefined` if it is not. */
  #problem(): string | undefined {
    const transfer = this.#transfer;
    const { modeFunctions } = this.#backend.limits;
    const field = refusedField(transfer, this.#backend.limits);
    if (field !== undefined) {
      if (field === "mode" && transfer.mode & MODE_CS_HIGH && !(modeFunctions & FUNC_CS_HIGH)) {
        return "its chip select is active-high, and the controller's is not";
      }
      const hertz = field === "freq" ? ` of ${transfer.frequency} Hz` : "";
      return `${field}${hertz} is not what the controller can do`;
    }
    const { length } = transfer;
    if (length > MAX_TRANSFER) return `it has ${length} bytes, the limit is ${MAX_TRANSFER}`;
    const frequency = this.#backend.frequency(transfer);
    const milliseconds = transferTime(transfer, frequency);
    if (milliseconds > this.#maxTransferTime) {
      return `${length} bytes at ${frequency} Hz take ${seconds(milliseconds)}, the limit is ` +
        `${seconds(this.#maxTransferTime)} (max-transfer-ms)`;
    }
    const word = wordTime(transfer, frequency);
    if (length > 0 && word > this.#backend.maxWordTime) {
      return `a word at ${frequency} Hz takes ${seconds(word)}, the limit is ` +
        seconds(this.#backend.maxWordTime);
    }
    if (length > this.#sent.bytes.length) this.#makeRoom(length);
    return undefined;
  }

  #logRefusal(problem: string): void {
    const text = `a transfer is refused: ${problem}`;
    // Numbers apart, it is the same problem again.
    const kind = problem.replaceAll(/\d+/g, "");
    if (this.#refusals.has(kind)) this.#log.debug(text);
    else this.#log.warn(`${text}; more of this kind are logged at level debug`);
    this.#refusals.add(kind);
  }

  #makeRoom(length: number): void {
    const size = 2 ** Math.ceil(Math.log2(length));
    this.#sent = new HostBuffer(size);
    this.#received = new HostBuffer(size);
    this.#data = { sent: this.#sent, received: this.#received };
  }
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds) / 1000} s`;
}
