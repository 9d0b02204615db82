/**
 * Bytes over a connected socket that does not block: send(2) and recv(2).
 *
 * @module
 */

import { libc } from "./libc.ts";

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/**
 * Receives what there is, as far as it fits.
 *
 * @returns how many bytes, 0 at the end of the stream, or -1 with errno set
 */
export function receiveBytes(fd: number, target: Uint8Array<ArrayBuffer>): number {
  return libc.recv(fd, Deno.UnsafePointer.of(target), target.length, MSG_DONTWAIT);
}

/** Sends as much as there is room for. @returns how many bytes, or -1 with errno set */
export function sendBytes(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
  return libc.send(fd, Deno.UnsafePointer.of(bytes), bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
}
