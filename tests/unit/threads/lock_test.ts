import assert from "node:assert/strict";
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
  assert.equal(new Uint32Array(shared.counter)[0], 600_000);
});

Deno.test("a lock that another has is not taken, however short the wait", () => {
  const memory = new SharedArrayBuffer(8);
  const [one, other, elsewhere] = [new Lock(memory), new Lock(memory), new Lock(memory, 4)];
  one.acquire();
  assert.ok(!other.tryAcquire(0));
  const begin = performance.now();
  assert.ok(!other.tryAcquire(20));
  assert.ok(performance.now() - begin >= 19);
  assert.ok(elsewhere.tryAcquire(0));
  one.release();
  assert.ok(other.tryAcquire(0));
});

Deno.test("giving back a lock that nobody has is a mistake", () => {
  const lock = new Lock(new SharedArrayBuffer(Lock.SIZE));
  assert.throws(() => lock.release(), TypeError);
  lock.acquire();
  lock.release();
  assert.throws(() => lock.release(), TypeError);
});
