/**
 * Unix stream sockets, with file descriptors passed along. Deno's own sockets hide both.
 *
 * @module
 */

import { check, ECONNREFUSED, errno } from "./errno.ts";
import { close } from "./fd.ts";
import { enter, leave } from "./guard.ts";
import { libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const SO_TYPE = 3;
const SO_PEERCRED = 17;
const SO_ACCEPTCONN = 30;
const SO_DOMAIN = 39;
const MSG_DONTWAIT = 0x40;
const MSG_CTRUNC = 0x08;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;

/** The longest path that fits `sun_path` with its terminating zero, in bytes: unix(7). */
export const MAX_SOCKET_PATH = 107;
/** How many may wait to be accepted. */
const BACKLOG = 128;
/** The most descriptors that one message can carry: `SCM_MAX_FD` of the kernel. */
export const MAX_MESSAGE_FDS = 253;

function address(path: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > MAX_SOCKET_PATH) {
    throw new RangeError(`a socket path has at most ${MAX_SOCKET_PATH} bytes`);
  }
  const result = new Uint8Array(2 + bytes.length + 1);
  result[0] = AF_UNIX;
  result.set(bytes, 2);
  return result;
}

/**
 * Makes a non-blocking socket that listens at `path`, which must not exist.
 *
 * @param mode of its file; all may connect whom the process's umask does not exclude if left out
 * @throws {SystemError} as bind(2) and listen(2)
 */
export function listenAt(path: string, mode = 0o777): number {
  const fd = check(
    "socket",
    libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
  );
  try {
    const name = address(path);
    // The file gets the mode that the socket has before.
    check("fchmod", libc.fchmod(fd, mode));
    check("bind", libc.bind(fd, name, name.length));
    check("listen", libc.listen(fd, BACKLOG));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * True if some process holds the socket at `path` open. It notices nothing: a datagram socket
 * cannot connect to a stream socket, but the attempt fails differently (`EPROTOTYPE`) from one at
 * a socket that nobody holds (`ECONNREFUSED`).
 */
export function isSocketAlive(path: string): boolean {
  const name = address(path);
  const fd = check("socket", libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const failed = libc.connect(fd, name, name.length) < 0 ? errno() : 0;
  close(fd);
  return failed !== ECONNREFUSED;
}

/**
 * Connects to the socket that listens at `path`, unless too many wait for it already. The result
 * does not block.
 *
 * @throws {SystemError} as connect(2); `EAGAIN` if it would have to wait
 */
export function connectNow(path: string): number {
  return connect(path, SOCK_NONBLOCK);
}

/**
 * Connects to the socket that listens at `path`, after those that wait for it already. Calls for
 * bytes with the result need not wait: see `stream.ts`.
 *
 * @throws {SystemError} as connect(2)
 */
export function connectTo(path: string): number {
  return connect(path, 0);
}

function connect(path: string, flags: number): number {
  const name = address(path);
  const fd = check("socket", libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  try {
    check("connect", libc.connect(fd, name, name.length));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Accepts a connection; -1 with errno set where there is none. The result does not block. */
export function accept(fd: number): number {
  return libc.accept4(fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

function socketOption(fd: number, option: number, value: Int32Array<ArrayBuffer>): boolean {
  const length = new Uint32Array([value.byteLength]);
  const bytes = new Uint8Array(value.buffer);
  return libc.getsockopt(fd, SOL_SOCKET, option, bytes, new Uint8Array(length.buffer)) === 0;
}

/**
 * What kind of socket `fd` is: a Unix stream socket that is listening, connected or neither
 * (`idle`), or `other` for everything else.
 */
export function socketKind(fd: number): "listening" | "connected" | "idle" | "other" {
  const number = (option: number) => {
    const value = new Int32Array(1);
    return socketOption(fd, option, value) ? value[0] : undefined;
  };
  if (number(SO_DOMAIN) !== AF_UNIX || number(SO_TYPE) !== SOCK_STREAM) return "other";
  if (number(SO_ACCEPTCONN) === 1) return "listening";
  // struct ucred: pid, uid, gid. Without a peer there is nobody to have a user id.
  const credentials = new Int32Array(3);
  const known = socketOption(fd, SO_PEERCRED, credentials);
  return known && credentials[1] !== -1 ? "connected" : "idle";
}

// struct msghdr: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48
const MSGHDR_SIZE = 56;
// struct cmsghdr: len 0 (size_t), level 8, type 12, data 16
const CMSG_HEADER = 16;
const CONTROL_SIZE = CMSG_HEADER + MAX_MESSAGE_FDS * 4 + 4;

class MessageHeader {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly data: Deno.PointerValue;
  readonly header = new DataView(new ArrayBuffer(MSGHDR_SIZE));
  readonly pointer: Deno.PointerValue;
  readonly control = new DataView(new ArrayBuffer(CONTROL_SIZE));
  readonly #vector = new DataView(new ArrayBuffer(16));
  readonly #base: bigint;

  constructor(size: number) {
    this.bytes = new Uint8Array(new ArrayBuffer(size));
    this.data = Deno.UnsafePointer.of(this.bytes);
    this.#base = Deno.UnsafePointer.value(this.data);
    const pointerTo = (view: DataView<ArrayBuffer>) =>
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(view));
    this.header.setBigUint64(16, pointerTo(this.#vector), true);
    this.header.setBigUint64(24, 1n, true);
    this.header.setBigUint64(32, pointerTo(this.control), true);
    this.pointer = Deno.UnsafePointer.of(this.header);
  }

  aim(offset: number, length: number, controlLength: number): void {
    this.#vector.setBigUint64(0, this.#base + BigInt(offset), true);
    this.#vector.setUint32(8, length, true);
    this.#vector.setUint32(12, 0, true);
    this.header.setUint32(40, controlLength, true);
    this.header.setUint32(44, 0, true);
    this.header.setUint32(48, 0, true);
  }
}

/** Receives bytes and descriptors into a buffer of its own. */
export class MessageReceiver {
  /** What was received. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** True if descriptors of the last call were lost: for want of room, or of numbers for them. */
  truncated = false;
  readonly #message: MessageHeader;

  /** @param size of the buffer in bytes */
  constructor(size: number) {
    this.#message = new MessageHeader(size);
    this.bytes = this.#message.bytes;
  }

  /**
   * Receives up to `length` bytes to `offset` of the buffer without waiting. Descriptors that came
   * along are appended to `fds`; they belong to the caller even if the message is of no use.
   *
   * @param room how many descriptors are taken at most; the kernel closes the others
   * @returns the number of bytes, 0 at the end of the stream, -1 with errno set
   */
  receive(
    socket: number,
    offset: number,
    length: number,
    fds: number[],
    room = MAX_MESSAGE_FDS,
  ): number {
    const message = this.#message;
    message.aim(offset, length, room > 0 ? CMSG_HEADER + room * 4 : 0);
    // It closes what there is no room for, which may linger.
    enter();
    const result = libc.recvmsg(socket, message.pointer, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    leave();
    if (result < 0) return result;
    this.truncated = (message.header.getUint32(48, true) & MSG_CTRUNC) !== 0;
    const end = message.header.getUint32(40, true);
    const control = message.control;
    let at = 0;
    while (at + CMSG_HEADER <= end) {
      const size = control.getUint32(at, true);
      if (size < CMSG_HEADER) break;
      const rights = control.getInt32(at + 8, true) === SOL_SOCKET &&
        control.getInt32(at + 12, true) === SCM_RIGHTS;
      const last = Math.min(at + size, end);
      for (let fd = at + CMSG_HEADER; rights && fd + 4 <= last; fd += 4) {
        fds.push(control.getInt32(fd, true));
      }
      at += (size + 7) & ~7;
    }
    return result;
  }
}

/** Sends bytes and descriptors from a buffer of its own. */
export class MessageSender {
  /** What is to be sent. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #message: MessageHeader;

  /** @param size of the buffer in bytes */
  constructor(size: number) {
    this.#message = new MessageHeader(size);
    this.bytes = this.#message.bytes;
  }

  /**
   * Sends the first `length` bytes of the buffer without waiting, with copies of `fds`.
   *
   * @returns the number of bytes sent, or -1 with errno set
   */
  send(socket: number, length: number, fds: readonly number[] = []): number {
    const message = this.#message;
    const size = fds.length === 0 ? 0 : CMSG_HEADER + fds.length * 4;
    message.aim(0, length, (size + 7) & ~7);
    if (size > 0) {
      message.control.setBigUint64(0, BigInt(size), true);
      message.control.setInt32(8, SOL_SOCKET, true);
      message.control.setInt32(12, SCM_RIGHTS, true);
      fds.forEach((fd, index) => message.control.setInt32(CMSG_HEADER + index * 4, fd, true));
    }
    return libc.sendmsg(socket, message.pointer, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}
