/**
 * epoll(7): one instance, its interest list and the events of the last wait.
 *
 * @module
 */

import { check } from "./errno.ts";
import { close } from "./fd.ts";
import { fast, libc, SYS_epoll_pwait } from "./libc.ts";

const syscall_epoll_pwait = fast("syscall_epoll_pwait");
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;

/** Event bits: epoll_ctl(2). */
export const EPOLLOUT = 0x004;
export const EPOLLIN = 0x1;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
/** Reported once per change instead of as long as it lasts. */
export const EPOLLET = 0x80000000;

// struct epoll_event is packed on x86_64 only: u32 events, then u64 data.
const packed = Deno.build.arch === "x86_64";
const EVENT_SIZE = packed ? 12 : 16;
const DATA_OFFSET = packed ? 4 : 8;
const MAX_EVENTS = 64;
/** So many waits are made before the fast way to wait is opened: it is for rings that are in use. */
const SELDOM = 64;

/** Calls that do not block this thread, opened where they are needed. */
function openAside() {
  return Deno.dlopen("libc.so.6", {
    /** `int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)` */
    epoll_wait: {
      parameters: ["i32", "pointer", "i32", "i32"],
      result: "i32",
      nonblocking: true,
    },
  });
}

let aside: ReturnType<typeof openAside> | undefined;

/** An epoll instance. Each entry carries a 32-bit token that comes back with its events. */
export class Epoll {
  readonly fd: number;
  readonly #events = new DataView(new ArrayBuffer(EVENT_SIZE * MAX_EVENTS));
  readonly #pointer: Deno.PointerValue;
  #waits = 0;
  readonly #change = new DataView(new ArrayBuffer(EVENT_SIZE));

  /** @throws {SystemError} as epoll_create(2) */
  constructor() {
    this.fd = check("epoll_create1", libc.epoll_create1(EPOLL_CLOEXEC));
    this.#pointer = Deno.UnsafePointer.of(this.#events);
  }

  /**
   * Adds `fd` to the interest list.
   *
   * @throws {SystemError} as epoll_ctl(2); `EPERM` for a file that cannot be polled
   */
  add(fd: number, events: number, token: number): void {
    this.#change.setUint32(0, events >>> 0, true);
    this.#change.setUint32(DATA_OFFSET, token, true);
    check("epoll_ctl", libc.epoll_ctl(this.fd, EPOLL_CTL_ADD, fd, this.#change.buffer));
  }

  /** Takes `fd` off the interest list; must come before `fd` is closed. */
  remove(fd: number): void {
    libc.epoll_ctl(this.fd, EPOLL_CTL_DEL, fd, this.#change.buffer);
  }

  /**
   * Blocks the thread until something happens.
   *
   * @param timeout in milliseconds; -1 waits without a limit
   * @returns how many events {@linkcode token} and {@linkcode events} can tell of, or -1 with errno
   */
  wait(timeout: number): number {
    const call = SYS_epoll_pwait;
    // Two places, for in each of them it is always the same function.
    if (this.#waits < SELDOM) {
      this.#waits++;
      return libc.syscall_epoll_pwait(call, this.fd, this.#pointer, MAX_EVENTS, timeout, null, 0);
    }
    return syscall_epoll_pwait.invoke(call, this.fd, this.#pointer, MAX_EVENTS, timeout, null, 0);
  }

  /**
   * The same on a thread of the runtime, so that this one does not block.
   *
   * @returns how many events; -1 without errno, which is the other thread's
   */
  waitAside(timeout: number): Promise<number> {
    aside ??= openAside();
    return aside.symbols.epoll_wait(this.fd, this.#pointer, MAX_EVENTS, timeout);
  }

  /** The token of the event at `index` of the last wait. */
  token(index: number): number {
    return this.#events.getUint32(index * EVENT_SIZE + DATA_OFFSET, true);
  }

  /** The event bits at `index` of the last wait. */
  events(index: number): number {
    return this.#events.getUint32(index * EVENT_SIZE, true);
  }

  close(): void {
    close(this.fd);
  }
}
