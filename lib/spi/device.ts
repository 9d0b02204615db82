/**
 * The virtio SPI controller: requests in, results out, one after the other.
 *
 * Source: virtio specification, "SPI Controller Device".
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { type DescriptorChain, HostBuffer } from "../virtio/descriptor_chain.ts";
import { type DeviceHost, HELD, type VirtioDevice } from "../virtio/device.ts";
import { writeFailure } from "../virtio/trailing_status.ts";
import type { SpiBackend, TransferData } from "./backend.ts";
import { BusTurn, type TurnOwner } from "./bus_turn.ts";
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

/** One guest's SPI controller. */
export class SpiDevice implements VirtioDevice, TurnOwner {
  readonly id = SPI_DEVICE_ID;
  readonly queueCount = 1;
  readonly features = 0n;
  readonly requiredFeatures = 0n;
  readonly featureNames = new Map<bigint, string>();
  readonly config: Uint8Array;

  readonly #backend: SpiBackend;
  readonly #turn: BusTurn;
  readonly #log: Logger;
  readonly #transfer = new Transfer();
  #sent = new HostBuffer(USUAL_TRANSFER);
  #received = new HostBuffer(USUAL_TRANSFER);
  #data: TransferData = { sent: this.#sent, received: this.#received };
  #host: DeviceHost | undefined;
  /** Chains held: the first is at work or waits for the bus, the others are in line behind it. */
  readonly #held: DescriptorChain[] = [];
  #tooLong = false;
  /** Fields for which a transfer was refused. */
  readonly #refusals = new Set<string>();

  /**
   * @param messageTimeout how long a chip stays selected for the rest of a message, in milliseconds
   */
  constructor(backend: SpiBackend, messageTimeout: number, log: Logger) {
    this.#backend = backend;
    this.#turn = new BusTurn(backend, messageTimeout, this);
    this.#log = log;
    this.config = encodeConfig(backend.limits);
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    this.#turn.attach(host);
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

  busFree(): void {
    this.#goOn(false);
  }

  transferOver(): void {
    this.#goOn(true);
  }

  queueStopping(_queue: number): void {
    const atWork = this.#turn.transferring;
    this.#held.splice(0).forEach((chain, index) => {
      const written = index === 0 && atWork ? this.#finish(chain) : writeFailure(chain, TRANS_ERR);
      this.#host?.complete(0, chain, written);
    });
    this.#turn.end();
  }

  reset(): void {
    this.#turn.end();
  }

  close(): void {
    this.#turn.close();
    this.#backend.close();
  }

  /** Answers the first of the chains held and those behind it, as far as the bus lets it. */
  #goOn(firstIsOver: boolean): void {
    if (this.#held.length === 0) return;
    let written = firstIsOver ? this.#finish(this.#held[0]) : this.#begin(this.#held[0]);
    while (written !== HELD) {
      const done = this.#held.shift()!;
      this.#host?.complete(0, done, written);
      if (this.#held.length === 0) return;
      written = this.#begin(this.#held[0]);
    }
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
    const { rxLength } = this.#transfer;
    if (!this.#turn.succeeded) return writeFailure(chain, TRANS_ERR);
    if (rxLength > 0) chain.write(0, this.#data.received, 0, rxLength);
    chain.writeU8(rxLength, TRANS_OK);
    return rxLength + RESULT_SIZE;
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
}
