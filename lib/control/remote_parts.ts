/**
 * Parts that programs serve: questions of guests go out as requests of their own, and what comes
 * back goes to the guests that wait for it.
 *
 * @module
 */

import { EPOLLIN } from "../../ffi/epoll.ts";
import { clearEventfd, createEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { PropertyError } from "../simulation/check_value.ts";
import { READ, WRITE } from "../simulation/remote/mailbox.ts";
import type { Question, RemoteEnd } from "../simulation/remote/remote_end.ts";
import type { Thing } from "../simulation/thing.ts";
import type { Poller } from "../virtio/device.ts";
import type { ControlConnection } from "./connection.ts";
import { fromHexadecimal, hexadecimal, isHexadecimal, isObject, requestLine } from "./protocol.ts";

/** A part. */
interface RemotePart {
  readonly thing: Thing;
  readonly end: RemoteEnd;
  /** Where its program is. */
  connection: ControlConnection | undefined;
  /** The question that was passed on last. */
  asked: number;
}

/** All such parts of a daemon. */
export class RemoteParts {
  readonly #poller: Poller;
  readonly #parts: readonly RemotePart[];
  readonly #wake = createEventfd();

  constructor(poller: Poller, things: readonly Thing[]) {
    this.#poller = poller;
    this.#parts = things.flatMap((thing) =>
      thing.remote === undefined
        ? []
        : [{ thing, end: thing.remote, connection: undefined, asked: 0 }]
    );
    poller.watch(this.#wake, EPOLLIN, { onEvents: () => this.#passOn() });
    for (const { end } of this.#parts) end.wakeAt(this.#wake);
  }

  /**
   * A program serves a part from now on.
   *
   * @throws {PropertyError} if it cannot
   */
  serve(connection: ControlConnection, thing: Thing, properties: unknown): void {
    const part = this.#part(thing);
    if (part.connection !== undefined) {
      throw new PropertyError(`another program serves '${thing.name}' already`);
    }
    part.end.serve(properties, (name, value) => {
      connection.send(requestLine(undefined, "set", { thing: thing.name, name, value }));
    });
    part.connection = connection;
  }

  /**
   * A program says what properties of its part are now.
   *
   * @throws {PropertyError} if it does not serve the part, or has not declared them
   */
  tell(connection: ControlConnection, thing: Thing, values: readonly [string, unknown][]): void {
    const { connection: mine, end } = this.#part(thing);
    if (mine !== connection) throw new PropertyError(`you do not serve '${thing.name}'`);
    for (const [name, value] of values) end.tell(name, value);
  }

  /**
   * Takes a line that is the answer to a question.
   *
   * @returns false if it is none
   */
  onLine(connection: ControlConnection, line: string): boolean {
    if (!this.#parts.some((part) => part.connection === connection)) return false;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return false;
    }
    if (!isObject(message) || message.method !== undefined) return false;
    const part = this.#parts.find((part) =>
      part.connection === connection && message.id === idOf(part)
    );
    if (part === undefined) return true;
    const { result } = message;
    const { data, more } = isObject(result) ? result : {};
    const isRefusal = message.error !== undefined || (data !== undefined && !isHexadecimal(data));
    part.end.answer(
      isRefusal ? undefined : fromHexadecimal((data ?? "") as string),
      more === true,
    );
    return true;
  }

  /** A connection has ended. */
  onEnd(connection: ControlConnection): void {
    for (const part of this.#parts) {
      if (part.connection !== connection) continue;
      part.connection = undefined;
      part.end.end();
    }
  }

  close(): void {
    for (const { end } of this.#parts) end.wakeAt(-1);
    this.#poller.unwatch(this.#wake);
    close(this.#wake);
  }

  #part(thing: Thing): RemotePart {
    const part = this.#parts.find((part) => part.thing === thing);
    if (part !== undefined) return part;
    throw new PropertyError(`'${thing.name}' is no part that a program serves: no 'part: remote'`);
  }

  #passOn(): void {
    clearEventfd(this.#wake);
    for (const part of this.#parts) {
      const question = part.end.question(part.asked);
      if (question === undefined || part.connection === undefined) continue;
      part.asked = question.id;
      const params = { thing: part.thing.name, ...paramsOf(question) };
      part.connection.send(requestLine(idOf(part), "transfer", params));
    }
  }
}

/** Of the request that passes a part's question on. */
function idOf({ thing, asked }: RemotePart): string {
  return `${thing.number}.${asked}`;
}

function paramsOf({ kind, first, length, data }: Question) {
  if (kind === READ) return { first, read: length };
  return kind === WRITE
    ? { first, write: hexadecimal(data) }
    : { first, exchange: hexadecimal(data) };
}
