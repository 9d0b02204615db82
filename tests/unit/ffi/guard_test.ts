import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { EINTR } from "../../../ffi/errno.ts";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close, isOpen } from "../../../ffi/fd.ts";
import { GUARD_SIZE, makeInterruptible, Watch } from "../../../ffi/guard.ts";
import { takeCounter } from "../../support/driver_queue.ts";
import { blockingEventfd, fillCounter, LingeringSocket } from "../../support/stubborn.ts";
import type { GuardedWork } from "./guarded_worker.ts";

/** Has a thread work, looks after it, and returns what became of it. */
async function watched(work: Omit<GuardedWork, "guard">) {
  makeInterruptible();
  const guard = new SharedArrayBuffer(GUARD_SIZE);
  const watch = new Watch(guard);
  const worker = new Worker(new URL("guarded_worker.ts", import.meta.url), { type: "module" });
  let unwatched = 0;
  const done = new Promise<number[]>((resolve) => {
    worker.onmessage = ({ data }) => {
      if (data === "unwatched") unwatched++;
      else resolve(data);
    };
  });
  worker.postMessage({ guard, ...work } satisfies GuardedWork);
  const timer = setInterval(() => watch.look(), 5);
  const signalled = await done;
  clearInterval(timer);
  return { signalled, unwatched, watch };
}

Deno.test("a thread that waits for room in a counter is freed, and goes on", async () => {
  const full = blockingEventfd();
  fillCounter(full);
  const empty = createEventfd();
  const { signalled, unwatched } = await watched({ signal: [full, empty, full], close: [] });
  assertEquals(signalled, [EINTR, 0, EINTR]);
  assertStrictEquals(takeCounter(empty), 1);
  assertStrictEquals(unwatched, 1, "one who watches already is told again");
  close(full);
  close(empty);
});

Deno.test("a thread that closes a socket which lingers is freed", async () => {
  using socket = new LingeringSocket(60);
  const start = performance.now();
  await watched({ signal: [], close: [socket.fd] });
  assert(performance.now() - start < 10_000, "close(2) lingered");
  assert(!isOpen(socket.fd));
});

Deno.test("a watch ends where there are no calls, and is asked for with the next one", async () => {
  const eventfd = createEventfd();
  const { watch } = await watched({ signal: [eventfd], close: [] });
  watch.look();
  assertStrictEquals(watch.look(), false);
  assert(watch.end());
  const { unwatched } = await watched({ signal: [eventfd], close: [] });
  assertStrictEquals(unwatched, 1);
  close(eventfd);
});
