/**
 * Responses whose status is their last byte, behind what was read: those of I2C and SPI.
 *
 * @module
 */

import type { DescriptorChain } from "./descriptor_chain.ts";

/** The most that is zeroed for a failed request, in bytes: as much as the longest transfer has. */
const LIMIT = 16 * 2 ** 20;

/**
 * Ends a request that has failed. The status is at the end of the response, whatever of it has been
 * read; a driver must not look beyond the bytes that count as written, and those are counted from
 * the first on (specification, "The Virtqueue Used Ring"). So what comes before the status is
 * zeroed, and counts. Nothing counts of a response that is longer than any can be, or whose buffers
 * are left alone for the time being.
 *
 * @returns the number of bytes written
 */
export function writeFailure(chain: DescriptorChain, status: number): number {
  const last = chain.writableLength - 1;
  if (last < 0) return 0;
  const isZero = last === 0 || (last <= LIMIT && chain.zero(last));
  chain.writeU8(last, status);
  return isZero ? last + 1 : 0;
}
