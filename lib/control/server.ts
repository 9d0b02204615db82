/**
 * The control socket: clients look at the simulated world of a daemon, change it, and are told what
 * guests do to it. On a thread of its own, so that no client takes time of a guest.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLIN } from "../../ffi/epoll.ts";
import { EAGAIN, EINTR, errno, errnoText } from "../../ffi/errno.ts";
import { close } from "../../ffi/fd.ts";
import { accept } from "../../ffi/socket.ts";
import { PropertyError } from "../simulation/check_value.ts";
import type { EventHandler, Poller } from "../virtio/device.ts";
import { ControlConnection, type LineHandler } from "./connection.ts";
import { methods } from "./methods.ts";
import {
  ControlError,
  type ControlRequest,
  errorLine,
  INTERNAL_ERROR,
  METHOD_NOT_FOUND,
  parseRequest,
  REFUSED,
  type RequestId,
  resultLine,
} from "./protocol.ts";
import { type ControlWorld, LATER, type Reply } from "./world.ts";

/** How long a client waits that can be neither served nor turned away, in milliseconds. */
const PATIENCE = 100;

/** Serves clients. */
export class ControlServer implements EventHandler, LineHandler {
  readonly #socket: number;
  readonly #most: number;
  readonly #poller: Poller;
  readonly #world: ControlWorld;
  readonly #log: Logger;
  readonly #connections = new Set<ControlConnection>();
  #isClosed = false;

  /**
   * @param socket listens; stays the caller's
   * @param most how many clients there can be at a time
   */
  constructor(socket: number, most: number, poller: Poller, world: ControlWorld, log: Logger) {
    this.#socket = socket;
    this.#most = most;
    this.#poller = poller;
    this.#world = world;
    this.#log = log;
    poller.watch(socket, EPOLLIN, this);
  }

  /** A client connects. One at a time, so that those that have gone make room meanwhile. */
  onEvents(_events: number): void {
    const fd = accept(this.#socket);
    if (fd < 0) {
      const number = errno();
      if (number !== EAGAIN && number !== EINTR) this.#rest(number);
      return;
    }
    if (this.#connections.size >= this.#most) {
      this.#log.warn(`a control client is turned away: there are ${this.#most} already`);
      close(fd);
      return;
    }
    this.#connections.add(new ControlConnection(fd, this.#poller, this));
    this.#log.debug("a control client has connected");
  }

  onLine(connection: ControlConnection, line: string): void {
    if (line.trim() === "" || this.#world.remotes.onLine(connection, line)) return;
    let request: ControlRequest;
    try {
      request = parseRequest(line);
    } catch (error) {
      connection.send(errorLine(null, this.#explain(error)));
      return;
    }
    const { id, method, params } = request;
    const reply = this.#replyTo(connection, id);
    const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (run === undefined) {
      const known = Object.keys(methods).join(", ");
      const problem = `there is no method '${method}'; there are ${known}`;
      return reply(() => {
        throw new ControlError(METHOD_NOT_FOUND, problem);
      });
    }
    let result: unknown;
    try {
      result = run(this.#world, params, connection, reply);
    } catch (error) {
      return reply(() => {
        throw error;
      });
    }
    if (result !== LATER) reply(() => result);
  }

  onEnd(connection: ControlConnection): void {
    this.#connections.delete(connection);
    this.#world.unsubscribe(connection);
    this.#world.remotes.onEnd(connection);
    this.#log.debug("a control client has gone");
  }

  /** Ends all connections. */
  close(): void {
    this.#isClosed = true;
    this.#poller.unwatch(this.#socket);
    for (const connection of [...this.#connections]) connection.close();
  }

  /** A client that cannot be accepted would keep the thread busy. */
  #rest(number: number): void {
    this.#log.error(`a control client cannot be accepted yet: ${errnoText(number)}`);
    this.#poller.unwatch(this.#socket);
    this.#world.after(PATIENCE, () => {
      if (!this.#isClosed) this.#poller.watch(this.#socket, EPOLLIN, this);
    });
  }

  #replyTo(connection: ControlConnection, id: RequestId | undefined): Reply {
    return (result) => {
      let line: string;
      try {
        line = resultLine(id ?? null, result() ?? {});
      } catch (error) {
        line = errorLine(id ?? null, this.#explain(error));
      }
      if (id !== undefined) connection.send(line);
    };
  }

  #explain(error: unknown): ControlError {
    if (error instanceof ControlError) return error;
    const { message, stack } = error as Error;
    if (error instanceof PropertyError) return new ControlError(REFUSED, message);
    this.#log.error(`internal error: ${message}`);
    this.#log.debug(`${stack}`);
    return new ControlError(INTERNAL_ERROR, `internal error: ${message}`);
  }
}
