/**
 * A front-end's connection from its beginning to its end: messages in, replies out.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { monotonicTime } from "../../ffi/clock.ts";
import { EPOLLIN } from "../../ffi/epoll.ts";
import { SystemError } from "../../ffi/errno.ts";
import type { XenNodes } from "../../ffi/xen.ts";
import { hasHungUp } from "../../ffi/fd.ts";
import type { EventHandler, VirtioDevice } from "../virtio/device.ts";
import { RegionError } from "../virtio/memory_region.ts";
import { BackEnd } from "./back_end.ts";
import { CLOSED, Connection, MESSAGE } from "./connection.ts";
import { type Command, Refusal, requestName, requestOf } from "./requests.ts";
import type { Scheduler } from "./scheduler.ts";
import { TURN_TIME } from "./turn.ts";

/** How many messages are handled before rings and other descriptors get their turn. */
const BURST = 64;
/** Of so many unknown requests of a front-end it is remembered that they have been complained about. */
const MANY_UNKNOWN = 64;

/** Why a front-end is sent away that has cut the file short, or left no room in its file system. */
const MEMORY_LOST = "memory that it had shared was taken away while it was in use";

/** True for what a front-end can be told; everything else is an error of this program. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Refusal || error instanceof RegionError || error instanceof SystemError;
}

/** How much of what a process has a front-end may take. */
export interface Share {
  /** How many file descriptors at a time. */
  readonly descriptors?: number;
  /** How much of the address space for guest memory, in bytes. */
  readonly memory?: number;
  /** How often a second, in the long run, memory of its guest that was in use may be unmapped. */
  readonly unmappings?: number;
}

/** What a guest is at. */
export type GuestState = "waiting" | "connected" | "ready";

/** Serves one device to front-ends that come and go, one at a time. */
export class Session implements EventHandler {
  readonly #backEnd: BackEnd;
  readonly #scheduler: Scheduler;
  readonly #log: Logger;
  readonly #share: Share;
  readonly #unknown = new Set<number>();
  /** Is told of each change of what the guest is at. */
  onState: (state: GuestState) => void = () => {};
  #connection: Connection | undefined;
  #onEnd: (() => void) | undefined;

  /**
   * @param device is attached to the session for good
   * @param xen as of {@linkcode BackEnd}
   */
  constructor(
    device: VirtioDevice,
    scheduler: Scheduler,
    log: Logger,
    share: Share = {},
    xen?: XenNodes,
  ) {
    const { memory, unmappings } = share;
    this.#backEnd = new BackEnd(device, scheduler, log, { limit: memory, unmappings }, xen);
    this.#backEnd.onReady = () => this.onState("ready");
    this.#backEnd.isAwaited = () => this.#isAwaited();
    this.#scheduler = scheduler;
    this.#log = log;
    this.#share = share;
  }

  /**
   * Begins to serve a front-end.
   *
   * @param fd of the connection, which belongs to the session from now on
   * @param onEnd is called when the front-end has gone
   */
  begin(fd: number, onEnd: () => void): void {
    this.#connection = new Connection(fd, this.#share.descriptors);
    this.#onEnd = onEnd;
    this.#log.info("front-end connected");
    this.onState("connected");
    this.#scheduler.watch(fd, EPOLLIN, this);
  }

  /** To be called now and then: ends the connection of a front-end that has taken memory away. */
  checkMemory(): void {
    if (this.#backEnd.hasLostMemory) this.end(MEMORY_LOST, "error");
  }

  /** Ends the connection, if there is one, and puts everything back to the start. */
  end(reason: string, level: "info" | "error" = "info"): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#scheduler.unwatch(connection.fd);
    const { served } = this.#backEnd;
    try {
      this.#backEnd.reset();
    } finally {
      connection.close();
      this.#unknown.clear();
      const line = `front-end gone: ${reason}; ${served} requests were served`;
      this.#log[level](line, { reason, served });
      this.onState("waiting");
      this.#onEnd?.();
    }
  }

  /** The connection is ready. */
  onEvents(_events: number): void {
    const end = monotonicTime() + TURN_TIME;
    for (let count = 0; count < BURST; count++) {
      if (count > 0 && monotonicTime() >= end) return;
      const connection = this.#connection;
      if (connection === undefined) return;
      const result = connection.receive();
      if (result === CLOSED) return this.end(connection.reason);
      if (result !== MESSAGE) return;
      if (!this.#handle(connection)) return this.end(connection.reason);
    }
  }

  #isAwaited(): boolean {
    const connection = this.#connection;
    return connection !== undefined && !hasHungUp(connection.fd) && !this.#scheduler.isEnding;
  }

  /** @returns false if the connection is to be closed, for the reason that it carries */
  #handle(connection: Connection): boolean {
    const { request, size } = connection.header;
    this.#log.trace(`message ${requestName(request)}, ${size} bytes`);
    const known = requestOf(request);
    if (known === undefined) return this.#refuseUnknown(connection);
    if ("apply" in known) return this.#apply(known, connection);
    return connection.reply(known.answer(this.#backEnd, connection, connection.replyPayload));
  }

  #apply(command: Command, connection: Connection): boolean {
    try {
      command.apply(this.#backEnd, connection);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const reason = `${command.name} refused: ${error.message}`;
      this.#log.error(reason);
      if (this.#acknowledges(connection)) return connection.replyU64(1n);
      // Nobody would tell the front-end, and it may rely on what it asked for.
      connection.reason = reason;
      return command.optional === true;
    }
    return this.#acknowledges(connection) ? connection.replyU64(0n) : true;
  }

  #refuseUnknown(connection: Connection): boolean {
    const { request } = connection.header;
    if (!this.#unknown.has(request)) {
      if (this.#unknown.size < MANY_UNKNOWN) this.#unknown.add(request);
      this.#log.warn(`unknown ${requestName(request)} of the front-end is refused`);
    }
    return this.#acknowledges(connection) ? connection.replyU64(1n) : true;
  }

  /**
   * True if the message is to be acknowledged. Asked after its request has had its effect: the one
   * that negotiates this may use it already.
   */
  #acknowledges(connection: Connection): boolean {
    return connection.header.needReply && this.#backEnd.acknowledges;
  }
}
