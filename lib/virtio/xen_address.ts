/**
 * Addresses of guests of Xen. One with bit 63 set is no address of memory: bits 12 to 43 are the
 * reference of a grant, the others those within its page.
 *
 * Source: Linux, drivers/xen/grant-dma-ops.c (`XEN_GRANT_DMA_ADDR_OFF`).
 *
 * @module
 */

/**
 * Where grants begin among addresses that are Numbers: bit 63 is moved to where no bit of an address
 * gets lost.
 */
export const GRANTS = 2 ** 52;

const BIT_63 = 2 ** 31;
const BIT_52 = 2 ** 20;

/** The address at `offset`, as {@linkcode joinXenAddress} has it. */
export function decodeXenAddress(view: DataView, offset: number): number {
  return joinXenAddress(view.getUint32(offset + 4, true), view.getUint32(offset, true));
}

/**
 * The address of which these are the two halves. What is too large for a Number comes out inexact,
 * and larger than any that there is.
 */
export function joinXenAddress(high: number, low: number): number {
  const isGrant = high >= BIT_63 && high < BIT_63 + BIT_52;
  return (isGrant ? high - BIT_63 + BIT_52 : high) * 2 ** 32 + low;
}

/** An address as its guest has it. */
export function encodeXenAddress(address: number): number | bigint {
  return address >= GRANTS && address <= Number.MAX_SAFE_INTEGER
    ? BigInt(address - GRANTS) + (1n << 63n)
    : address;
}
