/**
 * Where threads run, so that a guest is not slowed down by what has nothing to do with it.
 *
 * @module
 */

import type { Daemon } from "../support/daemon.ts";
import { busiestThread } from "../support/process_state.ts";
import { keepOn, keepThreadOn, processors } from "../support/processors.ts";
import type { Load } from "./load.ts";

/** Requests after which a daemon's thread is known by what it has used of a processor. */
const WARM_UP = 30_000;

/** What each of the processors is for. */
const SHARES = ["each thread", "each guest", "all"] as const;
export type Share = typeof SHARES[number];

/** Where the threads are: those of the quiet guest and its front-end, and those of the other. */
export interface Places {
  readonly share: Share;
  readonly quiet: number;
  readonly quietFrontEnd: number;
  readonly other: number;
  readonly otherFrontEnd: number;
}

/** As good as can be on these processors. */
export function placesFor(available: readonly number[]): Places {
  const [first, second = first, third = first, fourth = second] = available;
  const share = SHARES[available.length >= 4 ? 0 : available.length >= 2 ? 1 : 2];
  return {
    share,
    quiet: first,
    other: second,
    quietFrontEnd: third,
    otherFrontEnd: fourth,
  };
}

/** Where a daemon's threads go: that of the guest under this load, and all others. */
export function place(daemon: Daemon, load: Load, places: Places): void {
  const thread = busiestThread(daemon.pid, () => load.throughput(WARM_UP));
  keepOn(daemon.pid, [places.other]);
  keepThreadOn(thread, places.quiet);
}

/** Has this thread be the quiet guest's front-end, and all others of the process elsewhere. */
export function quietFrontEnd({ quietFrontEnd, otherFrontEnd }: Places): Disposable {
  const all = processors();
  keepOn(Deno.pid, [otherFrontEnd]);
  keepThreadOn(0, quietFrontEnd);
  return { [Symbol.dispose]: () => keepOn(Deno.pid, all) };
}
