/**
 * Attributes of the kernel's objects: small files under `/sys`.
 *
 * Deno itself reads them only for programs that may do everything.
 *
 * @module
 */

import { close, O_RDONLY, open } from "./fd.ts";
import { libc } from "./libc.ts";
import { PAGE_SIZE } from "./memory.ts";

/**
 * The text of an attribute, which is at most a page, without white space around it, or `undefined`
 * if it cannot be read.
 */
export function readAttribute(path: string): string | undefined {
  let fd: number;
  try {
    fd = open(path, O_RDONLY);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(new ArrayBuffer(PAGE_SIZE));
  const length = libc.read(fd, Deno.UnsafePointer.of(bytes), PAGE_SIZE);
  close(fd);
  return length < 0 ? undefined : new TextDecoder().decode(bytes.subarray(0, length)).trim();
}
