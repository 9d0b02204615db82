/**
 * What a session needs of the event loop that drives it.
 *
 * @module
 */

import type { Poller } from "../virtio/device.ts";

/** Work that can be asked whether there is any. */
export interface Task {
  /** True if {@linkcode serve} would find something to do. Cheap, and free of side effects. */
  hasWork(): boolean;
  /** Does a bounded amount of it. */
  serve(): void;
}

/** An event loop on which sessions run. */
export interface Scheduler extends Poller {
  /** True once it is to end, also if it has not got round to that. Takes a system call. */
  readonly isEnding: boolean;
  /** Serves `task` once after the events at hand, before the loop waits again. */
  defer(task: Task): void;
  /**
   * Makes a task known whose work comes from outside.
   *
   * @param announced true if a descriptor tells of new work; otherwise the task is asked again and
   * again
   */
  attach(task: Task, announced: boolean): void;
  /** Forgets it. */
  detach(task: Task): void;
}
