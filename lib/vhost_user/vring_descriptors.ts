/**
 * The three file descriptors of a ring: kick, call and error.
 *
 * @module
 */

import { EPOLLET, EPOLLIN } from "../../ffi/epoll.ts";
import { close, isEventfd } from "../../ffi/fd.ts";
import type { EventHandler } from "../virtio/device.ts";
import { DELIVERED, isSocket, Notifier, takeBytes } from "./foreign_descriptor.ts";
import type { Scheduler, Task } from "./scheduler.ts";

/** There is no descriptor yet: the call is owed. */
export const OWED = -1;

/** A ring's descriptors, each there or not. Those that are passed in belong to this object. */
export class VringDescriptors {
  readonly #scheduler: Scheduler;
  readonly #ring: EventHandler & Task;
  #kick = -1;
  #kickIsEventfd = false;
  #kickIsSocket = false;
  readonly #call = new Notifier();
  readonly #error = new Notifier();
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
    this.#kickIsSocket = isSocket(fd);
    // The counter of an eventfd need not be read: every write is an edge of its own.
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
    // Where the other end has gone, the connection will tell.
    if (!this.#kickIsEventfd && !takeBytes(this.#kick, this.#kickIsSocket)) this.dropKick();
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
    this.#call.set(fd);
  }

  /** Replaces the error descriptor; -1 for none. */
  setError(fd: number): void {
    this.#error.set(fd);
  }

  /**
   * Calls the driver.
   *
   * @returns {@linkcode DELIVERED}, {@linkcode OWED}, or an error number as of {@linkcode Notifier}
   */
  call(): number {
    this.#callOwed = !this.#call.isSet;
    return this.#callOwed ? OWED : this.#call.signal();
  }

  /** Calls the driver where that is owed. @returns as {@linkcode call} */
  callOwed(): number {
    return this.#callOwed && this.#call.isSet ? this.call() : DELIVERED;
  }

  /** Forgets that a call is owed. */
  forgetCall(): void {
    this.#callOwed = false;
  }

  /** Tells the front-end that the ring is broken. */
  reportError(): void {
    if (this.#error.isSet) this.#error.signal();
  }

  /** Closes all three. */
  close(): void {
    this.dropKick();
    this.#call.set(-1);
    this.#error.set(-1);
  }
}
