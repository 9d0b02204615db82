/**
 * Pseudo-terminals: pty(7). What is written to the one end is typed at the other.
 *
 * Source: ioctl_tty(2).
 *
 * @module
 */

import { check } from "./errno.ts";
import { close, O_NOCTTY, O_NONBLOCK, O_RDWR, open } from "./fd.ts";
import { libc } from "./libc.ts";

// _IOW('T', 0x31, int) and _IOR('T', 0x30, unsigned int)
const TIOCSPTLCK = 0x40045431;
const TIOCGPTN = 0x80045430;

/** A terminal for others, from behind its screen. */
export class PseudoTerminal {
  /** Can be watched; {@linkcode read} and {@linkcode write} do not wait. */
  readonly fd: number;
  /** Of the terminal. */
  readonly path: string;
  /** It stays open, so that it can be opened by one after the other. */
  readonly #terminal: number;

  /** @throws {SystemError} as open(2) and ioctl(2) */
  constructor() {
    this.fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
    try {
      const number = new Uint32Array(1);
      const pointer = Deno.UnsafePointer.of(number);
      check("ioctl", libc.ioctl(this.fd, TIOCSPTLCK, pointer));
      check("ioctl", libc.ioctl(this.fd, TIOCGPTN, pointer));
      this.path = `/dev/pts/${number[0]}`;
      this.#terminal = open(this.path, O_RDWR | O_NOCTTY);
    } catch (error) {
      close(this.fd);
      throw error;
    }
  }

  /** What is printed at the terminal. @returns how many bytes, or -1 with errno set */
  read(target: Uint8Array<ArrayBuffer>): number {
    return libc.read(this.fd, Deno.UnsafePointer.of(target), target.length);
  }

  /** Types. @returns how many bytes there was room for, or -1 with errno set */
  write(bytes: Uint8Array<ArrayBuffer>): number {
    return libc.write(this.fd, Deno.UnsafePointer.of(bytes), bytes.length);
  }

  close(): void {
    close(this.#terminal);
    close(this.fd);
  }
}
