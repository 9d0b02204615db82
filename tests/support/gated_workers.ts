/**
 * Threads that begin all at once.
 *
 * @module
 */

/** Threads of a module that says "ready", waits at a gate, and says "done". */
export class GatedWorkers {
  readonly #gate = new Int32Array(new SharedArrayBuffer(4));
  readonly #workers: Worker[] = [];
  readonly #ready: Promise<void>[] = [];
  #running = 0;

  /** @param data what the thread gets, in addition to its gate */
  add(module: URL, data: object): void {
    const worker = new Worker(module, { type: "module" });
    const ready = Promise.withResolvers<void>();
    worker.onmessage = (event) => {
      if (event.data === "ready") ready.resolve();
      else this.#running--;
    };
    worker.postMessage({ ...data, gate: this.#gate });
    this.#running++;
    this.#workers.push(worker);
    this.#ready.push(ready.promise);
  }

  /** Lets them begin, when all of them are there. */
  async begin(): Promise<void> {
    await Promise.all(this.#ready);
    Atomics.store(this.#gate, 0, 1);
    Atomics.notify(this.#gate, 0);
  }

  /** True if some are not done. Looks at what they have said, which takes a turn of the loop. */
  async areRunning(): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    return this.#running > 0;
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.terminate();
  }
}
