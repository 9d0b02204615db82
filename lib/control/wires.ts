/**
 * Passes interrupts of parts on to lines of a GPIO daemon, over its control socket. Nothing here
 * waits: a daemon that is away, or does not read, is passed the levels of the time when it does.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { errnoName, SystemError } from "../../ffi/errno.ts";
import { connectNow } from "../../ffi/socket.ts";
import { ControlConnection, type LineHandler } from "./connection.ts";
import type { ObserverLoop } from "./observer.ts";
import type { PinWatch, WatchedPart } from "./pin_watch.ts";
import { isObject } from "./protocol.ts";
import { WiredLine } from "./wired_line.ts";

/** How soon it is tried to connect again, in milliseconds: at first, and at last. */
const FIRST_RETRY = 50;
const LAST_RETRY = 1000;
/** How soon a line that was refused is tried again, in milliseconds. */
const REFUSED_RETRY = 1000;

const AWAY: Readonly<Record<string, string>> = {
  ENOENT: "there is none",
  ECONNREFUSED: "nobody listens there",
  EAGAIN: "it has too many clients",
  EACCES: "no permission; both daemons have to run as the same user",
};

const STRANGER =
  "who listens there does not talk to control clients; name the socket of its --control";

/** A line with the pins that drive it. */
interface Line {
  readonly line: WiredLine;
  readonly pins: readonly { readonly part: WatchedPart; readonly pin: string }[];
  /** It was refused, and that was told. */
  isRefused: boolean;
}

function linesOf(parts: readonly WatchedPart[]): Line[] {
  const lines = new Map<string, { part: WatchedPart; pin: string }[]>();
  for (const part of parts) {
    for (const { pin, lines: names } of part.pins.wires) {
      for (const name of names) {
        const pins = lines.get(name);
        if (pins === undefined) lines.set(name, [{ part, pin }]);
        else pins.push({ part, pin });
      }
    }
  }
  return [...lines].map(([name, pins]) => ({ line: new WiredLine(name), pins, isRefused: false }));
}

/** The wires from all pins of a daemon. */
export class Wires implements LineHandler {
  readonly #loop: ObserverLoop;
  readonly #path: string;
  readonly #log: Logger;
  readonly #lines: readonly Line[];
  #connection: ControlConnection | undefined;
  /** By the number of the request that tells it something. */
  readonly #requests = new Map<number, Line>();
  #ids = 0;
  #retry = FIRST_RETRY;
  /** That it is away was told. */
  #isAway = false;
  /** It has answered. */
  #isServed = false;
  #isOpen = true;

  /** @param path of the GPIO daemon's control socket */
  constructor(loop: ObserverLoop, watch: PinWatch, path: string, log: Logger) {
    this.#loop = loop;
    this.#path = path;
    this.#log = log;
    this.#lines = linesOf(watch.parts);
    this.update();
    this.#connect();
  }

  /** Pins may have changed. */
  update(): void {
    for (const { line, pins } of this.#lines) {
      line.drive(pins.map(({ part, pin }) => part.states.find(({ name }) => name === pin)!));
    }
    this.#flush();
  }

  onLine(connection: ControlConnection, text: string): void {
    let reply: unknown;
    try {
      reply = JSON.parse(text);
    } catch {
      // Below.
    }
    if (!isObject(reply)) {
      this.#away(STRANGER);
      return connection.close();
    }
    const one = this.#requests.get(Number(reply.id));
    if (one === undefined) return;
    this.#requests.delete(Number(reply.id));
    this.#served();
    const { error } = reply;
    if (isObject(error)) return this.#refused(one, String(error.message));
    one.isRefused = false;
    one.line.told(true);
    this.#flush();
  }

  onEnd(): void {
    const why = this.#isServed ? "it has gone" : STRANGER;
    this.#connection = undefined;
    this.#isServed = false;
    this.#requests.clear();
    for (const { line } of this.#lines) line.forget();
    this.#away(why);
    this.#connectLater();
  }

  close(): void {
    this.#isOpen = false;
    this.#connection?.close();
  }

  #connect(): void {
    let fd: number;
    try {
      fd = connectNow(this.#path);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#away(AWAY[errnoName(error.errno)] ?? error.message);
      return this.#connectLater();
    }
    this.#connection = new ControlConnection(fd, this.#loop, this);
    this.#flush();
  }

  /** Whoever listens there is one that answers. */
  #served(): void {
    if (this.#isServed) return;
    this.#isServed = true;
    this.#isAway = false;
    this.#retry = FIRST_RETRY;
    this.#log.info(`interrupts drive lines of the GPIO daemon at control socket '${this.#path}'`);
  }

  #connectLater(): void {
    if (!this.#isOpen) return;
    this.#loop.after(this.#retry, () => {
      if (this.#isOpen) this.#connect();
    });
    this.#retry = Math.min(LAST_RETRY, 2 * this.#retry);
  }

  #away(why: string): void {
    if (this.#isAway || !this.#isOpen) return;
    this.#isAway = true;
    this.#log.warn(
      `the GPIO daemon at control socket '${this.#path}' is away: ${why}; interrupts wait for it`,
    );
  }

  #refused(one: Line, why: string): void {
    if (!one.isRefused) {
      this.#log.warn(`an interrupt cannot drive its line '${one.line.name}': ${why}`);
    }
    one.isRefused = true;
    const connection = this.#connection;
    this.#loop.after(REFUSED_RETRY, () => {
      if (this.#connection !== connection || connection === undefined) return;
      one.line.told(false);
      this.#flush();
    });
  }

  #flush(): void {
    for (const one of this.#lines) {
      if (this.#connection === undefined) return;
      const level = one.line.next();
      if (level === undefined) continue;
      const id = ++this.#ids;
      const params = { values: { [one.line.name]: level } };
      this.#requests.set(id, one);
      this.#connection.send(`${JSON.stringify({ jsonrpc: "2.0", id, method: "set", params })}\n`);
    }
  }
}
