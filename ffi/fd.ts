/**
 * File descriptors of any kind: close, flags, what they are.
 *
 * @module
 */

import { check, cString, EINVAL, SystemError } from "./errno.ts";
import { enter, leave } from "./guard.ts";
import { libc } from "./libc.ts";

const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const POLLIN = 0x1;
const POLLOUT = 0x4;
const POLLRDHUP = 0x2000;
const S_IFMT = 0o170000;

/** File types of {@linkcode fileStatus}: inode(7). */
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFSOCK = 0o140000;

/** open(2) flags. */
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_NOCTTY = 0o400;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = Deno.build.arch === "x86_64" ? 0o200000 : 0o40000;
const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

/**
 * Opens a file.
 *
 * @throws {SystemError} as open(2)
 */
export function open(path: string, flags: number, mode = 0): number {
  // For C the path would end there, and be another one.
  if (path.includes("\0")) throw new SystemError("open", EINVAL);
  return check("open", libc.open(cString(path), flags | O_CLOEXEC, mode));
}

/**
 * Closes a descriptor; -1 stands for none. An error of close(2) leaves nothing to be done, and one
 * that lingers (a socket with `SO_LINGER`) is not waited for where the thread is under guard.
 */
export function close(fd: number): void {
  if (fd < 0) return;
  enter();
  libc.close(fd);
  leave();
}

/**
 * Makes `fd` refer to what `replacement` refers to, which is closed. Whoever uses the number sees
 * the one or the other, at any moment.
 *
 * @throws {SystemError} as dup3(2)
 */
export function replace(fd: number, replacement: number): void {
  try {
    check("dup3", libc.dup3(replacement, fd, O_CLOEXEC));
  } finally {
    close(replacement);
  }
}

/**
 * Another descriptor of what `fd` refers to.
 *
 * @throws {SystemError} as fcntl(2)
 */
export function duplicate(fd: number): number {
  return check("fcntl", libc.fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

/** True if `fd` is an open descriptor of this process. */
export function isOpen(fd: number): boolean {
  return libc.fcntl(fd, F_GETFL, 0) >= 0;
}

/** Makes reads and writes return `EAGAIN` instead of waiting. False if `fd` is not open. */
export function setNonBlocking(fd: number): boolean {
  const flags = libc.fcntl(fd, F_GETFL, 0);
  return flags >= 0 && libc.fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0;
}

/** True if reads and writes return `EAGAIN` instead of waiting. */
export function isNonBlocking(fd: number): boolean {
  const flags = libc.fcntl(fd, F_GETFL, 0);
  return flags >= 0 && (flags & O_NONBLOCK) !== 0;
}

// struct pollfd: i32 fd, i16 events, i16 revents
const entry = new DataView(new ArrayBuffer(8));
const entryPointer = Deno.UnsafePointer.of(entry);

function isReady(fd: number, events: number): boolean {
  entry.setInt32(0, fd, true);
  entry.setInt16(4, events, true);
  return libc.poll(entryPointer, 1, 0) > 0;
}

/** True if a write to `fd` would not wait now: there is room, or it would fail. */
export function isWritable(fd: number): boolean {
  return isReady(fd, POLLOUT);
}

/** True if a read of `fd` would not wait now: there is something, or it would fail. */
export function isReadable(fd: number): boolean {
  return isReady(fd, POLLIN);
}

/** True if the other end of the stream socket `fd` sends nothing more, whatever is unread. */
export function hasHungUp(fd: number): boolean {
  return isReady(fd, POLLRDHUP);
}

/** What `fd` refers to, as `/proc/self/fd` names it, for example `anon_inode:[eventfd]`. */
export function describe(fd: number): string {
  const target = new Uint8Array(256);
  const length = libc.readlink(cString(`/proc/self/fd/${fd}`), target, target.length);
  return length < 0 ? "" : new TextDecoder().decode(target.subarray(0, length));
}

/** True if `fd` is an eventfd(2), whose counter need not be read to be told of each write. */
export function isEventfd(fd: number): boolean {
  return describe(fd) === "anon_inode:[eventfd]";
}

/**
 * Takes the file behind `fd` for this process (flock(2), advisory), until `fd` is closed.
 *
 * @returns false with errno set, `EAGAIN` if another process, or another opening of the file, has it
 */
export function lockExclusively(fd: number): boolean {
  return libc.flock(fd, LOCK_EX | LOCK_NB) === 0;
}

/**
 * The same, together with others who share it; nobody can have it exclusively then.
 *
 * @returns false with errno set, `EAGAIN` if somebody has it exclusively
 */
export function lockShared(fd: number): boolean {
  return libc.flock(fd, LOCK_SH | LOCK_NB) === 0;
}

/** Lets others take it again, before `fd` is closed. */
export function unlock(fd: number): void {
  libc.flock(fd, LOCK_UN);
}

/** What stat(2) tells of a file. */
export interface FileStatus {
  /** One of the `S_IF…` types. */
  readonly type: number;
  /** The permissions, for example `0o660`. */
  readonly mode: number;
  readonly group: number;
  /** With {@linkcode inode}, which file it is. */
  readonly device: bigint;
  readonly inode: bigint;
  /** Which device it stands for; meaningful for a device node. */
  readonly deviceNode: bigint;
  /** In bytes; meaningful for a regular file. */
  readonly size: number;
}

/**
 * What a call of the stat(2) family tells.
 *
 * @param call its name
 * @param read fills a `struct stat`
 * @throws {SystemError} as the call
 */
export function readStatus(
  call: string,
  read: (stat: ArrayBuffer) => number,
): FileStatus {
  const stat = new DataView(new ArrayBuffer(256));
  check(call, read(stat.buffer));
  // struct stat: st_dev 0, st_ino 8, st_size 48 on both; the others are elsewhere on arm64.
  const [modeAt, groupAt, nodeAt] = Deno.build.arch === "x86_64" ? [24, 32, 40] : [16, 28, 32];
  const mode = stat.getUint32(modeAt, true);
  return {
    type: mode & S_IFMT,
    mode: mode & ~S_IFMT,
    group: stat.getUint32(groupAt, true),
    device: stat.getBigUint64(0, true),
    inode: stat.getBigUint64(8, true),
    deviceNode: stat.getBigUint64(nodeAt, true),
    size: stat.getUint32(52, true) * 2 ** 32 + stat.getUint32(48, true),
  };
}

/**
 * What the file behind `fd` is.
 *
 * @throws {SystemError} as fstat(2)
 */
export function fileStatus(fd: number): FileStatus {
  return readStatus("fstat", (stat) => libc.fstat(fd, stat));
}

/**
 * Keeps the file behind `fd` from getting shorter, where it can be sealed (a memfd made with
 * `MFD_ALLOW_SEALING`). What becomes of a touch past the end of a file that was cut is said in
 * `memory_fault.ts`.
 *
 * @returns true if the file can no longer shrink
 */
export function sealAgainstShrinking(fd: number): boolean {
  const seals = libc.fcntl(fd, F_GET_SEALS, 0);
  if (seals < 0) return false;
  if (seals & F_SEAL_SHRINK) return true;
  if (seals & F_SEAL_SEAL) return false;
  return libc.fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) >= 0;
}
