/**
 * A thread of the daemon, as the main thread sees it.
 *
 * @module
 */

import { createEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { RuntimeError } from "../errors.ts";
import type { ControlStart } from "./control_worker.ts";
import { takeWorker } from "./early_worker.ts";
import type { WorkerReport, WorkerStart } from "./worker.ts";

/** One thread. */
export class Thread {
  /** Settles when it serves; rejects with a RuntimeError otherwise. */
  readonly serving: Promise<void>;
  /** Settles when it has come to its end: with the reason where that was an early one. */
  readonly ended: Promise<string | undefined>;
  hasEnded = false;
  /** It has come to serve: its device was there. */
  hasServed = false;
  /** What its device has to do at the end, for people; `undefined` for nothing. */
  duty: string | undefined;
  /** The kernel's number of it, once it serves. */
  id: number | undefined;
  readonly #stop = createEventfd();

  /**
   * Starts a thread.
   *
   * @param entry the program's own module
   * @param title for people, for example `guest 0`
   * @param options what is to be done when it says that it is in a call which may not return
   */
  constructor(
    entry: string,
    title: string,
    start: Omit<WorkerStart, "stop"> | Omit<ControlStart, "stop">,
    options: { readonly onCalling?: () => void } = {},
  ) {
    const worker = takeWorker(entry, title);
    const serving = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<string | undefined>();
    this.serving = serving.promise;
    this.ended = ended.promise;
    this.ended.then(() => this.hasEnded = true);
    const fail = (reason: string) => {
      serving.reject(new RuntimeError(`${title}: ${reason}`));
      ended.resolve(reason);
    };
    worker.onmessage = ({ data }: MessageEvent<WorkerReport>) => {
      if (data.state === "serving") {
        this.hasServed = true;
        this.duty = data.duty;
        this.id = data.thread;
        serving.resolve();
      } else if (data.state === "calling") options.onCalling?.();
      else if (data.state === "failed") fail(data.reason);
      else ended.resolve(undefined);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      fail(`internal error: ${event.message}`);
    };
    worker.postMessage({ ...start, stop: this.#stop });
  }

  stop(): void {
    signalEventfd(this.#stop);
  }
}

/** Settles when all of the threads have ended, or after that time. */
export async function endWithin(milliseconds: number, threads: readonly Thread[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
  await Promise.race([Promise.all(threads.map(({ ended }) => ended)), limit]);
  clearTimeout(timer);
}
