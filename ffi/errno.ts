/**
 * `errno` and the error that carries it.
 *
 * @module
 */

import { constants } from "node:os";
import { libc } from "./libc.ts";

/** Error numbers that the daemons tell apart: errno(3). */
export const {
  EACCES,
  EADDRINUSE,
  EAGAIN,
  EBUSY,
  ECONNREFUSED,
  EINTR,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENODEV,
  ENOENT,
  ENOMEM,
  ENOTDIR,
  ENOTTY,
  ENXIO,
  EPERM,
  EROFS,
} = constants.errno;

/** Of which Node has no name; the same on all architectures that are built for. */
export const ESHUTDOWN = 108;

const location = libc.__errno_location();
if (location === null) throw new Error("the C library has no errno");
const cell = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));

/**
 * The calling thread's `errno`. Meaningful only right after a call that failed, before anything
 * else is called.
 */
export function errno(): number {
  return cell[0];
}

let names: ReadonlyMap<number, string> | undefined;

/** The symbolic name of an error number, for example `ENOENT`; the number itself if unknown. */
export function errnoName(number: number): string {
  names ??= new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
  return names.get(number) ?? String(number);
}

/** The C library's text for an error number, for example `No such file or directory`. */
export function errnoText(number: number): string {
  const text = libc.strerror(number);
  return text === null ? errnoName(number) : Deno.UnsafePointerView.getCString(text);
}

/** A system call that failed: which one, and with what error number. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** The call, for example `bind`. */
  readonly call: string;
  /** The error number. */
  readonly errno: number;

  constructor(call: string, number: number) {
    super(`${call}: ${errnoText(number)} (${errnoName(number)})`);
    this.call = call;
    this.errno = number;
  }
}

/**
 * Returns `result`, or throws where it is negative. For cold paths.
 *
 * @throws {SystemError} with the thread's errno
 */
export function check(call: string, result: number): number {
  if (result < 0) throw new SystemError(call, errno());
  return result;
}

/** A zero-terminated UTF-8 copy of `text`, as C expects a string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}
