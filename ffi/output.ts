/**
 * Writing to a descriptor that somebody else reads, or has stopped to read.
 *
 * @module
 */

import { EINTR, errno } from "./errno.ts";
import {
  fileStatus,
  O_NOCTTY,
  O_NONBLOCK,
  O_WRONLY,
  open,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
} from "./fd.ts";
import { libc } from "./libc.ts";

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/**
 * An output that does not make its writer wait: what the reader of a pipe, a socket or a terminal
 * has no room for is dropped.
 */
export class Output {
  /** Where it is written. */
  readonly fd: number;
  readonly #socket: boolean;
  /** The end of a write that was taken in part only. */
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** @param fd stays the caller's */
  constructor(fd: number) {
    let type = 0;
    try {
      type = fileStatus(fd).type;
    } catch {
      // Closed: every write will be dropped.
    }
    this.fd = fd;
    this.#socket = type === S_IFSOCK;
    if (type !== S_IFIFO && type !== S_IFCHR) return;
    try {
      // Whether a write waits is a matter of the open file, which other processes share. This is a
      // second one, of our own, of the same pipe or terminal.
      this.fd = open(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    } catch {
      // It belongs to another user.
    }
  }

  /** Writes all of `bytes`, the end of them perhaps with the next call; false if nothing of it. */
  write(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#rest.length > 0) this.#rest = this.#rest.subarray(this.#put(this.#rest));
    if (this.#rest.length > 0) return false;
    const count = this.#put(bytes);
    if (count > 0) this.#rest = bytes.subarray(count);
    return count > 0;
  }

  /** @returns how many bytes were taken */
  #put(bytes: Uint8Array<ArrayBuffer>): number {
    let done = 0;
    while (done < bytes.length) {
      const pointer = Deno.UnsafePointer.of(bytes.subarray(done));
      const count = this.#socket
        ? libc.send(this.fd, pointer, bytes.length - done, MSG_DONTWAIT | MSG_NOSIGNAL)
        : libc.write(this.fd, pointer, bytes.length - done);
      if (count > 0) done += count;
      else if (count === 0 || errno() !== EINTR) break;
    }
    return done;
  }
}
