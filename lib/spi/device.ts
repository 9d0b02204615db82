/**
 * The virtio SPI controller: requests in, transfers out, one after the other.
 *
 * The protocol does not say where a message of several transfers ends. Whether a chip stays
 * selected between two transfers is therefore for the back-end to judge; the device sees to it that
 * a chip is not left selected for ever.
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
import type { SpiBackend, TransferData } from "./backend.ts";
import {
  encodeConfig,
  HEAD_SIZE,
  PARAM_ERR,
  refusedField,
  RESULT_SIZE,
  SPI_DEVICE_ID,
  TRANS_ERR,
  TRANS_OK,
  Transfer,
} from "./protocol.ts";

/** The longest transfer in bytes; a longer one is refused. */
export const MAX_TRANSFER = 16 * 2 ** 20;
/** What is set aside for the data of a transfer from the start, in bytes. */
const USUAL_TRANSFER = 65536;
/** Up to this time a transfer's end is waited for in place, in milliseconds. */
const SPIN_LIMIT = 0.05;
/** When a bus that another guest has is asked for again, in milliseconds. */
const CLAIM_INTERVAL = 0.2;

// What the timer is set for: nothing, the bus, the end of the transfer at work, or another transfer
// for the chip that is selected.
const NOTHING = 0;
const TURN = 1;
const END = 2;
const MORE = 3;

/** One guest's SPI controller. */
export class SpiDevice implements VirtioDevice, EventHandler {
  readonly id = SPI_DEVICE_ID;
  readonly queueCount = 1;
  readonly features = 0n;
  readonly requiredFeatures = 0n;
  readonly featureNames = new Map<bigint, string>();
  readonly config: Uint8Array;

  readonly #backend: SpiBackend;
  readonly #holdLimit: number;
  readonly #log: Logger;
  readonly #timer = new Timer();
  readonly #transfer = new Transfer();
  #sent = new HostBuffer(USUAL_TRANSFER);
  #received = new HostBuffer(USUAL_TRANSFER);
  #data: TransferData = { sent: this.#sent, received: this.#received };
  #host: DeviceHost | undefined;
  #waiting: number = NOTHING;
  #result: number = TRANS_OK;
  /** Chains held: the first is at work or waits for the bus, the others are in line behind it. */
  readonly #held: DescriptorChain[] = [];
  #tooLong = false;
  /** Fields for which a transfer was refused. */
  readonly #refusals = new Set<string>();

  /** @param holdLimit how long a chip stays selected for the transfer to follow, in milliseconds */
  constructor(backend: SpiBackend, holdLimit: number, log: Logger) {
    this.#backend = backend;
    this.#holdLimit = holdLimit;
    this.#log = log;
    this.config = encodeConfig(backend.limits);
  }

  attach(host: DeviceHost): void {
    this.#host = host;
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

  /** The time is up for whatever the timer was set for. */
  onEvents(_events: number): void {
    // Set anew in the meantime, the timer has nothing to tell.
    if (!this.#timer.clear()) return;
    const waiting = this.#waiting;
    this.#waiting = NOTHING;
    if (waiting === MORE) return this.#giveUp();
    const chain = this.#held[0];
    if (chain === undefined) return;
    let written = waiting === END ? this.#finish(chain) : this.#begin(chain);
    while (written !== HELD) {
      const done = this.#held.shift()!;
      this.#host?.complete(0, done, written);
      if (this.#held.length === 0) return;
      written = this.#begin(this.#held[0]);
    }
  }

  queueStopping(_queue: number): void {
    const atWork = this.#waiting === END;
    this.#stopTimer();
    this.#held.splice(0).forEach((chain, index) => {
      const written = index === 0 && atWork ? this.#finish(chain) : this.#answer(chain, TRANS_ERR);
      this.#host?.complete(0, chain, written);
    });
    this.#deselect();
  }

  reset(): void {
    this.#stopTimer();
    this.#deselect();
  }

  close(): void {
    this.reset();
    this.#host?.unwatch(this.#timer.fd);
    this.#timer.close();
    this.#backend.close();
  }

  /** @returns the number of bytes written, or HELD where the answer has to wait */
  #begin(chain: DescriptorChain): number {
    if (chain.writableLength < RESULT_SIZE) return 0;
    const transfer = this.#transfer;
    const refused = transfer.decode(chain)
      ? refusedField(transfer, this.#backend.limits)
      : "the head's length";
    if (refused !== undefined || !this.#makeRoom(transfer.length)) {
      if (refused !== undefined) this.#logRefusal(refused);
      // What the guest wanted to go on with is over.
      this.#deselect();
      return this.#answer(chain, PARAM_ERR);
    }
    if (!this.#takeBus()) {
      this.#wait(TURN, CLAIM_INTERVAL);
      return HELD;
    }
    if (transfer.txLength > 0) chain.read(HEAD_SIZE, this.#sent, 0, transfer.txLength);
    this.#data.received = this.#received;
    this.#result = this.#backend.run(transfer, this.#data) ? TRANS_OK : TRANS_ERR;
    const duration = this.#result === TRANS_OK ? this.#backend.duration(transfer) : 0;
    if (duration > SPIN_LIMIT) {
      this.#wait(END, duration);
      return HELD;
    }
    if (duration > 0) spin(duration);
    return this.#finish(chain);
  }

  /** The bus is this guest's, and the chip selected no other than the one the transfer is for. */
  #takeBus(): boolean {
    const { bus } = this.#backend;
    if (!bus.isMine) return bus.claim();
    if (this.#waiting === MORE) this.#stopTimer();
    if (!this.#backend.selected || this.#backend.continues(this.#transfer)) return true;
    this.#backend.deselect();
    if (!bus.isWanted) return true;
    bus.release();
    return bus.claim();
  }

  #finish(chain: DescriptorChain): number {
    if (this.#backend.selected && this.#holdLimit > 0) this.#wait(MORE, this.#holdLimit);
    else this.#deselect();
    const { rxLength } = this.#transfer;
    if (this.#result !== TRANS_OK || rxLength === 0) return this.#answer(chain, this.#result);
    chain.write(0, this.#data.received, 0, rxLength);
    return rxLength + this.#answer(chain, TRANS_OK);
  }

  #answer(chain: DescriptorChain, result: number): number {
    chain.writeU8(chain.writableLength - RESULT_SIZE, result);
    return RESULT_SIZE;
  }

  /** What was to follow has not come in time. */
  #giveUp(): void {
    const { patient, bus } = this.#backend;
    if (patient && !bus.isWanted) this.#wait(MORE, this.#holdLimit);
    else this.#deselect();
  }

  /** Gives the bus back, with no chip selected. */
  #deselect(): void {
    const { bus } = this.#backend;
    if (bus.isMine) {
      if (this.#waiting === MORE) this.#stopTimer();
      if (this.#backend.selected) this.#backend.deselect();
    }
    bus.release();
  }

  #logRefusal(field: string): void {
    const hertz = field === "freq" ? ` of ${this.#transfer.frequency} Hz` : "";
    const text = `a transfer is refused: ${field}${hertz} is not what the controller can do`;
    if (this.#refusals.has(field)) this.#log.debug(text);
    else this.#log.warn(`${text}; more of this kind are logged at level debug`);
    this.#refusals.add(field);
  }

  /** @returns false if the transfer is too long */
  #makeRoom(length: number): boolean {
    if (length <= this.#sent.bytes.length) return true;
    if (length > MAX_TRANSFER) {
      if (!this.#tooLong) {
        this.#log.warn(`a transfer of ${length} bytes is refused, the limit is ${MAX_TRANSFER}`);
      }
      this.#tooLong = true;
      return false;
    }
    const size = 2 ** Math.ceil(Math.log2(length));
    this.#sent = new HostBuffer(size);
    this.#received = new HostBuffer(size);
    this.#data = { sent: this.#sent, received: this.#received };
    return true;
  }

  #wait(what: number, milliseconds: number): void {
    this.#waiting = what;
    this.#timer.arm(milliseconds);
  }

  #stopTimer(): void {
    if (this.#waiting === NOTHING) return;
    this.#waiting = NOTHING;
    this.#timer.disarm();
  }
}

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
