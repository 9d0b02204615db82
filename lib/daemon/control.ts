/**
 * What observes guests, as the main thread has it: the control socket, the trace, the wires of
 * interrupts, and the thread of all three.
 *
 * @module
 */

import { createEventfd } from "../../ffi/eventfd.ts";
import { type EventRingMemory, makeEventRing } from "../events/event_ring.ts";
import { openTrace } from "../trace/trace_output.ts";
import { listen, type Listener } from "./listeners.ts";
import { getLog } from "./log.ts";
import type { TraceStart } from "./control_worker.ts";
import type { DaemonSettings } from "./settings.ts";
import { endWithin, Thread } from "./thread.ts";

/** The daemon's user alone. */
const MODE = 0o600;
/** What guests do waits in so many bytes for each, to be told to clients. */
const RING_SIZE = 1 << 20;
/** The same where nobody listens to more than pins. */
const LEAST_RING_SIZE = 1 << 16;
/** The same for a trace, which has all bytes. */
export const TRACE_RING_SIZE = 1 << 22;
/** How long the thread has to end, in milliseconds. */
const STOP_LIMIT = 100;
/** The same with a trace, whose end is to be written. */
const TRACE_STOP_LIMIT = 1000;

/** What is asked for. */
export type ObserverSettings = Pick<DaemonSettings<unknown>, "control" | "trace" | "guests">;

/** What observes guests. */
export class Control {
  /** Of the control socket, if there is one. */
  readonly path: string | undefined;
  /** By guest, where its thread tells what it does. */
  readonly events: readonly EventRingMemory[];
  thread: Thread | undefined;
  readonly #listener: Listener | undefined;
  readonly #trace: TraceStart | undefined;
  readonly #gpioControl: string | undefined;

  /**
   * @param path where control clients connect
   * @param trace the file of the trace
   * @param gpioControl the control socket of the GPIO daemon that interrupts are wired to
   * @throws {RuntimeError} if the socket or the file cannot be made
   */
  constructor(
    { control: path, trace, guests }: ObserverSettings,
    gpioControl: string | undefined,
  ) {
    this.path = path;
    this.#gpioControl = gpioControl;
    // The file is open before the daemon confines itself.
    this.#trace = trace === undefined ? undefined : { fd: openTrace(trace), path: trace };
    this.#listener = path === undefined ? undefined : listen(path, MODE);
    const wake = createEventfd();
    const least = path === undefined ? LEAST_RING_SIZE : RING_SIZE;
    const size = trace === undefined ? least : TRACE_RING_SIZE;
    this.events = guests.map(() => makeEventRing(size, wake));
  }

  /** Starts the thread. @param clients the most at a time */
  start<Settings>(
    program: string,
    entry: string,
    { guests, log, sandbox }: DaemonSettings<Settings>,
    listeners: readonly Listener[],
    clients: number,
  ): void {
    this.thread = new Thread(entry, "control", {
      control: this.#listener?.fd,
      clients,
      trace: this.#trace,
      gpioControl: this.#gpioControl,
      log,
      sandbox,
      guests: guests.map(({ settings, title }, guest) => ({
        settings,
        title,
        socket: listeners[guest].title,
        events: this.events[guest],
      })),
    });
    // Guests are served all the same.
    this.thread.ended.then((reason) => {
      if (reason === undefined) return;
      const what = [
        ...(this.#listener === undefined ? [] : ["control clients are no longer served"]),
        ...(this.#trace === undefined ? [] : ["the trace has ended"]),
        ...(this.#gpioControl === undefined ? [] : ["interrupts are no longer passed on"]),
      ];
      getLog(program).error(`${what.join(", and ")}: ${reason}`);
      this.#listener?.remove();
    });
  }

  /** Ends the thread and takes the socket away. */
  async end(): Promise<void> {
    if (this.thread !== undefined) {
      this.thread.stop();
      const limit = this.#trace === undefined ? STOP_LIMIT : TRACE_STOP_LIMIT;
      await endWithin(limit, [this.thread]);
    }
    this.#listener?.remove();
  }
}
