/**
 * A thread under guard of a thread in machine code, which it starts itself. It signals descriptors
 * as often as it is asked to.
 *
 * @module
 */

import { errno } from "../../../ffi/errno.ts";
import { signalGuarded } from "../../../ffi/eventfd.ts";
import { guardThread } from "../../../ffi/guard.ts";
import { startWatching } from "../../../ffi/guard_thread.ts";

/** What the thread is to do. */
export interface SelfGuardedWork {
  readonly signal: readonly number[];
  /** How long it does that again and again, in milliseconds; once at least. */
  readonly time: number;
}

/** What became of it. */
export interface SelfGuardedOutcome {
  /** For each descriptor 0 or the error that it met last. */
  readonly signalled: readonly number[];
  /** How often it was interrupted since it began. */
  readonly interruptions: number;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<SelfGuardedWork>) => void;
  postMessage(message: SelfGuardedOutcome | "ready"): void;
};

const { memory, wake } = startWatching();
guardThread(memory, wake);
/** INTERRUPTIONS of `guard.ts` */
const interruptions = new Int32Array(memory, 12, 1);

scope.onmessage = ({ data: { signal, time } }) => {
  const end = performance.now() + time;
  const signalled = signal.map(() => 0);
  do {
    signal.forEach((fd, index) => {
      if (signalGuarded(fd) !== 8) signalled[index] = errno();
    });
  } while (performance.now() < end);
  scope.postMessage({ signalled, interruptions: Atomics.load(interruptions, 0) });
};
scope.postMessage("ready");
