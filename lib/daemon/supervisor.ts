/**
 * The main thread: makes the sockets, starts a thread per guest, and ends it all on a signal.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { handleMemoryFaults } from "../../ffi/memory_fault_handler.ts";
import { memoryLimit } from "../../ffi/memory_limit.ts";
import {
  descriptorLimit,
  giveMemoryBack,
  openDescriptors,
  raiseDescriptorLimit,
} from "../../ffi/resource.ts";
import { isIgnored } from "../../ffi/signal.ts";
import { threadId } from "../../ffi/thread_id.ts";
import { shareDescriptors } from "./descriptor_budget.ts";
import { inherit, listenAll, type Listener, socketPaths } from "./listeners.ts";
import { getLog } from "./log.ts";
import { checkMemory } from "./memory_budget.ts";
import { endingPaths, servingPaths } from "./sandbox/paths.ts";
import { confineHelpers, confineProcess } from "./sandbox/process.ts";
import { confineThread } from "./sandbox/sandbox.ts";
import { allowedCalls, connectingCalls } from "./sandbox/system_calls.ts";
import type { DaemonSettings, SocketSettings } from "./settings.ts";
import { Watchdog } from "./watchdog.ts";
import type { Share } from "../vhost_user/session.ts";
import { MAX_MEMORY } from "../virtio/guest_memory.ts";
import { RuntimeError } from "../errors.ts";
import { Control, wiredTo } from "./control.ts";
import { endWithin, Thread } from "./thread.ts";

/** How often a second guests together may have memory unmapped in the long run, which is felt by all. */
const UNMAPPINGS = 400;
/** How long threads have to end after a signal, in milliseconds. */
const STOP_LIMIT = 150;
/** The same where the device has something to do at the end that must not be left out. */
const DUTY_LIMIT = 1000;

function openSockets(where: SocketSettings, count: number): Listener[] {
  if ("fd" in where) return [inherit(where.fd, "option '--fd'")];
  if ("systemd" in where) return where.systemd.map((fd) => inherit(fd, "systemd"));
  return listenAll(socketPaths(where.path, count));
}

/** Has the threads begin to serve. */
function open(gate: SharedArrayBuffer): void {
  const word = new Int32Array(gate);
  Atomics.store(word, 0, 1);
  Atomics.notify(word, 0);
}

/**
 * Confines the main thread and those of the runtime, and then all threads together.
 *
 * @param sockets that have to be removed at the end
 * @param threads those that have confined themselves
 * @param connects true if one of them goes on to connect to another daemon
 */
function confine(
  sockets: readonly string[],
  threads: readonly Thread[],
  connects: boolean,
  log: Logger,
): void {
  const paths = endingPaths(sockets);
  const ours = [threadId(), ...threads.flatMap(({ id }) => id ?? [])];
  const lacks = [
    ...confineThread(paths),
    ...confineHelpers(paths, ours),
    ...confineProcess(connects ? [...allowedCalls, ...connectingCalls] : allowedCalls),
  ];
  if (lacks.length > 0) log.warn(`the sandbox has gaps on this kernel: ${lacks.join("; ")}`);
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
    getLog(program, guest).error(`is no longer served: ${reason}`);
    // Front-ends had better fail to connect than wait for an answer.
    listeners[guest].remove();
    return reason;
  }));
  if (reasons.every((reason) => reason !== undefined)) {
    throw new RuntimeError("no guest is left to be served; start the daemon again");
  }
}

/**
 * Asks all guests to end, and waits for that.
 *
 * @throws {RuntimeError} if a device has not done what it has to do at the end
 */
async function endAll(program: string, guests: readonly Thread[]): Promise<void> {
  for (const guest of guests) guest.stop();
  await endWithin(STOP_LIMIT, guests);
  await endWithin(
    DUTY_LIMIT - STOP_LIMIT,
    guests.filter(({ hasEnded, duty }) => !hasEnded && duty !== undefined),
  );
  const late = [...guests.entries()].filter(([, { hasEnded, hasServed }]) =>
    !hasEnded && hasServed
  );
  for (const [guest, { duty }] of late) {
    getLog(program, guest).error(
      duty === undefined
        ? `does not end within ${STOP_LIMIT} ms: a request may be half done, and its device is ` +
          "left as it is"
        : `does not end within ${DUTY_LIMIT} ms: ${duty} was not done, and its device is left as it is`,
    );
  }
  const undone = late.filter(([, { duty }]) => duty !== undefined).map(([guest]) => guest);
  if (undone.length === 0) return;
  throw new RuntimeError(
    `${undone.length === 1 ? "guest" : "guests"} ${undone.join(", ")} could not be taken down in ` +
      "good order; see the log for what was left undone",
  );
}

/**
 * How much each front-end may take of what the process has, and how many control clients there may
 * be.
 *
 * @param observed true if there is a thread that observes guests
 * @throws {RuntimeError} if that is too little
 */
function shareOut(
  { guests, control }: DaemonSettings<unknown>,
  observed: boolean,
  log: Logger,
): { readonly share: Required<Share>; readonly clients: number } {
  const { message, clients } = shareDescriptors({
    limit: descriptorLimit(),
    open: openDescriptors(),
    devices: guests.map(({ descriptors }) => descriptors ?? 0),
    controlled: control !== undefined,
  });
  const scarcity = checkMemory({ limit: memoryLimit(), guests: guests.length, observed });
  if (scarcity !== undefined) log.warn(scarcity);
  const share = {
    descriptors: message,
    memory: MAX_MEMORY / guests.length,
    unmappings: guests.length === 1 ? Infinity : UNMAPPINGS / guests.length,
  };
  return { share, clients };
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
  const observed = [settings.control, settings.trace, gpioControl].some((one) => one !== undefined);
  const { share, clients } = shareOut(settings, observed, getLog(program));
  const watchdog = new Watchdog();
  const faults = handleMemoryFaults(settings.guests.length);
  const listeners = openSockets(settings.sockets, settings.guests.length);
  const guests: Thread[] = [];
  let control: Control | undefined;
  const gate = new SharedArrayBuffer(4);
  try {
    if (observed) control = new Control(settings, gpioControl);
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
        const sockets = paths.filter((path) => path !== undefined);
        confine(sockets, threads, gpioControl !== undefined, getLog(program));
      }
      open(gate);
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
      await endAll(program, guests);
    } finally {
      await control?.end();
      for (const listener of listeners) listener.remove();
    }
  }
}
