/**
 * Numbers as people write them.
 *
 * @module
 */

/**
 * Reads a whole number, decimal or hexadecimal with `0x`.
 *
 * @returns `undefined` for anything else, negative numbers and fractions included
 */
export function readInteger(text: string): number | undefined {
  if (!/^(\d+|0[xX][0-9a-fA-F]+)$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}
