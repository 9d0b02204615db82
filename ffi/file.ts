/**
 * Files that are read whole.
 *
 * @module
 */

import { check, EINTR, errno } from "./errno.ts";
import { close, O_RDONLY, open } from "./fd.ts";
import { libc } from "./libc.ts";

/**
 * Reads a file, which may be a pipe or any other kind of file that comes to an end.
 *
 * @returns its bytes, or `undefined` where there are more than `limit`
 * @throws {SystemError} as open(2) and read(2)
 */
export function readFile(path: string, limit: number): Uint8Array<ArrayBuffer> | undefined {
  const fd = open(path, O_RDONLY);
  try {
    const bytes = new Uint8Array(limit + 1);
    let length = 0;
    while (length < bytes.length) {
      const rest = bytes.subarray(length);
      const count = libc.read(fd, Deno.UnsafePointer.of(rest), rest.length);
      if (count < 0 && errno() === EINTR) continue;
      if (check("read", count) === 0) return bytes.slice(0, length);
      length += count;
    }
    return undefined;
  } finally {
    close(fd);
  }
}
