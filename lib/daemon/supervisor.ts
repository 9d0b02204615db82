/**
 * The main thread: makes the sockets, starts a thread per guest, and ends it all on a signal.
 *
 * @module
 */

import { handleMemoryFaults } from "../../ffi/memory_fault_handler.ts";
import { giveMemoryBack, raiseDescriptorLimit } from "../../ffi/resource.ts";
import { isIgnored } from "../../ffi/signal.ts";
import { Control } from "./control.ts";
import {
  brokenText,
  lateText,
  LONG_STOP_LIMIT,
  NOBODY_LEFT,
  STOP_LIMIT,
  undoneText,
} from "./ending.ts";
import type { Listener } from "./listeners.ts";
import { getLog } from "./log.ts";
import { openSockets, shareOut } from "./resources.ts";
import { endingPaths, servingPaths } from "./sandbox/paths.ts";
import { confineAll } from "./sandbox/process.ts";
import { type DaemonSettings, isObserved, wiredTo } from "./settings.ts";
import { endWithin, Thread } from "./thread.ts";
import { Watchdog } from "./watchdog.ts";
import { RuntimeError } from "../errors.ts";

/** Has the threads begin to serve. */
function open(gate: SharedArrayBuffer): void {
  const word = new Int32Array(gate);
  Atomics.store(word, 0, 1);
  Atomics.notify(word, 0);
}

/** Settles when the process is asked to end, each time anew without effect. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    // The terminal has gone. Under nohup(1) that is no reason to end. This comes first: from the
    // first listener on, Deno 2.9 ends at any of these signals that it has no listener for.
    Deno.addSignalListener("SIGHUP", isIgnored("SIGHUP") ? () => {} : resolve);
    Deno.addSignalListener("SIGTERM", resolve);
    Deno.addSignalListener("SIGINT", resolve);
  });
}

/** Settles when all guests have ended; rejects if none did so in good order. */
async function allEnded(
  program: string,
  guests: readonly Thread[],
  listeners: readonly Listener[],
): Promise<void> {
  const reasons = await Promise.all(guests.map(async ({ ended }, guest) => {
    const reason = await ended;
    if (reason === undefined) return reason;
    getLog(program, guest).error(brokenText(reason));
    // Front-ends had better fail to connect than wait for an answer.
    listeners[guest].remove();
    return reason;
  }));
  if (reasons.every((reason) => reason !== undefined)) {
    throw new RuntimeError(NOBODY_LEFT);
  }
}

/**
 * Asks all guests to end, and waits for that.
 *
 * @param began false if no front-end has been served yet, so that there is no request to be half done
 * @throws {RuntimeError} if a device has not done what it has to do at the end
 */
async function endAll(
  program: string,
  guests: readonly Thread[],
  began: boolean,
): Promise<void> {
  for (const guest of guests) guest.stop();
  await endWithin(STOP_LIMIT, guests);
  await endWithin(
    LONG_STOP_LIMIT - STOP_LIMIT,
    guests.filter(({ hasEnded, duty }) => !hasEnded && duty !== undefined),
  );
  const late = [...guests.entries()].filter(([, { hasEnded, hasServed, duty }]) =>
    !hasEnded && hasServed && (began || duty !== undefined)
  );
  for (const [guest, { duty }] of late) {
    getLog(program, guest).error(lateText(duty, duty === undefined ? STOP_LIMIT : LONG_STOP_LIMIT));
  }
  const undone = late.filter(([, { duty }]) => duty !== undefined).map(([guest]) => guest);
  if (undone.length === 0) return;
  throw new RuntimeError(undoneText(undone));
}

/**
 * Serves the guests until SIGTERM, SIGINT or SIGHUP, or until every guest has ended.
 *
 * @param entry the program's own module, which each thread runs, too
 * @throws {RuntimeError} if a socket or a device cannot be had
 */
export async function supervise<Settings>(
  program: string,
  settings: DaemonSettings<Settings>,
  entry: string,
): Promise<void> {
  raiseDescriptorLimit();
  const signal = stopSignal();
  const gpioControl = wiredTo(settings);
  const { share, clients } = shareOut(settings, getLog(program));
  const watchdog = new Watchdog();
  const faults = handleMemoryFaults(settings.guests.length);
  const listeners = openSockets(settings.sockets, settings.guests.length);
  const guests: Thread[] = [];
  let control: Control | undefined;
  const gate = new SharedArrayBuffer(4);
  let began = false;
  try {
    if (isObserved(settings)) control = new Control(settings, gpioControl);
    settings.guests.forEach((plan, guest) => {
      const { fd: socket, listening } = listeners[guest];
      guests.push(
        new Thread(entry, `guest ${guest}`, {
          guest,
          settings: plan.settings,
          socket,
          listening,
          log: settings.log,
          pollMicroseconds: settings.pollMicroseconds,
          events: control?.events[guest],
          share,
          guard: watchdog.add(),
          faults,
          paths: settings.sandbox ? servingPaths(plan) : undefined,
          gate,
        }, { onCalling: () => watchdog.wake() }),
      );
    });
    control?.start(program, entry, settings, listeners, clients);
    const threads = control?.thread === undefined ? guests : [...guests, control.thread];
    const serving = Promise.all(threads.map((thread) => thread.serving)).then(() => {
      if (settings.sandbox) {
        const paths = [...listeners.map(({ path }) => path), control?.path];
        confineAll({
          paths: endingPaths(paths.filter((path) => path !== undefined)),
          confined: threads.flatMap(({ id }) => id ?? []),
          connects: gpioControl !== undefined,
        }, getLog(program));
      }
      open(gate);
      began = true;
      settings.guests.forEach((plan, guest) => {
        getLog(program, guest).info(`${plan.title} at ${listeners[guest].title}`);
      });
      if (settings.control !== undefined) {
        getLog(program).info(`control clients at ${settings.control}`);
      }
      if (settings.trace !== undefined) getLog(program).info(`trace in ${settings.trace}`);
      // To load and compile modules takes more of it than to run them.
      giveMemoryBack();
      return allEnded(program, guests, listeners);
    });
    await Promise.race([signal, serving]);
  } finally {
    open(gate);
    try {
      await endAll(program, guests, began);
    } finally {
      await control?.end();
      for (const listener of listeners) listener.remove();
    }
  }
}
