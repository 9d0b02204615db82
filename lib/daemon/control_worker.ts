/**
 * The thread that serves control clients.
 *
 * @module
 */

import { Observer } from "../control/observer.ts";
import { ControlServer } from "../control/server.ts";
import type { EventRingMemory } from "../events/event_ring.ts";
import { Things } from "../simulation/thing.ts";
import type { DeviceKind } from "./device_kind.ts";
import { EventLoop } from "./event_loop.ts";
import { VERSION } from "./help.ts";
import { configureLog, getLog, type LogSettings } from "./log.ts";
import { confineThread } from "./sandbox/sandbox.ts";
import type { WorkerReport } from "./worker.ts";

/** From the main thread: everything that this thread needs. */
export interface ControlStart {
  /** A listening socket for clients. */
  readonly control: number;
  /** An eventfd(2) that ends the thread. */
  readonly stop: number;
  readonly guests: readonly ObservedGuest[];
  readonly log: LogSettings;
  /** True if the thread is to be confined. */
  readonly sandbox: boolean;
}

/** A guest as this thread needs it. */
export interface ObservedGuest {
  readonly settings: unknown;
  readonly title: string;
  readonly socket: string;
  readonly events: EventRingMemory;
}

/** Serves clients until the thread is told to stop. */
export function serveControl<Settings>(
  kind: DeviceKind<Settings>,
  start: ControlStart,
  report: (message: WorkerReport) => void,
): void {
  configureLog(kind.program, start.log);
  const log = getLog(kind.program);
  const tell = (error: unknown) => {
    const { message, stack } = error as Error;
    log.error(`internal error: ${message}`);
    log.debug(`${stack}`);
  };
  try {
    const loop = new EventLoop(tell);
    loop.endWith(start.stop);
    const settings = start.guests.map((guest) => guest.settings as Settings);
    const observer = new Observer(loop, {
      program: kind.program,
      version: VERSION,
      things: new Things(kind.things?.(settings, log) ?? []),
      guests: start.guests,
      rings: start.guests.map(({ events }) => events),
    });
    const server = new ControlServer(start.control, loop, observer, log);
    if (start.sandbox) confineThread([]);
    report({ state: "serving", duty: undefined });
    try {
      loop.run();
    } finally {
      server.close();
      observer.close();
      loop.close();
    }
    report({ state: "ended" });
  } catch (error) {
    tell(error);
    report({ state: "failed", reason: `internal error: ${(error as Error).message}` });
  }
}
