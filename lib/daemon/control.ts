/**
 * The control socket and its thread, as the main thread has them.
 *
 * @module
 */

import { createEventfd } from "../../ffi/eventfd.ts";
import { type EventRingMemory, makeEventRing } from "../events/event_ring.ts";
import { listen, type Listener } from "./listeners.ts";
import { getLog } from "./log.ts";
import type { DaemonSettings } from "./settings.ts";
import { endWithin, Thread } from "./thread.ts";

/** The daemon's user alone. */
const MODE = 0o600;
/** What guests do waits in so many bytes for each, to be told to clients. */
const RING_SIZE = 1 << 20;
/** How long the thread has to end, in milliseconds. */
const STOP_LIMIT = 100;

/** The control socket. */
export class Control {
  readonly path: string;
  /** By guest, where its thread tells what it does. */
  readonly events: readonly EventRingMemory[];
  thread: Thread | undefined;
  readonly #listener: Listener;

  /** @throws {RuntimeError} if the socket cannot be made */
  constructor(path: string, guests: number) {
    this.path = path;
    this.#listener = listen(path, MODE);
    const wake = createEventfd();
    this.events = Array.from({ length: guests }, () => makeEventRing(RING_SIZE, wake));
  }

  /** Starts the thread. */
  start<Settings>(
    program: string,
    entry: string,
    { guests, log, sandbox }: DaemonSettings<Settings>,
    listeners: readonly Listener[],
  ): void {
    this.thread = new Thread(entry, "control", {
      control: this.#listener.fd,
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
      getLog(program).error(`control clients are no longer served: ${reason}`);
      this.#listener.remove();
    });
  }

  /** Ends the thread and takes the socket away. */
  async end(): Promise<void> {
    if (this.thread !== undefined) {
      this.thread.stop();
      await endWithin(STOP_LIMIT, [this.thread]);
    }
    this.#listener.remove();
  }
}
