/**
 * How long transfers take on the wire.
 *
 * @module
 */

import { type Transfer, wordBytes } from "./protocol.ts";

/** Data lines that a transfer's bits share. */
function lines(transfer: Transfer): number {
  return Math.max(1, transfer.txLength > 0 ? transfer.txNbits : transfer.rxNbits);
}

/**
 * The time of one word, with the delay after it, in milliseconds. Whatever the size of a word, the
 * bits of its bytes in memory count: that is what drivers reckon with.
 *
 * @param frequency in Hz; 0 takes no time
 */
export function wordTime(transfer: Transfer, frequency: number): number {
  const bits = 8 * wordBytes(transfer.bitsPerWord) / lines(transfer);
  return (frequency === 0 ? 0 : bits * 1000 / frequency) + transfer.wordDelay / 1e6;
}

/**
 * The time of a transfer in milliseconds, from before the chip select's delay to after that of its
 * release.
 *
 * @param frequency in Hz; 0 takes no time
 * @param releases the chip select is released at the end
 */
export function transferTime(transfer: Transfer, frequency: number, releases = true): number {
  const words = transfer.length / wordBytes(transfer.bitsPerWord);
  const data = words > 0 ? words * wordTime(transfer, frequency) - transfer.wordDelay / 1e6 : 0;
  const inactive = releases ? transfer.inactive : 0;
  return data + (transfer.setup + transfer.hold + inactive) / 1e6;
}
