/**
 * Descriptors that keep whoever writes to them or closes them waiting.
 *
 * @module
 */

import { check } from "../../ffi/errno.ts";
import { close } from "../../ffi/fd.ts";

const library = Deno.dlopen("libc.so.6", {
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
});
const { eventfd, write, fcntl, socket, bind, listen, getsockname, connect, setsockopt, send } =
  library.symbols;

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const MSG_DONTWAIT = 0x40;

/** The file status flags of a descriptor. */
export function statusFlags(fd: number): number {
  return check("fcntl", fcntl(fd, F_GETFL, 0));
}

/** Has reads and writes wait, for everyone who has the same open file. */
export function makeBlocking(fd: number): void {
  check("fcntl", fcntl(fd, F_SETFL, statusFlags(fd) & ~O_NONBLOCK));
}

/** An eventfd(2) whose reads and writes wait. */
export function blockingEventfd(): number {
  return check("eventfd", eventfd(0, 0));
}

const almostAll = new BigUint64Array([2n ** 64n - 2n]);

/** Fills an empty counter, so that there is no room for one more. */
export function fillCounter(fd: number): void {
  check("write", write(fd, new Uint8Array(almostAll.buffer), 8));
}

/** A TCP connection to oneself, one end of which lingers when it is closed for the last time. */
export class LingeringSocket implements Disposable {
  readonly fd: number;
  readonly #listener: number;

  /** @param seconds how long */
  constructor(seconds: number) {
    const AF_INET = 2;
    const SOCK_STREAM = 1;
    this.#listener = check("socket", socket(AF_INET, SOCK_STREAM, 0));
    const address = new Uint8Array(16);
    address.set([AF_INET, 0, 0, 0, 127, 0, 0, 1]);
    check("bind", bind(this.#listener, address, 16));
    check("listen", listen(this.#listener, 1));
    check("getsockname", getsockname(this.#listener, address, new Uint32Array([16])));
    this.fd = check("socket", socket(AF_INET, SOCK_STREAM, 0));
    check("connect", connect(this.fd, address, 16));
    // Nobody reads what is sent here, and close(2) waits for it.
    while (send(this.fd, new Uint8Array(65536), 65536, MSG_DONTWAIT) > 0);
    const SOL_SOCKET = 1;
    const SO_LINGER = 13;
    check(
      "setsockopt",
      setsockopt(this.fd, SOL_SOCKET, SO_LINGER, new Int32Array([1, seconds]), 8),
    );
  }

  [Symbol.dispose](): void {
    close(this.#listener);
  }
}
