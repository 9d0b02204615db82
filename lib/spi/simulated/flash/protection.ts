/**
 * Which part of a flash its status registers protect (data sheets of the Winbond W25Q series,
 * "Status Register Memory Protection").
 *
 * @module
 */

const KIB = 1024;
const BLOCK = 64 * KIB;
const SECTOR = 4 * KIB;
/** Sizes above have a fourth bit of protection in place of the one for sectors. */
const LARGE = 16384 * KIB;

// Bits of status register 1, and of 2.
const PROTECT_SHIFT = 2;
const BOTTOM = 1 << 5;
const SECTORS = 1 << 6;
const LARGE_BOTTOM = 1 << 6;
const COMPLEMENT = 1 << 6;

/** A range of addresses; `start` is `end` where there is nothing in it. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The length of what is protected, at the top or at the bottom. */
function protectedLength(size: number, status1: number): number {
  if (size > LARGE) {
    const level = (status1 >>> PROTECT_SHIFT) & 0xf;
    return level === 0 ? 0 : Math.min(size, BLOCK * 2 ** (level - 1));
  }
  const level = (status1 >>> PROTECT_SHIFT) & 7;
  if (level === 0) return 0;
  if (level === 7) return size;
  if (status1 & SECTORS) return SECTOR * 2 ** (Math.min(level, 4) - 1);
  return Math.min(size, Math.max(BLOCK, size / 64) * 2 ** (level - 1));
}

/**
 * What is protected from being programmed and erased.
 *
 * @param size of the flash in bytes
 */
export function protectedRange(size: number, status1: number, status2: number): Range {
  const length = protectedLength(size, status1);
  const bottom = (status1 & (size > LARGE ? LARGE_BOTTOM : BOTTOM)) !== 0;
  if (status2 & COMPLEMENT) {
    return bottom ? { start: length, end: size } : { start: 0, end: size - length };
  }
  return bottom ? { start: 0, end: length } : { start: size - length, end: size };
}
