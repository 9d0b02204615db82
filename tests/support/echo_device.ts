/**
 * A virtio device for tests of the transport: it gives back what it is given.
 *
 * @module
 */

import { type DescriptorChain, HostBuffer } from "../../lib/virtio/descriptor_chain.ts";
import { type DeviceHost, HELD, type VirtioDevice } from "../../lib/virtio/device.ts";

/** A device feature for tests. */
export const F_ECHO = 1n;
/** The queue whose requests are answered at once. */
export const ECHO_QUEUE = 0;
/** The queue whose requests are held until the test releases them. */
export const HOLD_QUEUE = 1;

/** Writes the bytes of the readable part, as many as fit, to the writable part. */
export class EchoDevice implements VirtioDevice {
  readonly id = 63;
  readonly queueCount = 2;
  readonly features = F_ECHO;
  readonly featureNames = new Map([[F_ECHO, "ECHO"]]);
  readonly config = Uint8Array.from({ length: 24 }, (_, index) => 0xa0 + index);
  /** What has been called, in order. */
  readonly calls: string[] = [];
  readonly held: DescriptorChain[] = [];
  taken = 0n;
  requests = 0;
  /** Instead of the echo. */
  answer: ((chain: DescriptorChain) => number) | undefined;
  readonly #buffer = new HostBuffer(1 << 20);
  #host: DeviceHost | undefined;

  constructor(readonly requiredFeatures = 0n) {}

  attach(host: DeviceHost): void {
    this.#host = host;
  }

  setFeatures(features: bigint): void {
    this.taken = features;
  }

  process(queue: number, chain: DescriptorChain): number {
    this.requests++;
    if (queue === HOLD_QUEUE) {
      this.held.push(chain);
      return HELD;
    }
    return this.answer === undefined ? this.echo(chain) : this.answer(chain);
  }

  echo(chain: DescriptorChain): number {
    const length = Math.min(chain.readableLength, chain.writableLength, this.#buffer.bytes.length);
    chain.read(0, this.#buffer, 0, length);
    return chain.write(0, this.#buffer, 0, length);
  }

  /** Answers the oldest held request. */
  release(): void {
    const chain = this.held.shift();
    if (chain !== undefined) this.#host?.complete(HOLD_QUEUE, chain, this.echo(chain));
  }

  /** Has the other queue served now. */
  drain(queue: number): void {
    this.#host?.drain(queue);
  }

  queueStopping(queue: number): void {
    this.calls.push(`stopping ${queue}`);
    if (queue !== HOLD_QUEUE) return;
    for (const chain of this.held.splice(0)) this.#host?.complete(queue, chain, 0);
  }

  reset(): void {
    this.calls.push("reset");
    this.taken = 0n;
  }

  close(): void {
    this.calls.push("close");
  }
}
