/**
 * The thread that observes guests: it serves control clients, records the trace, and passes
 * interrupts on.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLIN } from "../../ffi/epoll.ts";
import { threadId } from "../../ffi/thread_id.ts";
import { Observer } from "../control/observer.ts";
import { PinWatch } from "../control/pin_watch.ts";
import { ControlServer } from "../control/server.ts";
import { Wires } from "../control/wires.ts";
import type { EventRingMemory } from "../events/event_ring.ts";
import { GuestEvents } from "../events/guest_events.ts";
import { type Thing, Things } from "../simulation/thing.ts";
import { Recorder } from "../trace/recorder.ts";
import type { DeviceKind } from "./device_kind.ts";
import { EventLoop } from "./event_loop.ts";
import { VERSION } from "./help.ts";
import { configureLimitedLog, getLog, type LogSettings } from "./log.ts";
import { observingPaths } from "./sandbox/paths.ts";
import { confineThread } from "./sandbox/sandbox.ts";
import type { WorkerReport } from "./worker.ts";

/** From the main thread: everything that this thread needs. */
export interface ControlStart {
  /** A listening socket for clients, if they are served. */
  readonly control: number | undefined;
  /** The most clients at a time. */
  readonly clients: number;
  /** Where the trace goes, if there is one. */
  readonly trace: TraceStart | undefined;
  /** The control socket of the GPIO daemon that interrupts are wired to, if they are. */
  readonly gpioControl: string | undefined;
  /** An eventfd(2) that ends the thread. */
  readonly stop: number;
  readonly guests: readonly ObservedGuest[];
  readonly log: LogSettings;
  /** True if the thread is to be confined. */
  readonly sandbox: boolean;
}

/** Where a trace goes. */
export interface TraceStart {
  readonly fd: number;
  readonly path: string;
}

/** A guest as this thread needs it. */
export interface ObservedGuest {
  readonly settings: unknown;
  readonly title: string;
  readonly socket: string;
  readonly events: EventRingMemory;
}

/**
 * How long events are gathered for a trace before they are drawn, in milliseconds: a thread that
 * wakes up for each of them would take as much time from the guests.
 */
const GATHERING = 2;

/** Begins a trace. */
async function record<Settings>(
  kind: DeviceKind<Settings>,
  { guests, trace }: ControlStart,
  things: readonly Thing[],
  events: GuestEvents,
  loop: EventLoop,
  log: Logger,
): Promise<Recorder | undefined> {
  if (trace === undefined) return undefined;
  const settings = guests.map((guest) => guest.settings as Settings);
  const recorded = {
    program: `${kind.program} ${VERSION}`,
    guests,
    tracks: await kind.tracks?.(settings, things) ?? [],
    events,
  };
  return new Recorder(trace.fd, loop, recorded, (reason) => {
    log.error(`the trace in '${trace.path}' has ended: ${reason}; guests are served on`);
  });
}

/** Begins to serve clients. @returns what ends it */
function serveClients(
  start: ControlStart,
  program: string,
  things: readonly Thing[],
  events: GuestEvents,
  loop: EventLoop,
  log: Logger,
): (() => void) | undefined {
  const { control, clients, guests } = start;
  if (control === undefined) return undefined;
  const world = { program, version: VERSION, things: new Things(things), guests, events };
  const observer = new Observer(loop, world);
  const server = new ControlServer(control, clients, loop, observer, log);
  return () => {
    server.close();
    observer.close();
  };
}

/** Begins to watch pins, and to pass interrupts on. @returns what ends it */
function wire(
  { gpioControl }: ControlStart,
  things: readonly Thing[],
  loop: EventLoop,
  log: Logger,
): () => void {
  const watch = new PinWatch(loop, things, () => wires?.update());
  const wires = gpioControl === undefined ? undefined : new Wires(loop, watch, gpioControl, log);
  return () => {
    wires?.close();
    watch.close();
  };
}

/** Serves clients, and records, until the thread is told to stop. */
export async function serveControl<Settings>(
  kind: DeviceKind<Settings>,
  start: ControlStart,
  report: (message: WorkerReport) => void,
): Promise<void> {
  const limit = configureLimitedLog(kind.program, start.log);
  const log = getLog(kind.program);
  const tell = (error: unknown) => {
    const { message, stack } = error as Error;
    log.error(`internal error: ${message}`);
    log.debug(`${stack}`);
  };
  let outcome: WorkerReport = { state: "ended" };
  try {
    const loop = new EventLoop(tell);
    limit.drive((milliseconds, action) => loop.after(milliseconds, action));
    loop.endWith(start.stop);
    const settings = start.guests.map((guest) => guest.settings as Settings);
    const things = kind.things?.(settings, log) ?? [];
    const rings = start.guests.map(({ events }) => events);
    const events = new GuestEvents(rings, loop, start.trace === undefined ? 0 : GATHERING);
    loop.watch(events.wake, EPOLLIN, { onEvents: () => events.onWake() });
    const recorder = await record(kind, start, things, events, loop, log);
    const endClients = serveClients(start, kind.program, things, events, loop, log);
    const endWires = wire(start, things, loop, log);
    // What there is already, and what wakes this thread from now on.
    events.drain();
    if (start.sandbox) confineThread(observingPaths(start.gpioControl));
    report({ state: "serving", duty: undefined, thread: threadId() });
    try {
      loop.run();
    } finally {
      endWires();
      endClients?.();
      recorder?.close();
      loop.close();
    }
  } catch (error) {
    tell(error);
    outcome = { state: "failed", reason: `internal error: ${(error as Error).message}` };
  }
  // The process may end as soon as it is known that this thread has.
  limit.finish();
  report(outcome);
}
