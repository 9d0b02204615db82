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
import { MAX_MESSAGE_FDS, MessageReceiver, MessageSender } from "../../ffi/socket.ts";
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
  readonly #share: number;
  #received = 0;
  #complete = false;

  /**
   * @param fd of the connected socket, which belongs to the connection from now on
   * @param share how many file descriptors are taken at a time, whatever a message may carry
   */
  constructor(fd: number, share = MAX_MESSAGE_FDS) {
    this.fd = fd;
    this.#share = share;
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
      const room = Math.min(this.#expectedFds ?? 0, this.#share) - this.fds.length;
      const count = this.#receiver.receive(
        fd,
        this.#received,
        end - this.#received,
        this.fds,
        room,
      );
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
      if (header && this.#received === HEADER_SIZE) {
        const problem = decodeHeader(this.#head, this.header);
        if (problem !== undefined) return this.#end(`malformed message: ${problem}`);
      }
      const expected = this.#expectedFds;
      if (expected === undefined) this.#closeFds();
      else if (this.fds.length > expected || this.#receiver.truncated) {
        return this.#end(this.#fdProblem(expected));
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

  /**
   * How many descriptors may come with the message that is being received, as far as it is known:
   * `undefined` for a request that nobody knows. What comes along with that is nobody's.
   */
  get #expectedFds(): number | undefined {
    return this.#received < HEADER_SIZE ? MAX_MESSAGE_FDS : messageShape(this.header.request)?.fds;
  }

  /** Why there are not as many descriptors as came along, or more than expected. */
  #fdProblem(expected: number): string {
    const count = this.fds.length;
    if (count > expected || count === expected && expected <= this.#share) {
      const name = this.#received < HEADER_SIZE ? "it" : requestName(this.header.request);
      return `malformed message: ${name} comes with too many file descriptors, ` +
        `expected ${expected === 0 ? "none" : `at most ${expected}`}`;
    }
    return count === this.#share
      ? `a message comes with more than ${count} file descriptors, which is this guest's share of ` +
        "what the daemon may open; raise its limit on open files"
      : "file descriptors of a message were lost: the daemon may open no more; raise its limit on " +
        "open files";
  }

  #closeFds(): void {
    for (const fd of this.fds) close(fd);
    this.fds.length = 0;
  }

  #forget(): void {
    this.#closeFds();
    this.#received = 0;
    this.#complete = false;
  }

  #end(reason: string): number {
    this.reason = reason;
    return CLOSED;
  }
}
