/**
 * A client of the control socket: requests and their replies, and events. Its calls wait.
 *
 * @module
 */

import { Epoll, EPOLLIN, EPOLLOUT } from "../../ffi/epoll.ts";
import { EAGAIN, EINTR, errno, errnoName, SystemError } from "../../ffi/errno.ts";
import { close } from "../../ffi/fd.ts";
import { connectTo, MAX_SOCKET_PATH } from "../../ffi/socket.ts";
import { receiveBytes, sendBytes } from "../../ffi/stream.ts";
import { RuntimeError, UsageError } from "../errors.ts";
import { type ControlEvent, isObject } from "./protocol.ts";

const CHUNK = 65536;
/** How long a reply is waited for, in milliseconds; a daemon may wait for its guests first. */
const PATIENCE = 30_000;

/** Why one cannot connect, and what to do, by the error's name. */
const CONNECTING: Readonly<Record<string, string>> = {
  ENOENT: "there is none; start the daemon with --control and that path",
  ECONNREFUSED: "nobody listens there; start the daemon with --control and that path",
  EACCES: "no permission; only the user that the daemon runs as may connect",
  EPERM: "no permission; only the user that the daemon runs as may connect",
  EPROTOTYPE: "it is a socket of another type; name the daemon's --control",
};

/** The daemon did not do what it was asked to; its message says why. */
class RefusedError extends RuntimeError {
  override readonly name = "RefusedError";
}

/** Somebody who goes on with other things until there is a reply. */
interface Asked {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A connection. */
export class ControlClient implements Disposable {
  /** Of the connected socket. */
  readonly fd: number;
  /** Events that have come, the oldest first; for the user to take away. */
  readonly events: ControlEvent[] = [];
  readonly #path: string;
  readonly #epoll = new Epoll();
  readonly #chunk = new Uint8Array(CHUNK);
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  /** The beginning of a line whose end has not come. */
  #partial = "";
  #replies: Record<string, unknown>[] = [];
  /** Who is told of a reply, by the number of the request. */
  readonly #asked = new Map<unknown, Asked>();
  #ids = 0;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.fd = fd;
    this.#epoll.add(fd, EPOLLIN, 0);
  }

  /**
   * Connects to a daemon.
   *
   * @throws {RuntimeError} where nobody can be reached
   */
  static connect(path: string): ControlClient {
    if (new TextEncoder().encode(path).length > MAX_SOCKET_PATH) {
      throw new UsageError(
        `the path of socket '${path}' is longer than ${MAX_SOCKET_PATH} bytes; use a shorter one`,
      );
    }
    try {
      return new ControlClient(path, connectTo(path));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      const why = CONNECTING[errnoName(error.errno)] ?? error.message;
      throw new RuntimeError(`cannot connect to socket '${path}': ${why}`);
    }
  }

  /**
   * Asks for something and waits until it is done. Events that come meanwhile are kept.
   *
   * @param patience how long, in milliseconds
   * @throws {RefusedError} with what the daemon says
   * @throws {RuntimeError} if there is no reply
   */
  call(method: string, params: object = {}, patience = PATIENCE): unknown {
    const id = ++this.#ids;
    this.#send(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    const deadline = performance.now() + patience;
    for (;;) {
      for (const reply of this.#replies.splice(0)) {
        if (reply.id !== id) continue;
        if (isObject(reply.error)) throw new RefusedError(`${reply.error.message}`);
        return reply.result;
      }
      const left = deadline - performance.now();
      if (left <= 0) {
        throw this.#silent();
      }
      this.#epoll.wait(Math.ceil(left));
      this.receive();
    }
  }

  /**
   * Asks for something without waiting for it: whoever watches the descriptor calls
   * {@linkcode receive}.
   *
   * @param patience how long that may take, in milliseconds
   * @returns what comes of it; rejected with what the daemon says
   */
  async ask(method: string, params: object = {}, patience = PATIENCE): Promise<unknown> {
    const id = ++this.#ids;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(this.#silent()), patience);
    try {
      this.#asked.set(id, { resolve, reject });
      this.#send(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#asked.delete(id);
    }
  }

  /** Nobody will reply any more. */
  abandon(error: Error): void {
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }

  /**
   * Takes in what has come, without waiting.
   *
   * @throws {RuntimeError} at the end of the connection
   */
  receive(): void {
    const count = receiveBytes(this.fd, this.#chunk);
    if (count < 0 && [EAGAIN, EINTR].includes(errno())) return;
    if (count <= 0) throw this.#ended();
    const text = this.#decoder.decode(this.#chunk.subarray(0, count), { stream: true });
    const [first, ...others] = text.split("\n");
    this.#partial += first;
    for (const next of others) {
      this.#line(this.#partial);
      this.#partial = next;
    }
  }

  [Symbol.dispose](): void {
    this.#epoll.close();
    close(this.fd);
  }

  #silent(): RuntimeError {
    return new RuntimeError(`the daemon at socket '${this.#path}' does not answer; see its log`);
  }

  #ended(): RuntimeError {
    return new RuntimeError(
      this.#ids <= 1
        ? `who listens at socket '${this.#path}' does not talk to control clients; ` +
          "name the daemon's --control"
        : `the daemon at socket '${this.#path}' has ended the connection; see its log`,
    );
  }

  #line(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      // Below.
    }
    if (!isObject(message)) {
      throw new RuntimeError(
        `who listens at socket '${this.#path}' is no daemon that can be controlled; ` +
          "name the daemon's --control",
      );
    }
    if (message.method === "event") {
      this.events.push(message.params as ControlEvent);
      return;
    }
    const asked = this.#asked.get(message.id);
    if (asked === undefined) {
      this.#replies.push(message);
      return;
    }
    if (isObject(message.error)) asked.reject(new RefusedError(`${message.error.message}`));
    else asked.resolve(message.result);
  }

  #send(line: string): void {
    let bytes = this.#encoder.encode(line);
    while (bytes.length > 0) {
      const count = sendBytes(this.fd, bytes);
      if (count >= 0) {
        bytes = bytes.subarray(count);
        continue;
      }
      const number = errno();
      if (number !== EAGAIN && number !== EINTR) throw this.#ended();
      // A daemon that cannot send reads nothing either.
      this.#wait(EPOLLIN | EPOLLOUT);
      this.receive();
    }
  }

  #wait(events: number): void {
    this.#epoll.remove(this.fd);
    this.#epoll.add(this.fd, events, 0);
    this.#epoll.wait(PATIENCE);
    this.#epoll.remove(this.fd);
    this.#epoll.add(this.fd, EPOLLIN, 0);
  }
}
