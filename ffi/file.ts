/**
 * Files and folders by their paths.
 *
 * Deno's own functions refuse paths below `/dev`, `/proc` and `/sys`, links to them as well, to
 * programs that may not do everything: to read and write in 2.5, to look at in later versions, too.
 *
 * @module
 */

import { check, cString, EINTR, errno } from "./errno.ts";
import { close, type FileStatus, O_RDONLY, open, readStatus } from "./fd.ts";
import { libc } from "./libc.ts";

/** The most bytes of a path, its end included. */
const PATH_MAX = 4096;
/** struct dirent: d_ino, d_off, d_reclen, d_type, and here the name. */
const D_NAME = 19;

/**
 * What the file at `path` is.
 *
 * @throws {SystemError} as stat(2)
 */
export function pathStatus(path: string): FileStatus {
  return readStatus("stat", (stat) => libc.stat(cString(path), stat));
}

/**
 * What is at `path` itself, be it a symbolic link.
 *
 * @throws {SystemError} as lstat(2)
 */
export function linkStatus(path: string): FileStatus {
  return readStatus("lstat", (stat) => libc.lstat(cString(path), stat));
}

/** True if there is something at `path`, as far as this user can see. */
export function exists(path: string): boolean {
  try {
    pathStatus(path);
    return true;
  } catch {
    return false;
  }
}

/** Where the symbolic link at `path` leads to, or `undefined` if there is none. */
export function readLink(path: string): string | undefined {
  const target = new Uint8Array(PATH_MAX);
  const length = libc.readlink(cString(path), target, target.length);
  return length < 0 ? undefined : new TextDecoder().decode(target.subarray(0, length));
}

/** The path without any symbolic link in it, or `undefined` if nothing is there. */
export function realPath(path: string): string | undefined {
  const resolved = new Uint8Array(PATH_MAX);
  if (libc.realpath(cString(path), resolved) === null) return undefined;
  return new TextDecoder().decode(resolved.subarray(0, resolved.indexOf(0)));
}

/** The names of what is in a folder, in no order; none if it cannot be read. */
export function listFolder(path: string): string[] {
  const folder = libc.opendir(cString(path));
  if (folder === null) return [];
  const names: string[] = [];
  for (;;) {
    const entry = libc.readdir(folder);
    if (entry === null) break;
    const name = Deno.UnsafePointerView.getCString(entry, D_NAME);
    if (name !== "." && name !== "..") names.push(name);
  }
  libc.closedir(folder);
  return names;
}

/**
 * Takes away what is at `path`, which is no folder.
 *
 * @throws {SystemError} as unlink(2)
 */
export function unlink(path: string): void {
  check("unlink", libc.unlink(cString(path)));
}

/**
 * Makes a file that long, in bytes.
 *
 * @throws {SystemError} as ftruncate(2)
 */
export function truncate(fd: number, length: number): void {
  check("ftruncate", libc.ftruncate(fd, BigInt(length)));
}

/** Writes some of `bytes` where `fd` stands. @returns how many, or -1 with errno set */
export function writeSome(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
  return libc.write(fd, Deno.UnsafePointer.of(bytes), bytes.length);
}

/**
 * Writes all of `bytes` at an offset of a file.
 *
 * @throws {SystemError} as pwrite(2)
 */
export function writeAt(fd: number, bytes: Uint8Array<ArrayBuffer>, offset: number): void {
  for (let done = 0; done < bytes.length;) {
    const rest = bytes.subarray(done);
    const count = libc.pwrite(fd, rest, rest.length, BigInt(offset + done));
    if (count < 0 && errno() === EINTR) continue;
    done += check("pwrite", count);
  }
}

/**
 * Reads what a file begins with, as far as one read(2) goes.
 *
 * @param limit in bytes
 * @throws {SystemError} as open(2) and read(2)
 */
export function readBeginning(path: string, limit: number): Uint8Array<ArrayBuffer> {
  const fd = open(path, O_RDONLY);
  try {
    const bytes = new Uint8Array(limit);
    const count = libc.read(fd, Deno.UnsafePointer.of(bytes), limit);
    return bytes.subarray(0, check("read", count));
  } finally {
    close(fd);
  }
}

/**
 * Reads a file, which may be a pipe or any other kind of file that comes to an end.
 *
 * @param more flags for open(2): with `O_NONBLOCK` nobody who writes to a pipe is waited for
 * @returns its bytes, or `undefined` where there are more than `limit`
 * @throws {SystemError} as open(2) and read(2)
 */
export function readFile(
  path: string,
  limit: number,
  more = 0,
): Uint8Array<ArrayBuffer> | undefined {
  const fd = open(path, O_RDONLY | more);
  try {
    return readToEnd(fd, limit);
  } finally {
    close(fd);
  }
}

/**
 * Reads from where `fd` stands to the end of the file.
 *
 * @returns the bytes, or `undefined` where there are more than `limit`
 * @throws {SystemError} as read(2)
 */
export function readToEnd(fd: number, limit: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(limit + 1);
  let length = 0;
  while (length < bytes.length) {
    const rest = bytes.subarray(length);
    const count = libc.read(fd, Deno.UnsafePointer.of(rest), rest.length);
    if (count < 0 && errno() === EINTR) continue;
    if (check("read", count) === 0) return bytes.slice(0, length);
    length += count;
  }
  return undefined;
}
