import { assert, assertEquals, assertThrows } from "@std/assert";
import { Lock } from "../../../lib/threads/lock.ts";

Deno.test("a lock is held by one thread at a time", async () => {
  const shared = { lock: new SharedArrayBuffer(Lock.SIZE), counter: new SharedArrayBuffer(8) };
  const workers = Array.from({ length: 3 }, () => {
    const url = new URL("increment_worker.ts", import.meta.url);
    return new Worker(url, { type: "module" });
  });
  await Promise.all(workers.map((worker) =>
    new Promise((resolve) => {
      worker.onmessage = resolve;
      worker.postMessage(shared);
    })
  ));
  for (const worker of workers) worker.terminate();
  assertEquals(new Uint32Array(shared.counter)[0], 600_000);
});

Deno.test("a lock that another has is not taken, however short the wait", () => {
  const memory = new SharedArrayBuffer(8);
  const [one, other, elsewhere] = [new Lock(memory), new Lock(memory), new Lock(memory, 4)];
  one.acquire();
  assert(!other.tryAcquire(0));
  const begin = performance.now();
  assert(!other.tryAcquire(20));
  assert(performance.now() - begin >= 19);
  assert(elsewhere.tryAcquire(0));
  one.release();
  assert(other.tryAcquire(0));
});

Deno.test("giving back a lock that nobody has is a mistake", () => {
  const lock = new Lock(new SharedArrayBuffer(Lock.SIZE));
  assertThrows(() => lock.release(), TypeError);
  lock.acquire();
  lock.release();
  assertThrows(() => lock.release(), TypeError);
});
