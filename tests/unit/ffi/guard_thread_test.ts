import { assert, assertEquals } from "@std/assert";
import { EINTR } from "../../../ffi/errno.ts";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { takeCounter } from "../../support/driver_queue.ts";
import { blockingEventfd, fillCounter } from "../../support/stubborn.ts";
import { PATIENCE, pause, SLOWNESS, until } from "../../support/wait.ts";
import type { SelfGuardedOutcome, SelfGuardedWork } from "./self_guarded_worker.ts";

const TASKS = "/proc/self/task";
/** How often the thread looks, in milliseconds, and after how many looks it rests. */
const INTERVAL = 20;
const LOOKS = 50;
/** Who does not look for so long rests, in milliseconds. */
const LONG = 20 * INTERVAL * SLOWNESS;

/** The threads of this process that watch. */
function watchers(): string[] {
  return [...Deno.readDirSync(TASKS)].map(({ name }) => name).filter((thread) => {
    try {
      return Deno.readTextFileSync(`${TASKS}/${thread}/comm`) === "guard\n";
    } catch {
      // It has ended.
      return false;
    }
  });
}

/** How often a thread has begun to wait. */
function waits(thread: string): number {
  const status = Deno.readTextFileSync(`${TASKS}/${thread}/status`);
  return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1]);
}

/** True if a thread has not begun to wait while looks were due. */
function rests(thread: string): boolean {
  const before = waits(thread);
  pause(LONG);
  return waits(thread) === before;
}

/** A thread that has another one watch it. */
class SelfGuarded implements Disposable {
  /** The number of the thread that watches. */
  readonly watcher: string;
  readonly #worker: Worker;

  private constructor(worker: Worker, watcher: string) {
    this.#worker = worker;
    this.watcher = watcher;
  }

  static async start(): Promise<SelfGuarded> {
    const others = watchers();
    const url = new URL("self_guarded_worker.ts", import.meta.url);
    const worker = new Worker(url, { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    const own = () => watchers().filter((thread) => !others.includes(thread));
    until("a thread that watches", () => own().length === 1);
    return new SelfGuarded(worker, own()[0]);
  }

  /** Has it signal descriptors. If it is stuck for too long, those that are full are drained. */
  signal(fds: readonly number[], time = 0): Promise<SelfGuardedOutcome> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        fds.forEach(takeCounter);
        reject(new Error("the thread was not freed"));
      }, PATIENCE);
      this.#worker.onmessage = ({ data }) => {
        clearTimeout(late);
        resolve(data);
      };
      this.#worker.postMessage({ signal: fds, time } satisfies SelfGuardedWork);
    });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

Deno.test("a thread that waits for room in a counter is freed by a native thread", async () => {
  using guarded = await SelfGuarded.start();
  const full = blockingEventfd();
  fillCounter(full);
  const empty = createEventfd();
  const start = performance.now();
  const { signalled, interruptions } = await guarded.signal([full, empty, full]);
  assert(performance.now() - start < 1000 * SLOWNESS);
  assertEquals(signalled, [EINTR, 0, EINTR]);
  assert(interruptions >= 2);
  assertEquals(takeCounter(empty), 1);
  close(full);
  close(empty);
});

Deno.test("calls that return are not interrupted by a native thread", async () => {
  using guarded = await SelfGuarded.start();
  const empty = createEventfd();
  const before = waits(guarded.watcher);
  const { signalled, interruptions } = await guarded.signal([empty], LOOKS * INTERVAL);
  const looks = waits(guarded.watcher) - before;
  assertEquals(signalled, [0]);
  // One that has to wait for a processor may be in the same call for two looks.
  assert(interruptions < looks / 5, `${interruptions} interruptions in ${looks} looks`);
  close(empty);
});

Deno.test("a native thread rests where there are no calls, and wakes with the next one", async () => {
  using guarded = await SelfGuarded.start();
  const full = blockingEventfd();
  fillCounter(full);
  for (let round = 0; round < 2; round++) {
    const start = performance.now();
    assertEquals((await guarded.signal([full])).signalled, [EINTR]);
    until("a rest", () => rests(guarded.watcher));
    assert(performance.now() - start >= LOOKS * INTERVAL + LONG, "it rests too soon");
  }
  close(full);
});
