/**
 * A client's connection to the control socket: lines in, lines out. Nothing here waits.
 *
 * @module
 */

import { EPOLLIN, EPOLLOUT } from "../../ffi/epoll.ts";
import { EAGAIN, EINTR, errno } from "../../ffi/errno.ts";
import { close } from "../../ffi/fd.ts";
import { receiveBytes, sendBytes } from "../../ffi/stream.ts";
import type { EventHandler, Poller } from "../virtio/device.ts";
import { MAX_LINE } from "./protocol.ts";

/** The most that is read before others get their turn, in bytes. */
const CHUNK = 65536;
/** Events are left out while so many bytes wait to be read by the client. */
const EVENT_BACKLOG = 1 << 20;
/** A client that has so many waiting, and is sent as many again, does not read at all. */
const BACKLOG = 8 << 20;

const NEWLINE = 10;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What serves the lines of clients. */
export interface LineHandler {
  onLine(connection: ControlConnection, line: string): void;
  /** The connection has gone; nothing more can be sent. */
  onEnd(connection: ControlConnection): void;
}

/** One client. */
export class ControlConnection implements EventHandler {
  readonly #fd: number;
  readonly #poller: Poller;
  readonly #handler: LineHandler;
  readonly #chunk = new Uint8Array(CHUNK);
  /** The beginning of a line whose end has not come. */
  #partial = NOTHING;
  #partialLength = 0;
  #output: Uint8Array<ArrayBuffer>[] = [];
  #backlog = 0;
  /** How many bytes were sent on top of a backlog that was too large already. */
  #excess = 0;
  #isOpen = true;
  /** True while it is waited for room. */
  #waits = false;

  /** @param fd of the connected socket, which does not block and belongs to this from now on */
  constructor(fd: number, poller: Poller, handler: LineHandler) {
    this.#fd = fd;
    this.#poller = poller;
    this.#handler = handler;
    poller.watch(fd, EPOLLIN, this);
  }

  /** True if an event can be sent without more being kept than is good. */
  get hasRoom(): boolean {
    return this.#backlog < EVENT_BACKLOG;
  }

  onEvents(events: number): void {
    if (events & EPOLLOUT) this.#flush();
    if (this.#isOpen && events & ~EPOLLOUT) this.#read();
  }

  /** Sends a line, some time. */
  send(line: string): void {
    if (!this.#isOpen) return;
    const bytes = encoder.encode(line);
    // The description of a large world alone may be longer than what is to wait.
    this.#excess = this.#backlog > BACKLOG ? this.#excess + bytes.length : 0;
    if (this.#excess > BACKLOG) return this.close();
    this.#output.push(bytes);
    this.#backlog += bytes.length;
    if (!this.#waits) this.#flush();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#poller.unwatch(this.#fd);
    close(this.#fd);
    this.#output = [];
    this.#partial = NOTHING;
    this.#handler.onEnd(this);
  }

  #read(): void {
    const count = receiveBytes(this.#fd, this.#chunk);
    if (count < 0) {
      const number = errno();
      if (number !== EAGAIN && number !== EINTR) this.close();
      return;
    }
    if (count === 0) return this.close();
    let from = 0;
    for (let at = this.#chunk.indexOf(NEWLINE); at >= 0 && at < count && this.#isOpen;) {
      this.#line(this.#chunk.subarray(from, at));
      from = at + 1;
      at = this.#chunk.indexOf(NEWLINE, from);
    }
    if (from < count && this.#isOpen) this.#keep(this.#chunk.subarray(from, count));
  }

  #keep(rest: Uint8Array): void {
    const length = this.#partialLength + rest.length;
    // Whoever sends that much without an end is not to be understood.
    if (length > MAX_LINE) return this.close();
    if (length > this.#partial.length) {
      const grown = new Uint8Array(Math.min(2 * length, MAX_LINE));
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    this.#partial.set(rest, this.#partialLength);
    this.#partialLength = length;
  }

  #line(end: Uint8Array): void {
    let bytes = end;
    if (this.#partialLength > 0) {
      bytes = new Uint8Array(this.#partialLength + end.length);
      bytes.set(this.#partial.subarray(0, this.#partialLength));
      bytes.set(end, this.#partialLength);
      this.#partial = NOTHING;
      this.#partialLength = 0;
    }
    this.#handler.onLine(this, decoder.decode(bytes));
  }

  #flush(): void {
    while (this.#output.length > 0) {
      const bytes = this.#output[0];
      const count = sendBytes(this.#fd, bytes);
      if (count < 0) {
        const number = errno();
        if (number === EINTR) continue;
        if (number !== EAGAIN) return this.close();
        return this.#wait(true);
      }
      this.#backlog -= count;
      if (count === bytes.length) this.#output.shift();
      else this.#output[0] = bytes.subarray(count);
    }
    this.#wait(false);
  }

  #wait(waits: boolean): void {
    if (waits === this.#waits) return;
    this.#waits = waits;
    this.#poller.unwatch(this.#fd);
    // A client that does not read its replies gets no more of them.
    this.#poller.watch(this.#fd, waits ? EPOLLOUT : EPOLLIN, this);
  }
}
