/**
 * Words in messages: lists of them, and what a mistyped one was meant to be.
 *
 * @module
 */

/** `a, b or c` */
export function anyOf(words: readonly string[]): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`;
}

/** The number of edits that turn one word into the other, as far as it is below `limit`. */
function distance(from: string, to: string, limit: number): number {
  // Somebody may have sent a word of any length.
  if (Math.abs(from.length - to.length) >= limit) return limit;
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return Math.min(row[to.length], limit);
}

/** The candidate that `word` was probably meant to be, or `undefined`. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  // A word of one letter is one edit away from everything.
  const limit = Math.min(word.length, Math.max(2, Math.floor(word.length / 3)) + 1);
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: distance(word, candidate, limit) }))
    .sort((a, b) => a.edits - b.edits);
  if (ranked.length > 0 && ranked[0].edits < limit) return ranked[0].candidate;
  return word.length < 3 ? undefined : candidates.find((candidate) => candidate.includes(word));
}
