/**
 * A guest's device and its front-ends, one after the other, in the thread that calls.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { setNonBlocking } from "../../ffi/fd.ts";
import { type EventRingMemory, EventWriter } from "../events/event_ring.ts";
import { GUEST, GUEST_CONNECTED, GUEST_READY, GUEST_WAITING } from "../events/kinds.ts";
import { type GuestState, Session, type Share } from "../vhost_user/session.ts";
import type { VirtioDevice } from "../virtio/device.ts";
import { Acceptor } from "./acceptor.ts";
import type { DeviceKind } from "./device_kind.ts";
import { EventLoop } from "./event_loop.ts";
import { RuntimeError, UsageError } from "../errors.ts";

/** What a guest gets. */
export interface GuestStart {
  readonly settings: unknown;
  /** A listening socket, or a connected one. */
  readonly socket: number;
  readonly listening: boolean;
  /** An eventfd(2) that ends the service. */
  readonly stop: number;
  readonly pollMicroseconds: number;
  /** Where it is told what the guest does, if that is observed. */
  readonly events?: EventRingMemory | undefined;
  readonly share: Share;
}

/** True for what people can mend; all else is a mistake of ours. */
function isExpected(error: unknown): boolean {
  return error instanceof RuntimeError || error instanceof UsageError;
}

/** What went wrong, for people. */
export function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return isExpected(error) ? message : `internal error: ${message}`;
}

const STATES = { waiting: GUEST_WAITING, connected: GUEST_CONNECTED, ready: GUEST_READY } as const;

function tellState(events: EventWriter, state: GuestState): void {
  if (events.wants(GUEST)) events.write(GUEST, STATES[state], 0, 0, 0);
}

function serveFrontEnds(
  device: VirtioDevice,
  start: GuestStart,
  log: Logger,
  events: EventWriter | undefined,
  ready: (loop: EventLoop, device: VirtioDevice) => void,
): void {
  const loop = new EventLoop((error) => {
    // Whatever this was, it is this front-end's fault or ours, and no other guest's business.
    log.error(reasonOf(error));
    log.debug(`${(error as Error).stack}`);
    session.end(isExpected(error) ? "its device has failed" : "internal error");
  }, start.pollMicroseconds);
  const session = new Session(device, loop, log, start.share);
  if (events !== undefined) session.onState = (state) => tellState(events, state);
  let acceptor: Acceptor | undefined;
  loop.endWith(start.stop);
  if (start.listening) {
    acceptor = new Acceptor(loop, session, start.socket, log);
  } else {
    setNonBlocking(start.socket);
    session.begin(start.socket, () => loop.stop());
  }
  loop.onIdle = () => session.checkMemory();
  ready(loop, device);
  try {
    loop.run();
  } finally {
    try {
      session.end("the daemon stops");
    } finally {
      acceptor?.close();
      loop.close();
    }
  }
}

/**
 * Makes a guest's device and serves it until it is told to stop, or until the one connection that
 * there is has ended.
 *
 * @param ready is called when front-ends are served from now on
 * @throws {RuntimeError} if the device cannot be made, or has failed
 */
export function serveGuest<Settings>(
  kind: DeviceKind<Settings>,
  start: GuestStart,
  log: Logger,
  ready: (loop: EventLoop, device: VirtioDevice) => void,
): void {
  const events = start.events && new EventWriter(start.events);
  const device = kind.create(start.settings as Settings, log, events);
  try {
    serveFrontEnds(device, start, log, events, ready);
  } finally {
    device.close();
  }
}
