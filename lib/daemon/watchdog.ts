/**
 * The main thread's look at the guests' threads: one that is kept in a system call by its front-end
 * is freed. See `ffi/guard.ts`.
 *
 * @module
 */

import { GUARD_SIZE, makeInterruptible, Watch } from "../../ffi/guard.ts";

/** How often threads are looked at while they call their drivers, in milliseconds. */
const INTERVAL = 20;
/** After how many looks without a call nobody is watched any more. */
const PATIENCE = 50;

/** Watches threads while there is something to be watched; at rest it costs nothing. */
export class Watchdog {
  readonly #watches: Watch[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #quiet = 0;

  /** @throws {SystemError} if threads cannot be interrupted */
  constructor() {
    makeInterruptible();
  }

  /** Makes the memory through which another thread is looked at. */
  add(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(GUARD_SIZE);
    this.#watches.push(new Watch(memory));
    return memory;
  }

  /** Begins to look: a thread has said that it makes calls which may not return. */
  wake(): void {
    this.#quiet = 0;
    this.#timer ??= setInterval(() => this.#look(), INTERVAL);
  }

  #look(): void {
    let busy = false;
    for (const watch of this.#watches) busy = watch.look() || busy;
    this.#quiet = busy ? 0 : this.#quiet + 1;
    if (this.#quiet < PATIENCE) return;
    const over = this.#watches.map((watch) => watch.end()).every((idle) => idle);
    if (!over) return this.wake();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
