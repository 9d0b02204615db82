/**
 * A thread under guard that closes or signals descriptors which do not let it.
 *
 * @module
 */

import { errno } from "../../../ffi/errno.ts";
import { signalGuarded } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { guardThread } from "../../../ffi/guard.ts";

/** What the thread is to do. */
export interface GuardedWork {
  readonly guard: SharedArrayBuffer;
  readonly signal: readonly number[];
  readonly close: readonly number[];
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<GuardedWork>) => void;
  postMessage(message: unknown): void;
  close(): void;
};
scope.onmessage = ({ data }) => {
  guardThread(data.guard, () => scope.postMessage("unwatched"));
  const signalled = data.signal.map((fd) => signalGuarded(fd) === 8 ? 0 : errno());
  for (const fd of data.close) close(fd);
  scope.postMessage(signalled);
  scope.close();
};
