/**
 * Bytes of a part as far as the page knows them, and what of them was changed.
 *
 * @module
 */

/** How long a change is a fresh one, in milliseconds. */
export const FRESH = 6000;
/** So many changes are remembered. */
const MOST = 200;

/** @typedef {{ at: number, end: number, time: number }} Mark */

/** @param {string} digits */
export function bytesOf(digits) {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export class Memory {
  /**
   * The oldest first.
   *
   * @type {Mark[]}
   */
  marks = [];
  /** What is looked at: the bytes from {@linkcode at} on, `undefined` until they are read. */
  at = 0;
  /** @type {Uint8Array | undefined} */
  bytes;
  /** True if it has to be read again. */
  isStale = true;

  /**
   * Bytes have changed.
   *
   * @param {number} at
   * @param {number} length
   * @param {Uint8Array} data the first of them
   * @param {number} time
   */
  change(at, length, data, time) {
    const { bytes } = this;
    if (bytes === undefined || this.isStale || data.length < length) {
      this.#mark(at, at + length, time);
    } else {
      // Of a page that is written, often only a few bytes are others than before.
      let begin = -1;
      for (let index = 0; index <= length; index++) {
        const place = at + index - this.at;
        const isOther = index < length && bytes[place] !== data[index];
        if (isOther && begin < 0) begin = index;
        if (!isOther && begin >= 0) {
          this.#mark(at + begin, at + index, time);
          begin = -1;
        }
      }
    }
    if (bytes === undefined) return;
    for (let index = 0; index < data.length; index++) {
      const place = at + index - this.at;
      if (place >= 0 && place < bytes.length) bytes[place] = data[index];
    }
    const unknown = at + data.length;
    if (unknown < at + length && unknown < this.at + bytes.length && at + length > this.at) {
      this.isStale = true;
    }
  }

  /** When a byte was changed; `undefined` if it was not. @param {number} place */
  changedAt(place) {
    for (let index = this.marks.length - 1; index >= 0; index--) {
      const { at, end, time } = this.marks[index];
      if (place >= at && place < end) return time;
    }
    return undefined;
  }

  /**
   * @param {number} at
   * @param {number} end
   * @param {number} time
   */
  #mark(at, end, time) {
    const last = this.marks.at(-1);
    if (last !== undefined && at >= last.at && at <= last.end && time - last.time < FRESH / 6) {
      last.end = Math.max(last.end, end);
      last.time = time;
      return;
    }
    this.marks.push({ at, end, time });
    if (this.marks.length > MOST) this.marks.shift();
  }
}
