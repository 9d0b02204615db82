/**
 * A thread that is not the main one: a guest's, or the one that observes guests.
 *
 * @module
 */

import { guardThread } from "../../ffi/guard.ts";
import { coverThread } from "../../ffi/memory_fault.ts";
import { threadId } from "../../ffi/thread_id.ts";
import type { ControlStart } from "./control_worker.ts";
import type { DeviceKind } from "./device_kind.ts";
import { type GuestStart, reasonOf, serveGuest } from "./guest.ts";
import { configureLimitedLog, getLog, type LogSettings } from "./log.ts";
import type { SandboxPath } from "./sandbox/paths.ts";
import { confineThread } from "./sandbox/sandbox.ts";

/** From the main thread: everything that the guest's thread needs. */
export interface WorkerStart extends GuestStart {
  readonly guest: number;
  readonly log: LogSettings;
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
    serveGuest(kind, start, log, (loop, { duty }) => {
      limit.drive((milliseconds, action) => loop.after(milliseconds, action));
      if (start.paths !== undefined) confineThread(start.paths);
      report({ state: "serving", duty, thread: threadId() });
      Atomics.wait(new Int32Array(start.gate), 0, 0);
    });
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
