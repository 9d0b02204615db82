/**
 * Responses whose status is their last byte, behind what was read: those of I2C and SPI.
 *
 * @module
 */

import { type DescriptorChain, HostBuffer } from "./descriptor_chain.ts";

const ZEROS = new HostBuffer(4096);
/** The most that is zeroed for a failed request, in bytes: as much as the longest transfer has. */
const LIMIT = 16 * 2 ** 20;

/**
 * Ends a request that has failed. The status is at the end of the response, whatever of it has been
 * read; a driver must not look beyond the bytes that count as written, and those are counted from
 * the first on (specification, "The Virtqueue Used Ring"). So what comes before the status is
 * zeroed, and counts. Of a response that is longer than any can be, nothing counts.
 *
 * @returns the number of bytes written
 */
export function writeFailure(chain: DescriptorChain, status: number): number {
  const last = chain.writableLength - 1;
  if (last < 0) return 0;
  chain.writeU8(last, status);
  if (last > LIMIT) return 0;
  for (let position = 0; position < last; position += ZEROS.bytes.length) {
    chain.write(position, ZEROS, 0, Math.min(ZEROS.bytes.length, last - position));
  }
  return last + 1;
}
