/**
 * The three file descriptors of a ring: kick, call and error.
 *
 * @module
 */

import { EPOLLET, EPOLLIN } from "../../ffi/epoll.ts";
import { EAGAIN, errno } from "../../ffi/errno.ts";
import { clearEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { close, isEventfd, setNonBlocking } from "../../ffi/fd.ts";
import type { EventHandler } from "../virtio/device.ts";
import type { Scheduler, Task } from "./scheduler.ts";

/** What became of a call. */
export const DELIVERED = 0;
/** There is no descriptor yet: the call is owed. */
export const OWED = -1;

/** A ring's descriptors, each there or not. Those that are passed in belong to this object. */
export class VringDescriptors {
  readonly #scheduler: Scheduler;
  readonly #ring: EventHandler & Task;
  #kick = -1;
  #kickIsEventfd = false;
  #call = -1;
  #error = -1;
  #callOwed = false;

  /** @param ring is told of kicks, and asked for work where there can be none */
  constructor(scheduler: Scheduler, ring: EventHandler & Task) {
    this.#scheduler = scheduler;
    this.#ring = ring;
  }

  /**
   * Replaces the kick descriptor.
   *
   * @param fd -1 for none: the ring is then polled
   * @throws {SystemError} if it cannot be watched; there is none then
   */
  setKick(fd: number): void {
    this.dropKick();
    if (fd < 0) return this.#scheduler.attach(this.#ring, false);
    this.#kick = fd;
    this.#kickIsEventfd = isEventfd(fd);
    // The counter of an eventfd need not be read: every write is an edge of its own.
    if (!this.#kickIsEventfd) setNonBlocking(fd);
    try {
      this.#scheduler.watch(fd, this.#kickIsEventfd ? EPOLLIN | EPOLLET : EPOLLIN, this.#ring);
    } catch (error) {
      this.dropKick();
      throw error;
    }
    this.#scheduler.attach(this.#ring, true);
  }

  /** Takes what has come through the kick descriptor. */
  takeKick(): void {
    if (this.#kickIsEventfd) return;
    const count = clearEventfd(this.#kick);
    // The other end has gone; the connection will tell.
    if (count === 0 || (count < 0 && errno() !== EAGAIN)) this.dropKick();
  }

  /** Closes the kick descriptor; the ring is not polled either. */
  dropKick(): void {
    this.#scheduler.detach(this.#ring);
    if (this.#kick < 0) return;
    this.#scheduler.unwatch(this.#kick);
    close(this.#kick);
    this.#kick = -1;
  }

  /** Replaces the call descriptor; -1 for none. */
  setCall(fd: number): void {
    close(this.#call);
    this.#call = fd;
    // A full socket or counter must not block the daemon.
    if (fd >= 0) setNonBlocking(fd);
  }

  /** Replaces the error descriptor; -1 for none. */
  setError(fd: number): void {
    close(this.#error);
    this.#error = fd;
    if (fd >= 0) setNonBlocking(fd);
  }

  /**
   * Calls the driver.
   *
   * @returns {@linkcode DELIVERED}, {@linkcode OWED}, or an error number
   */
  call(): number {
    this.#callOwed = this.#call < 0;
    if (this.#callOwed) return OWED;
    if (signalEventfd(this.#call) === 8) return DELIVERED;
    const number = errno();
    // A full counter or socket tells the driver already.
    return number === EAGAIN ? DELIVERED : number;
  }

  /** Calls the driver where that is owed. @returns as {@linkcode call} */
  callOwed(): number {
    return this.#callOwed && this.#call >= 0 ? this.call() : DELIVERED;
  }

  /** Forgets that a call is owed. */
  forgetCall(): void {
    this.#callOwed = false;
  }

  /** Tells the front-end that the ring is broken. */
  reportError(): void {
    if (this.#error >= 0) signalEventfd(this.#error);
  }

  /** Closes all three and forgets that a call is owed. */
  close(): void {
    this.dropKick();
    close(this.#call);
    close(this.#error);
    this.#call = this.#error = -1;
    this.forgetCall();
  }
}
