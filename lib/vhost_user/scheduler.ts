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
  /** Serves `task` once after the events at hand, before the loop waits again. */
  defer(task: Task): void;
  /** Asks `task` again and again for work that nobody announces. */
  poll(task: Task): void;
  /** Ends that. */
  unpoll(task: Task): void;
}
