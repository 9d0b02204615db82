/**
 * The virtio entropy device: fills the buffers of one queue.
 *
 * Source: virtio specification, "Entropy Device".
 *
 * @module
 */

import { type DescriptorChain, HostBuffer } from "../../lib/virtio/descriptor_chain.ts";
import type { VirtioDevice } from "../../lib/virtio/device.ts";

/** The virtio device id. */
export const ENTROPY_DEVICE_ID = 4;

/** The most bytes of one answer: a guest may have more room, but has to be content with one byte. */
export const LARGEST_ANSWER = 4096;

/** Where random bytes come from. */
export interface EntropySource {
  /**
   * Fills the buffer from its start.
   *
   * @returns the number of bytes, at least 1 and at most `length`
   * @throws {RuntimeError} if there are none to be had
   */
  fill(buffer: HostBuffer, length: number): number;
  /** Releases what it holds of the host. */
  close(): void;
}

/** One guest's random number generator. */
export class EntropyDevice implements VirtioDevice {
  readonly id = ENTROPY_DEVICE_ID;
  readonly queueCount = 1;
  readonly features = 0n;
  readonly requiredFeatures = 0n;
  readonly featureNames: ReadonlyMap<bigint, string> = new Map();
  readonly config = new Uint8Array(0);
  readonly #source: EntropySource;
  readonly #buffer = new HostBuffer(LARGEST_ANSWER);

  constructor(source: EntropySource) {
    this.#source = source;
  }

  process(_queue: number, chain: DescriptorChain): number {
    const room = Math.min(chain.writableLength, LARGEST_ANSWER);
    if (room === 0) return 0;
    return chain.write(0, this.#buffer, 0, this.#source.fill(this.#buffer, room));
  }

  // Nothing is kept from one request to the next.
  attach(): void {}
  setFeatures(): void {}
  queueStopping(): void {}
  reset(): void {}

  close(): void {
    this.#source.close();
  }
}
