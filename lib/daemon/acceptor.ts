/**
 * The listening socket of a guest: front-ends are accepted, one at a time.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLET, EPOLLIN } from "../../ffi/epoll.ts";
import { EAGAIN, EINTR, errno, errnoText } from "../../ffi/errno.ts";
import { createEventfd } from "../../ffi/eventfd.ts";
import { close, setNonBlocking } from "../../ffi/fd.ts";
import { accept } from "../../ffi/socket.ts";
import type { EventHandler } from "../virtio/device.ts";
import type { EventLoop } from "./event_loop.ts";

/** How long a front-end waits that can be neither served nor turned away, in milliseconds. */
const PATIENCE = 100;

/** What serves a front-end. */
export interface FrontEndServer {
  /** Takes a connection; `onEnd` is called when it has gone. */
  begin(fd: number, onEnd: () => void): void;
}

/** Accepts front-ends. */
export class Acceptor implements EventHandler {
  readonly #loop: EventLoop;
  readonly #server: FrontEndServer;
  readonly #socket: number;
  readonly #log: Logger;
  /** Given up for a moment where descriptors have run out; -1 while it could not be had again. */
  #spare = -1;
  #busy = false;

  /** @param socket listens; stays the caller's */
  constructor(loop: EventLoop, server: FrontEndServer, socket: number, log: Logger) {
    this.#loop = loop;
    this.#server = server;
    this.#socket = socket;
    this.#log = log;
    this.#refill();
    setNonBlocking(socket);
    loop.watch(socket, EPOLLIN, this);
  }

  onEvents(_events: number): void {
    if (this.#busy) {
      this.#log.warn("another front-end waits: a socket serves one at a time");
      return;
    }
    const fd = accept(this.#socket);
    if (fd < 0) {
      const number = errno();
      if (number !== EAGAIN && number !== EINTR) this.#turnAway(number);
      return;
    }
    this.#refill();
    this.#setBusy(true);
    this.#server.begin(fd, () => this.#setBusy(false));
  }

  /** Gives back what it has of its own. */
  close(): void {
    this.#giveUpSpare();
  }

  /** Closes a connection that cannot be served; left waiting, it would keep the loop busy. */
  #turnAway(number: number): void {
    this.#giveUpSpare();
    // Another thread may have been quicker, and the number be its by now.
    const fd = accept(this.#socket);
    close(fd);
    this.#refill();
    if (fd >= 0) {
      this.#log.error(`a front-end is turned away: ${errnoText(number)}`);
      return;
    }
    this.#log.error(`a front-end cannot be accepted yet: ${errnoText(number)}`);
    this.#loop.unwatch(this.#socket);
    this.#loop.after(PATIENCE, () => this.#watch());
  }

  #giveUpSpare(): void {
    close(this.#spare);
    this.#spare = -1;
  }

  #refill(): void {
    if (this.#spare >= 0) return;
    try {
      this.#spare = createEventfd();
    } catch {
      // Tried again with the next front-end.
    }
  }

  #setBusy(busy: boolean): void {
    this.#busy = busy;
    this.#loop.unwatch(this.#socket);
    this.#watch();
  }

  /** While a front-end is served, the next one is noticed once and otherwise waits in the queue. */
  #watch(): void {
    this.#loop.watch(this.#socket, this.#busy ? EPOLLIN | EPOLLET : EPOLLIN, this);
  }
}
