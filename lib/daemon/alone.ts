/**
 * A daemon with one guest that nobody observes: the main thread serves it. There is no one else for
 * whom it would have to be apart, and another thread of JavaScript takes its time and its memory.
 *
 * @module
 */

import { createEventfd } from "../../ffi/eventfd.ts";
import { guardThread } from "../../ffi/guard.ts";
import { startWatching } from "../../ffi/guard_thread.ts";
import { coverThread } from "../../ffi/memory_fault.ts";
import { handleMemoryFaults } from "../../ffi/memory_fault_handler.ts";
import { giveMemoryBack, raiseDescriptorLimit } from "../../ffi/resource.ts";
import { isIgnored } from "../../ffi/signal.ts";
import { StopSignals } from "../../ffi/stop_signals.ts";
import type { VirtioDevice } from "../virtio/device.ts";
import type { DeviceKind } from "./device_kind.ts";
import { dropWorker } from "./early_worker.ts";
import { brokenText, lateText, LONG_STOP_LIMIT, NOBODY_LEFT, undoneText } from "./ending.ts";
import type { EventLoop } from "./event_loop.ts";
import { reasonOf, serveGuest } from "./guest.ts";
import { configureLimitedLog, configureLog, endText, getLog, lastLine } from "./log.ts";
import { openSockets, shareOut } from "./resources.ts";
import { endingPaths, servingPaths } from "./sandbox/paths.ts";
import { confineAll } from "./sandbox/process.ts";
import type { DaemonSettings } from "./settings.ts";
import { RuntimeError } from "../errors.ts";

/** The number of the guest. */
const GUEST = 0;

/** What the process says where it cannot end, and how it ends then. */
function lastWords(program: string, duty: string | undefined, path: string | undefined) {
  const { fd, text } = lastLine(program, GUEST, lateText(duty, LONG_STOP_LIMIT));
  return duty === undefined
    ? { fd, text: `${text}\n`, path, code: 0 }
    : { fd, text: `${text}\n${endText(program, undoneText([GUEST]))}\n`, path, code: 1 };
}

/**
 * Serves the guest until SIGTERM, SIGINT or SIGHUP, or until its one connection has ended.
 *
 * @throws {RuntimeError} if its socket or its device cannot be had, or if the device has failed
 */
export function serveAlone<Settings>(
  kind: DeviceKind<Settings>,
  settings: DaemonSettings<Settings>,
): void {
  const { program } = kind;
  const [plan] = settings.guests;
  const log = getLog(program, GUEST);
  dropWorker();
  raiseDescriptorLimit();
  const stop = createEventfd();
  // The terminal has gone. Under nohup(1) that is no reason to end.
  const hangUp = isIgnored("SIGHUP") ? [] : ["SIGHUP" as const];
  const signals = new StopSignals([...hangUp, "SIGINT", "SIGTERM"], stop, LONG_STOP_LIMIT);
  const { share } = shareOut(settings, getLog(program));
  const { memory, wake } = startWatching();
  guardThread(memory, wake);
  signals.leaveToOthers();
  coverThread(handleMemoryFaults(1), GUEST);
  const [listener] = openSockets(settings.sockets, 1);
  const { fd: socket, listening, path, title } = listener;
  const limit = configureLimitedLog(program, settings.log);
  let serves = false;
  const ready = (loop: EventLoop, { duty }: VirtioDevice) => {
    limit.drive((milliseconds, action) => loop.after(milliseconds, action));
    signals.limit(LONG_STOP_LIMIT, lastWords(program, duty, path));
    if (settings.sandbox) {
      const sockets = path === undefined ? [] : [path];
      const paths = [...servingPaths(plan), ...endingPaths(sockets)];
      confineAll({ paths, confined: [], connects: false }, getLog(program));
    }
    serves = true;
    log.info(`${plan.title} at ${title}`);
    // To load and compile modules takes more of it than to run them.
    giveMemoryBack();
  };
  const { settings: own } = plan;
  const { pollMicroseconds } = settings;
  try {
    serveGuest(
      kind,
      { settings: own, socket, listening, stop, pollMicroseconds, share },
      log,
      ready,
    );
  } catch (error) {
    log.debug(`${(error as Error).stack}`);
    if (!serves) throw new RuntimeError(`guest ${GUEST}: ${reasonOf(error)}`);
    log.error(brokenText(reasonOf(error)));
    throw new RuntimeError(NOBODY_LEFT);
  } finally {
    signals.unlimit();
    limit.finish();
    configureLog(program, settings.log);
    listener.remove();
  }
}
