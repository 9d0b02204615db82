/**
 * One guest's thread: accepts a front-end, serves it until it goes, accepts the next.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { setNonBlocking } from "../../ffi/fd.ts";
import { guardThread } from "../../ffi/guard.ts";
import { coverThread } from "../../ffi/memory_fault.ts";
import { threadId } from "../../ffi/thread_id.ts";
import { type EventRingMemory, EventWriter } from "../events/event_ring.ts";
import { GUEST, GUEST_CONNECTED, GUEST_READY, GUEST_WAITING } from "../events/kinds.ts";
import { type GuestState, Session, type Share } from "../vhost_user/session.ts";
import type { SandboxPath } from "./sandbox/paths.ts";
import { confineThread } from "./sandbox/sandbox.ts";
import type { VirtioDevice } from "../virtio/device.ts";
import { Acceptor } from "./acceptor.ts";
import type { DeviceKind } from "./device_kind.ts";
import type { ControlStart } from "./control_worker.ts";
import { EventLoop } from "./event_loop.ts";
import { configureLimitedLog, getLog, type LogSettings } from "./log.ts";
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
  /** Where the thread tells what its guest does, if that is observed. */
  readonly events: EventRingMemory | undefined;
  readonly share: Share;
  /** Through which the main thread sees, and ends, system calls that do not return. */
  readonly guard: SharedArrayBuffer;
  /** Through which the thread sees that a front-end has taken memory away. */
  readonly faults: SharedArrayBuffer;
  /** What the thread may open while it serves; `undefined` if it is not to be confined. */
  readonly paths: readonly SandboxPath[] | undefined;
  /** A word that is 1 once the thread may begin to serve. */
  readonly gate: SharedArrayBuffer;
}

/** To the main thread. */
export type WorkerReport =
  /** The device is there; front-ends are served as soon as the gate is open. */
  | {
    readonly state: "serving";
    /** As {@linkcode VirtioDevice.duty}. */
    readonly duty: string | undefined;
    /** The kernel's number of the thread, which has confined itself, if it is to be. */
    readonly thread: number;
  }
  /** System calls follow that may not return; the thread is to be watched. */
  | { readonly state: "calling" }
  /** The thread has come to an early end; before `serving`, its device could not be made. */
  | { readonly state: "failed"; readonly reason: string }
  /** The thread has done its work. */
  | { readonly state: "ended" };

/** True for what people can mend; all else is a mistake of ours. */
function isExpected(error: unknown): boolean {
  return error instanceof RuntimeError || error instanceof UsageError;
}

/** What went wrong, for people. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return isExpected(error) ? message : `internal error: ${message}`;
}

const STATES = { waiting: GUEST_WAITING, connected: GUEST_CONNECTED, ready: GUEST_READY } as const;

function tellState(events: EventWriter, state: GuestState): void {
  if (events.wants(GUEST)) events.write(GUEST, STATES[state], 0, 0, 0);
}

/**
 * Serves the device until the thread is told to stop.
 *
 * @param ready is called when front-ends are served from now on
 */
function serveFrontEnds(
  device: VirtioDevice,
  start: WorkerStart,
  log: Logger,
  events: EventWriter | undefined,
  ready: (loop: EventLoop) => void,
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
  ready(loop);
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

function serve<Settings>(
  kind: DeviceKind<Settings>,
  start: WorkerStart,
  report: (message: WorkerReport) => void,
): void {
  guardThread(start.guard, () => report({ state: "calling" }));
  coverThread(start.faults, start.guest);
  const limit = configureLimitedLog(kind.program, start.log);
  const log = getLog(kind.program, start.guest);
  let outcome: WorkerReport = { state: "ended" };
  try {
    const events = start.events && new EventWriter(start.events);
    const device = kind.create(start.settings as Settings, log, events);
    try {
      serveFrontEnds(device, start, log, events, (loop) => {
        limit.drive((milliseconds, action) => loop.after(milliseconds, action));
        if (start.paths !== undefined) confineThread(start.paths);
        report({ state: "serving", duty: device.duty, thread: threadId() });
        Atomics.wait(new Int32Array(start.gate), 0, 0);
      });
    } finally {
      device.close();
    }
  } catch (error) {
    log.debug(`${(error as Error).stack}`);
    outcome = { state: "failed", reason: reasonOf(error) };
  }
  // The process may end as soon as it is known that this thread has.
  limit.finish();
  report(outcome);
}

/**
 * Makes this thread a guest's, or the one that observes guests, until it is told to stop.
 *
 * @param start its settings
 */
export async function runWorker<Settings>(
  kind: DeviceKind<Settings>,
  start: WorkerStart | ControlStart,
): Promise<void> {
  const scope = self as unknown as { postMessage(message: WorkerReport): void; close(): void };
  const report = (message: WorkerReport) => scope.postMessage(message);
  if ("control" in start) {
    const { serveControl } = await import("./control_worker.ts");
    await serveControl(kind, start, report);
  } else {
    serve(kind, start, report);
  }
  scope.close();
}
