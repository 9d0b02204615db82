/**
 * Attributes of the kernel's objects: small files under `/sys`.
 *
 * Deno itself reads them only for programs that may do everything.
 *
 * @module
 */

import { close, O_RDONLY, open } from "./fd.ts";
import { libc } from "./libc.ts";

/** The most bytes of an attribute: a page. */
const PAGE = 4096;

/** The text of an attribute without white space around it, or `undefined` if it cannot be read. */
export function readAttribute(path: string): string | undefined {
  let fd: number;
  try {
    fd = open(path, O_RDONLY);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(new ArrayBuffer(PAGE));
  const length = libc.read(fd, Deno.UnsafePointer.of(bytes), PAGE);
  close(fd);
  return length < 0 ? undefined : new TextDecoder().decode(bytes.subarray(0, length)).trim();
}
