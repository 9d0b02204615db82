/**
 * What front-ends make of the kernel, and the daemons never do: files in memory, and connections.
 *
 * @module
 */

import { check, cString, errno, SystemError } from "../../ffi/errno.ts";
import { close } from "../../ffi/fd.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
/** The size of `sun_path` of unix(7), in bytes. */
const PATH_SIZE = 108;
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_HUGETLB = 4;

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  /** `int socket(int domain, int type, int protocol)`: socket(2) */
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  /** `int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen)`: connect(2) */
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** `int socketpair(int domain, int type, int protocol, int sv[2])`: socketpair(2) */
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  /** `int memfd_create(const char *name, unsigned int flags)`: memfd_create(2) */
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  /** `int ftruncate(int fd, off_t length)`: truncate(2) */
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
});

/**
 * Connects to the socket at `path`.
 *
 * @returns a blocking descriptor
 * @throws {SystemError} as connect(2)
 */
export function connectTo(path: string): number {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length >= PATH_SIZE) throw new RangeError(`${path} is too long for a socket`);
  const name = new Uint8Array(2 + bytes.length + 1);
  name[0] = AF_UNIX;
  name.set(bytes, 2);
  const fd = check("socket", libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (libc.connect(fd, name, name.length) < 0) {
    const error = new SystemError("connect", errno());
    close(fd);
    throw error;
  }
  return fd;
}

/** A pair of connected stream sockets. */
export function socketPair(): [number, number] {
  const pair = new Int32Array(2);
  const bytes = new Uint8Array(pair.buffer);
  check("socketpair", libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, bytes));
  return [pair[0], pair[1]];
}

/**
 * Makes an anonymous file of `size` bytes in memory.
 *
 * @param sealable false for one that nobody can keep from being cut short
 * @throws {SystemError} as memfd_create(2) and ftruncate(2)
 */
export function createMemfd(name: string, size: number, sealable = true): number {
  const flags = MFD_CLOEXEC | (sealable ? MFD_ALLOW_SEALING : 0);
  const fd = check("memfd_create", libc.memfd_create(cString(name), flags));
  setFileSize(fd, size);
  return fd;
}

/** Makes an empty file in huge pages; -1 where the kernel has none. */
export function createHugeMemfd(name: string): number {
  return libc.memfd_create(cString(name), MFD_CLOEXEC | MFD_HUGETLB);
}

/**
 * Cuts or extends the file behind `fd`.
 *
 * @throws {SystemError} as ftruncate(2)
 */
export function setFileSize(fd: number, size: number): void {
  check("ftruncate", libc.ftruncate(fd, BigInt(size)));
}
