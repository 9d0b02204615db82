/**
 * Messages over one connection to a front-end: framing, and the file descriptors that come along.
 *
 * Nothing here waits. A message that arrives in pieces is put together over as many calls as it
 * takes.
 *
 * @module
 */

import { EAGAIN, EINTR, errno, errnoText } from "../../ffi/errno.ts";
import { close } from "../../ffi/fd.ts";
import { MessageReceiver, MessageSender } from "../../ffi/socket.ts";
import { encodeReplyHeader, HEADER_SIZE, MAX_CONFIG_SIZE, MAX_PAYLOAD } from "./message.ts";
import { decodeHeader, type Header, messageShape, requestName } from "./requests.ts";

/** What became of {@linkcode Connection.receive}. */
export const NOTHING_YET = 0;
/** A message is there: `header`, `payload` and `fds` tell of it. */
export const MESSAGE = 1;
/** The connection is of no more use; `reason` says why. */
export const CLOSED = 2;

/** One front-end's connection. */
export class Connection {
  readonly fd: number;
  /** The header of the last message. */
  readonly header: Header = { request: 0, needReply: false, size: 0 };
  /** The descriptors that came with it. They are closed with the next call unless taken. */
  readonly fds: number[] = [];
  /** Why the connection ended. */
  reason = "";

  readonly #receiver = new MessageReceiver(HEADER_SIZE + MAX_PAYLOAD);
  readonly #head = new DataView(this.#receiver.bytes.buffer, 0, HEADER_SIZE);
  readonly #sender = new MessageSender(HEADER_SIZE + 12 + MAX_CONFIG_SIZE);
  #received = 0;
  #complete = false;

  /** @param fd of the connected socket, which belongs to the connection from now on */
  constructor(fd: number) {
    this.fd = fd;
  }

  /** The payload of the last message, valid until the next is received. */
  get payload(): DataView {
    return new DataView(this.#receiver.bytes.buffer, HEADER_SIZE, this.header.size);
  }

  /** Where the payload of a reply goes before {@linkcode reply} sends it. */
  get replyPayload(): DataView {
    return new DataView(this.#sender.bytes.buffer, HEADER_SIZE);
  }

  /** Takes the one descriptor of the last message; -1 if there is none. */
  takeFd(): number {
    return this.fds.shift() ?? -1;
  }

  /**
   * Receives what there is, up to the end of one message.
   *
   * @returns {@linkcode NOTHING_YET}, {@linkcode MESSAGE} or {@linkcode CLOSED}
   */
  receive(): number {
    if (this.#complete) this.#forget();
    for (;;) {
      const header = this.#received < HEADER_SIZE;
      const end = header ? HEADER_SIZE : HEADER_SIZE + this.header.size;
      if (!header && this.#received === end) break;
      const { fd } = this;
      const count = this.#receiver.receive(fd, this.#received, end - this.#received, this.fds);
      if (count < 0) {
        const number = errno();
        if (number === EAGAIN) return NOTHING_YET;
        if (number === EINTR) continue;
        return this.#end(`receiving failed: ${errnoText(number)}`);
      }
      if (count === 0) {
        return this.#end(
          this.#received === 0
            ? "the front-end closed the connection"
            : "the front-end closed the connection in the middle of a message",
        );
      }
      this.#received += count;
      if (this.#receiver.truncated) {
        return this.#end("file descriptors of a message were lost (too many of them?)");
      }
      // Before the header is whole, nobody can say what may come along.
      if (this.#received < HEADER_SIZE) continue;
      if (header) {
        const problem = decodeHeader(this.#head, this.header);
        if (problem !== undefined) return this.#end(`malformed message: ${problem}`);
      }
      const allowed = messageShape(this.header.request)?.fds;
      if (allowed !== undefined && this.fds.length > allowed) {
        const name = requestName(this.header.request);
        return this.#end(
          `malformed message: ${name} comes with ${this.fds.length} file descriptors, ` +
            `expected ${allowed === 0 ? "none" : `at most ${allowed}`}`,
        );
      }
    }
    this.#complete = true;
    return MESSAGE;
  }

  /**
   * Replies to the last message with the first `size` bytes of {@linkcode replyPayload}.
   *
   * @returns false if it could not be sent; the connection is then of no more use
   */
  reply(size: number): boolean {
    const view = new DataView(this.#sender.bytes.buffer, 0, HEADER_SIZE);
    encodeReplyHeader(view, this.header.request, size);
    const count = this.#sender.send(this.fd, HEADER_SIZE + size);
    if (count === HEADER_SIZE + size) return true;
    this.reason = count < 0 && errno() !== EAGAIN
      ? `replying failed: ${errnoText(errno())}`
      : "the front-end does not read its replies";
    return false;
  }

  /** Replies with one 64-bit number. */
  replyU64(value: bigint): boolean {
    this.replyPayload.setBigUint64(0, value, true);
    return this.reply(8);
  }

  /** Closes the connection and every descriptor that nobody has taken. */
  close(): void {
    this.#forget();
    close(this.fd);
  }

  #forget(): void {
    for (const fd of this.fds) close(fd);
    this.fds.length = 0;
    this.#received = 0;
    this.#complete = false;
  }

  #end(reason: string): number {
    this.reason = reason;
    return CLOSED;
  }
}
