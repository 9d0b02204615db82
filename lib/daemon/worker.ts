/**
 * One guest's thread: accepts a front-end, serves it until it goes, accepts the next.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLET, EPOLLIN } from "../../ffi/epoll.ts";
import { EAGAIN, EINTR, errno, errnoText } from "../../ffi/errno.ts";
import { close, O_RDONLY, open, setNonBlocking } from "../../ffi/fd.ts";
import { accept } from "../../ffi/socket.ts";
import { Session } from "../vhost_user/session.ts";
import type { EventHandler, VirtioDevice } from "../virtio/device.ts";
import type { DeviceKind } from "./device_kind.ts";
import { EventLoop } from "./event_loop.ts";
import { configureLog, getLog, type LogSettings } from "./log.ts";
import { RuntimeError, UsageError } from "../errors.ts";

/** From the main thread: everything that the guest's thread needs. */
export interface WorkerStart {
  readonly guest: number;
  readonly settings: unknown;
  /** A listening socket, or a connected one. */
  readonly socket: number;
  readonly listening: boolean;
  /** An eventfd(2) that ends the thread. */
  readonly stop: number;
  readonly log: LogSettings;
  readonly pollMicroseconds: number;
}

/** To the main thread. */
export type WorkerReport =
  /** The device is there; front-ends are served from now on. */
  | { readonly state: "serving" }
  /** The thread has come to an early end; before `serving`, its device could not be made. */
  | { readonly state: "failed"; readonly reason: string }
  /** The thread has done its work. */
  | { readonly state: "ended" };

/** Accepts front-ends, one at a time. */
class Acceptor implements EventHandler {
  readonly #loop: EventLoop;
  readonly #session: Session;
  readonly #socket: number;
  readonly #log: Logger;
  /** Given up for a moment where descriptors have run out. */
  #spare = open("/dev/null", O_RDONLY);
  #busy = false;

  constructor(loop: EventLoop, session: Session, socket: number, log: Logger) {
    this.#loop = loop;
    this.#session = session;
    this.#socket = socket;
    this.#log = log;
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
      if (number === EAGAIN || number === EINTR) return;
      this.#log.error(`a front-end is turned away: ${errnoText(number)}`);
      this.#turnAway();
      return;
    }
    this.#setBusy(true);
    this.#session.begin(fd, () => this.#setBusy(false));
  }

  /** Closes a connection that cannot be served; left waiting, it would keep the loop busy. */
  #turnAway(): void {
    close(this.#spare);
    close(accept(this.#socket));
    this.#spare = open("/dev/null", O_RDONLY);
  }

  /** While a front-end is served, the next one is noticed once and otherwise waits in the queue. */
  #setBusy(busy: boolean): void {
    this.#busy = busy;
    this.#loop.unwatch(this.#socket);
    this.#loop.watch(this.#socket, busy ? EPOLLIN | EPOLLET : EPOLLIN, this);
  }
}

/** What went wrong, for people: what they can mend as it is, the rest marked as ours. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  const expected = error instanceof RuntimeError || error instanceof UsageError;
  return expected ? message : `internal error: ${message}`;
}

function serveFrontEnds(device: VirtioDevice, start: WorkerStart, log: Logger, ready: () => void) {
  const loop = new EventLoop((error) => {
    // Whatever this was, it is this front-end's fault or ours, and no other guest's business.
    log.error(reasonOf(error));
    log.debug(`${(error as Error).stack}`);
    session.end("internal error");
  }, start.pollMicroseconds);
  const session = new Session(device, loop, log);
  loop.watch(start.stop, EPOLLIN, { onEvents: () => loop.stop() });
  if (start.listening) {
    new Acceptor(loop, session, start.socket, log);
  } else {
    setNonBlocking(start.socket);
    session.begin(start.socket, () => loop.stop());
  }
  ready();
  try {
    loop.run();
  } finally {
    session.end("the daemon stops");
    loop.close();
  }
}

function serve<Settings>(
  kind: DeviceKind<Settings>,
  start: WorkerStart,
  report: (message: WorkerReport) => void,
): void {
  configureLog(kind.program, start.log);
  const log = getLog(kind.program, start.guest);
  let device: VirtioDevice | undefined;
  try {
    device = kind.create(start.settings as Settings, log);
    serveFrontEnds(device, start, log, () => report({ state: "serving" }));
    device.close();
    report({ state: "ended" });
  } catch (error) {
    log.debug(`${(error as Error).stack}`);
    report({ state: "failed", reason: reasonOf(error) });
  }
}

/** Makes this thread a guest's: waits for its settings, then serves until it is told to stop. */
export function runWorker<Settings>(kind: DeviceKind<Settings>): void {
  const scope = self as unknown as {
    onmessage: ((event: MessageEvent<WorkerStart>) => void) | null;
    postMessage(message: WorkerReport): void;
    close(): void;
  };
  scope.onmessage = ({ data }) => {
    serve(kind, data, (message) => scope.postMessage(message));
    scope.close();
  };
}
