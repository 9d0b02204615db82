/**
 * From words as they lie in memory to bytes as they go over the wire, and back.
 *
 * Words lie in memory little-endian; the wire begins with a word's most significant bit, or with
 * its least significant one. Chips think of bytes that begin with the most significant bit.
 *
 * @module
 */

const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) reversed |= ((byte >>> bit) & 1) << (7 - bit);
  return reversed;
});

/**
 * Puts the bytes from `start` to `end` in wire order, or back: it is the same either way.
 *
 * @param size of a word in bytes, which both are multiples of
 */
export function swapWireOrder(
  bytes: Uint8Array,
  start: number,
  end: number,
  size: number,
  lsbFirst: boolean,
): void {
  if (lsbFirst) {
    for (let index = start; index < end; index++) bytes[index] = REVERSED[bytes[index]];
    return;
  }
  if (size === 1) return;
  for (let word = start; word < end; word += size) {
    for (let low = word, high = word + size - 1; low < high; low++, high--) {
      const byte = bytes[low];
      bytes[low] = bytes[high];
      bytes[high] = byte;
    }
  }
}
