/**
 * The main thread: makes the sockets, starts a thread per guest, and ends it all on a signal.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { createEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { inherit, listen, type Listener, socketPaths } from "./listeners.ts";
import type { DaemonSettings, SocketSettings } from "./settings.ts";
import { RuntimeError } from "./usage_error.ts";
import type { WorkerReport, WorkerStart } from "./worker.ts";

/** How long threads have to end after a signal, in milliseconds. */
const STOP_LIMIT = 120;

function openSockets(where: SocketSettings, count: number): Listener[] {
  if ("fd" in where) return [inherit(where.fd, "option '--fd'")];
  if ("systemd" in where) return where.systemd.map((fd) => inherit(fd, "systemd"));
  const listeners: Listener[] = [];
  try {
    for (const path of socketPaths(where.path, count)) listeners.push(listen(path));
  } catch (error) {
    for (const listener of listeners) listener.remove();
    throw error;
  }
  return listeners;
}

/** A guest's thread, as the main thread sees it. */
class Guest {
  /** Settles when the device is there; rejects with a RuntimeError otherwise. */
  readonly serving: Promise<void>;
  /** Settles when the thread has come to its end, for whatever reason. */
  readonly ended: Promise<void>;
  readonly #stop = createEventfd();

  constructor(entry: string, start: Omit<WorkerStart, "stop">, log: Logger) {
    const worker = new Worker(entry, { type: "module", name: `guest ${start.guest}` });
    const serving = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.serving = serving.promise;
    this.ended = ended.promise;
    worker.onmessage = ({ data }: MessageEvent<WorkerReport>) => {
      if (data.state === "serving") serving.resolve();
      if (data.state === "failed") serving.reject(new RuntimeError(data.reason));
      if (data.state !== "serving") ended.resolve();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      log.error(`the thread of guest ${start.guest} has died: ${event.message}`);
      serving.reject(new RuntimeError(`guest ${start.guest}: ${event.message}`));
      ended.resolve();
    };
    worker.postMessage({ ...start, stop: this.#stop } satisfies WorkerStart);
  }

  stop(): void {
    signalEventfd(this.#stop);
  }
}

/** Settles when the process is asked to end. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    Deno.addSignalListener("SIGTERM", resolve);
    Deno.addSignalListener("SIGINT", resolve);
  });
}

/**
 * Serves the guests until SIGTERM or SIGINT, or until every guest has ended.
 *
 * @param entry the program's own module, which each thread runs, too
 * @throws {RuntimeError} if a socket or a device cannot be had
 */
export async function supervise<Settings>(
  settings: DaemonSettings<Settings>,
  entry: string,
  log: Logger,
): Promise<void> {
  const signal = stopSignal();
  const listeners = openSockets(settings.sockets, settings.guests.length);
  const guests: Guest[] = [];
  try {
    settings.guests.forEach((plan, guest) => {
      const { fd: socket, listening } = listeners[guest];
      guests.push(
        new Guest(entry, {
          guest,
          settings: plan.settings,
          socket,
          listening,
          log: settings.log,
          pollMicroseconds: settings.pollMicroseconds,
        }, log),
      );
    });
    await Promise.all(guests.map((guest) => guest.serving));
    settings.guests.forEach((plan, guest) => {
      log.info(`guest ${guest}: ${plan.title} at ${listeners[guest].title}`);
    });
    await Promise.race([signal, Promise.all(guests.map((guest) => guest.ended))]);
    for (const guest of guests) guest.stop();
    const limit = new Promise((resolve) => setTimeout(resolve, STOP_LIMIT));
    await Promise.race([Promise.all(guests.map((guest) => guest.ended)), limit]);
  } finally {
    for (const listener of listeners) listener.remove();
  }
}
