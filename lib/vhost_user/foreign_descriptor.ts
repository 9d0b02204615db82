/**
 * Descriptors of a front-end through which 8 bytes are passed now and then: eventfds, and what
 * stands in for them.
 *
 * The front-end has the same open file as this side, and does with it what it likes at any moment:
 * clears O_NONBLOCK, fills the counter, reads first. Its flags are left as they are, for it may rely
 * on them. A write looks first whether there is room, unless the file does not wait anyway; and all
 * that may wait nevertheless is done under guard: see `ffi/guard.ts`.
 *
 * @module
 */

import { EAGAIN, EINTR, errno } from "../../ffi/errno.ts";
import { clearGuarded, clearSocket, signalGuarded, signalSocket } from "../../ffi/eventfd.ts";
import { close, fileStatus, isNonBlocking, isWritable, S_IFSOCK } from "../../ffi/fd.ts";

/** A front-end has made this thread wait: nothing that it passes is trusted any more. */
let suspicious = false;

/** What became of 8 bytes: they, or others before them, are there to be read. */
export const DELIVERED = 0;

/** True if `fd` is a socket, which can be asked not to wait whatever its flags are. */
export function isSocket(fd: number): boolean {
  return fileStatus(fd).type === S_IFSOCK;
}

/** Something to signal the front-end or the driver through. */
export class Notifier {
  #fd = -1;
  #isSocket = false;
  #waits = false;

  /** True if there is a descriptor. */
  get isSet(): boolean {
    return this.#fd >= 0;
  }

  /** Replaces the descriptor, which belongs to this object from now on; -1 for none. */
  set(fd: number): void {
    close(this.#fd);
    this.#fd = fd;
    if (fd < 0) return;
    this.#isSocket = isSocket(fd);
    this.#waits = !isNonBlocking(fd);
  }

  /**
   * Passes 8 bytes on.
   *
   * @returns {@linkcode DELIVERED} or an error number; after `EINTR`, which says that the front-end
   * has made it wait, there is no descriptor any more
   */
  signal(): number {
    const fd = this.#fd;
    if (this.#isSocket) return signalSocket(fd) === 8 ? DELIVERED : outcome(errno());
    if ((this.#waits || suspicious) && !isWritable(fd)) return DELIVERED;
    if (signalGuarded(fd) === 8) return DELIVERED;
    const number = errno();
    if (number === EINTR) {
      suspicious = true;
      this.set(-1);
    }
    return outcome(number);
  }
}

/** A full counter or socket tells the other side already. */
function outcome(number: number): number {
  return number === EAGAIN ? DELIVERED : number;
}

/** Takes 8 bytes of what is no eventfd. @returns false if there will be no more */
export function takeBytes(fd: number, socket: boolean): boolean {
  const count = socket ? clearSocket(fd) : clearGuarded(fd);
  return count > 0 || (count < 0 && errno() === EAGAIN);
}
