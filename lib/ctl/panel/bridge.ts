/**
 * A page's way to a daemon: the lines of a WebSocket go to its control socket, and those of the
 * socket to the page. Who does not read is not read from, so that what a page misses is counted by
 * the daemon, and told.
 *
 * @module
 */

import { EPOLLIN, EPOLLOUT } from "../../../ffi/epoll.ts";
import { EAGAIN, EINTR, errno, SystemError } from "../../../ffi/errno.ts";
import { close } from "../../../ffi/fd.ts";
import { connectTo } from "../../../ffi/socket.ts";
import { receiveBytes, sendBytes } from "../../../ffi/stream.ts";
import type { Readiness } from "./readiness.ts";

/** The most that is read before others get their turn, in bytes. */
const CHUNK = 65536;
/** A page that has so many bytes waiting gets no more until it has read some. */
const PAGE_BACKLOG = 256 * 1024;
/** When it is looked again whether it has, in milliseconds. */
const PAGE_PATIENCE = 20;
/** A page that sends so many bytes which its daemon does not read is sent away. */
const DAEMON_BACKLOG = 4 << 20;
const NEWLINE = 10;

/** Close codes: what a page is told when its daemon cannot be reached, or has gone. */
const DAEMON_AWAY = 4001;
/** A page has sent what is not for the control socket. */
const UNSUITABLE = 1003;

/** One page and one daemon. */
export class Bridge {
  readonly #page: WebSocket;
  readonly #readiness: Readiness;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  /** Bytes from the daemon; at the beginning a line whose end has not come. */
  #input = new Uint8Array(CHUNK);
  #length = 0;
  /** Bytes that the daemon is to be sent. */
  #output: Uint8Array<ArrayBuffer>[] = [];
  #backlog = 0;
  #fd = -1;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param page whose connection is being made
   * @param path of the control socket
   */
  constructor(page: WebSocket, path: string, readiness: Readiness) {
    this.#page = page;
    this.#readiness = readiness;
    page.onopen = () => this.#connect(path);
    page.onmessage = ({ data }) => this.#fromPage(data);
    page.onclose = () => this.#close();
  }

  #connect(path: string): void {
    try {
      this.#fd = connectTo(path);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#page.close(DAEMON_AWAY);
      return;
    }
    this.#watch();
  }

  /** Waits for what can be done next. */
  #watch(): void {
    const reads = this.#timer === undefined;
    const events = (reads ? EPOLLIN : 0) | (this.#output.length > 0 ? EPOLLOUT : 0);
    this.#readiness.unwatch(this.#fd);
    // Without any event the end of the connection is still told.
    this.#readiness.watch(this.#fd, events, (ready) => {
      if (ready & EPOLLOUT) this.#flush();
      if (this.#fd >= 0 && ready & ~EPOLLOUT) this.#fromDaemon();
    });
  }

  #fromDaemon(): void {
    if (this.#length === this.#input.length) {
      const longer = new Uint8Array(2 * this.#length);
      longer.set(this.#input);
      this.#input = longer;
    }
    const count = receiveBytes(this.#fd, this.#input.subarray(this.#length));
    if (count < 0 && [EAGAIN, EINTR].includes(errno())) return;
    if (count <= 0) {
      this.#page.close(DAEMON_AWAY);
      return this.#close();
    }
    this.#length += count;
    const end = this.#input.lastIndexOf(NEWLINE, this.#length - 1) + 1;
    if (end === 0) return;
    // It may be about to close.
    if (this.#page.readyState === WebSocket.OPEN) {
      this.#page.send(this.#decoder.decode(this.#input.subarray(0, end)));
    }
    this.#input.copyWithin(0, end, this.#length);
    this.#length -= end;
    if (this.#page.bufferedAmount > PAGE_BACKLOG) this.#rest();
  }

  /** Reads no more from the daemon until the page has read. */
  #rest(): void {
    const wasReading = this.#timer === undefined;
    this.#timer = setTimeout(() => {
      // Deno 2.5 calls a timer that was cleared when it had come due already.
      if (this.#fd < 0) return;
      if (this.#page.bufferedAmount > PAGE_BACKLOG) return this.#rest();
      this.#timer = undefined;
      this.#watch();
    }, PAGE_PATIENCE);
    if (wasReading) this.#watch();
  }

  #fromPage(data: unknown): void {
    // What comes before the daemon is reached, or after it has gone, is of no use to anybody.
    if (this.#fd < 0) return;
    if (typeof data !== "string" || this.#backlog > DAEMON_BACKLOG) {
      this.#page.close(UNSUITABLE);
      return this.#close();
    }
    const bytes = this.#encoder.encode(data.endsWith("\n") ? data : `${data}\n`);
    const isIdle = this.#output.length === 0;
    this.#output.push(bytes);
    this.#backlog += bytes.length;
    if (isIdle) this.#flush();
  }

  #flush(): void {
    const waited = this.#output.length > 1;
    while (this.#output.length > 0) {
      const [bytes] = this.#output;
      const count = sendBytes(this.#fd, bytes);
      if (count < 0) {
        const number = errno();
        if (number === EINTR) continue;
        // The end of the connection is seen by who reads it.
        if (number !== EAGAIN) this.#output = [];
        break;
      }
      this.#backlog -= count;
      if (count === bytes.length) this.#output.shift();
      else this.#output[0] = bytes.subarray(count);
    }
    if (waited || this.#output.length > 0) this.#watch();
  }

  #close(): void {
    clearTimeout(this.#timer);
    if (this.#fd < 0) return;
    this.#readiness.unwatch(this.#fd);
    close(this.#fd);
    this.#fd = -1;
  }
}
