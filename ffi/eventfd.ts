/**
 * eventfd(2), and the 8-byte reads and writes of anything that stands in for one.
 *
 * @module
 */

import { check } from "./errno.ts";
import { enter, leave } from "./guard.ts";
import { fast, libc, SYS_write } from "./libc.ts";

const read = fast("read");
const recv = fast("recv");
const send = fast("send");
const syscall_write = fast("syscall_write");
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

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
  return syscall_write.invoke(SYS_write, fd, onePointer, 8);
}

/**
 * The same under guard: the counter may be full, and the write then waits for room, however little
 * there is to be waited for.
 *
 * @returns 8, or -1 with errno set; `EINTR` if it would not have returned
 */
export function signalGuarded(fd: number): number {
  const { invoke } = syscall_write;
  enter();
  const result = invoke(SYS_write, fd, onePointer, 8);
  leave();
  return result;
}

/** The same for a socket, without waiting, whatever its flags are. */
export function signalSocket(fd: number): number {
  return send.invoke(fd, onePointer, 8, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/** Takes what is in the counter, so that the descriptor is no longer readable. */
export function clearEventfd(fd: number): number {
  return read.invoke(fd, counterPointer, 8);
}

/** The same under guard: another reader may have been quicker. */
export function clearGuarded(fd: number): number {
  const { invoke } = read;
  enter();
  const result = invoke(fd, counterPointer, 8);
  leave();
  return result;
}

/** The same for a socket, without waiting, whatever its flags are. */
export function clearSocket(fd: number): number {
  return recv.invoke(fd, counterPointer, 8, MSG_DONTWAIT);
}
