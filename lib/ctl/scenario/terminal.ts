/**
 * Where a console is: what is printed there comes in, what is typed goes out.
 *
 * @module
 */

import { EAGAIN, EINTR, errno } from "../../../ffi/errno.ts";
import { close } from "../../../ffi/fd.ts";
import { PseudoTerminal } from "../../../ffi/pty.ts";
import { connectTo } from "../../../ffi/socket.ts";
import { receiveBytes, sendBytes } from "../../../ffi/stream.ts";
import type { Reactor } from "./reactor.ts";

const CHUNK = 65536;
/** How long is waited for room, in milliseconds, before the rest is tried again. */
const PAUSE = 5;

/** What is printed, as it comes. */
export type Print = (bytes: Uint8Array<ArrayBuffer>) => void;

/** Where text can be typed. */
export interface Terminal {
  /** Takes in what has been printed, and has not been seen yet. */
  drain(): void;
  type(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): void;
}

/** Writes all, as there is room. */
async function writeAll(
  bytes: Uint8Array<ArrayBuffer>,
  write: (bytes: Uint8Array<ArrayBuffer>) => number,
): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    const count = write(rest);
    if (count >= 0) rest = rest.subarray(count);
    else if (![EAGAIN, EINTR].includes(errno())) throw new Error("the other end has gone");
    else await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function watch(
  reactor: Reactor,
  fd: number,
  read: (chunk: Uint8Array<ArrayBuffer>) => number,
  print: Print,
): () => void {
  const chunk = new Uint8Array(CHUNK);
  const take = () => {
    const count = read(chunk);
    if (count > 0) print(chunk.slice(0, count));
    else if (count === 0 || ![EAGAIN, EINTR].includes(errno())) reactor.unwatch(fd);
    return count > 0;
  };
  reactor.watch(fd, take);
  return () => {
    while (take()) {
      // There may be more.
    }
  };
}

/** A terminal of our own, which somebody opens by its path. */
export function openTerminal(reactor: Reactor, print: Print): Terminal & { readonly path: string } {
  const terminal = new PseudoTerminal();
  const drain = watch(reactor, terminal.fd, (chunk) => terminal.read(chunk), print);
  return {
    drain,
    path: terminal.path,
    type: (bytes) => writeAll(bytes, (rest) => terminal.write(rest)),
    close() {
      reactor.unwatch(terminal.fd);
      terminal.close();
    },
  };
}

/**
 * A socket at which somebody listens.
 *
 * @throws {SystemError} as connect(2)
 */
export function connectTerminal(reactor: Reactor, path: string, print: Print): Terminal {
  const fd = connectTo(path);
  const drain = watch(reactor, fd, (chunk) => receiveBytes(fd, chunk), print);
  return {
    drain,
    type: (bytes) => writeAll(bytes, (rest) => sendBytes(fd, rest)),
    close() {
      reactor.unwatch(fd);
      close(fd);
    },
  };
}
