/**
 * A second thread of a hostile front-end: it writes over the guest's memory while the first one
 * has the device read it.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import { Mapping } from "../../ffi/memory.ts";
import { Random } from "../support/random.ts";

/** Where to write, and for how long. */
export interface Scribbling {
  /** A file in memory, and its size. */
  readonly fd: number;
  readonly size: number;
  readonly seed: number;
  readonly milliseconds: number;
  /** Parts of the file, as offset and length. */
  readonly parts: readonly (readonly [number, number])[];
}

function scribble({ fd, size, seed, milliseconds, parts }: Scribbling): number {
  const random = new Random(seed);
  const mapping = new Mapping(fd, 0, size);
  const bytes = new Uint8Array(mapping.buffer(0, size));
  const end = performance.now() + milliseconds;
  let count = 0;
  while (performance.now() < end) {
    for (let turn = 0; turn < 100; turn++, count++) {
      const [offset, length] = random.pick(parts);
      const at = offset + random.below(length);
      // Small numbers make flags, lengths and indices that are nearly right.
      bytes[at] = random.oneIn(3) ? random.u32() : random.below(8);
      // From one part of memory to another: what was a descriptor is one again, elsewhere.
      if (random.oneIn(16)) {
        bytes.copyWithin(offset + (random.below(length) & ~15), at & ~15, at | 15);
      }
    }
  }
  mapping.close();
  return count;
}

self.onmessage = ({ data }: MessageEvent<Scribbling>) => self.postMessage(scribble(data));
