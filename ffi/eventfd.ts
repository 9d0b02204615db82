/**
 * eventfd(2), and the 8-byte reads and writes of anything that stands in for one.
 *
 * @module
 */

import { check } from "./errno.ts";
import { libc, SYS_write } from "./libc.ts";

const { read, syscall_write } = libc;
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

const one = new BigUint64Array(new ArrayBuffer(8));
one[0] = 1n;
const onePointer = Deno.UnsafePointer.of(one);
const counter = new BigUint64Array(new ArrayBuffer(8));
const counterPointer = Deno.UnsafePointer.of(counter);

/**
 * Makes a non-blocking eventfd.
 *
 * @throws {SystemError} as eventfd(2)
 */
export function createEventfd(initial = 0): number {
  return check("eventfd", libc.eventfd(initial, EFD_NONBLOCK | EFD_CLOEXEC));
}

/**
 * Adds one to the counter: the 8 bytes that eventfd(2) wants and that front-ends expect when they
 * pass a socket instead.
 *
 * @returns 8, or -1 with errno set
 */
export function signalEventfd(fd: number): number {
  return syscall_write(SYS_write, fd, onePointer, 8);
}

/** Takes what is in the counter, so that the descriptor is no longer readable. */
export function clearEventfd(fd: number): number {
  return read(fd, counterPointer, 8);
}
