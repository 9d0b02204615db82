import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { clearEventfd, createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import {
  CAPACITY,
  type Change,
  type ChangeListener,
  Changes,
  emptyChange,
  MAX_LISTENERS,
  PartChanges,
} from "../../../lib/simulation/changes.ts";
import { GatedWorkers } from "../../support/gated_workers.ts";
import { waitReadable } from "../../support/wait.ts";

function all(listener: ChangeListener): Change[] {
  const found: Change[] = [];
  for (;;) {
    const change = emptyChange();
    if (!listener.next(change)) return found;
    found.push(change);
  }
}

function fixture() {
  const memory = new SharedArrayBuffer(Changes.SIZE);
  const eventfd = createEventfd();
  return {
    // As on two threads.
    told: new Changes(memory),
    heard: new Changes(memory),
    eventfd,
    [Symbol.dispose]: () => close(eventfd),
  };
}

Deno.test("changes are told to those who listen, in order and with their time", () => {
  using it = fixture();
  it.told.tell(1, 0, 5, 0, 0);
  const listener = it.heard.listen(it.eventfd)!;
  const before = Date.now();
  it.told.tell(2, 3, 1, 0, 0);
  const part = new PartChanges(it.told, 4, ["contents", "busy"]);
  part.tell("busy", true);
  part.tellBytes("contents", 16, 2);
  const changes = all(listener);
  for (const { time } of changes) assert(Math.abs(time - before) < 1000, `${time} ${before}`);
  assertEquals(changes.map(({ time: _, ...rest }) => rest), [
    { sequence: 0, thing: 2, property: 3, value: 1, at: 0, length: 0 },
    { sequence: 1, thing: 4, property: 1, value: 1, at: 0, length: 0 },
    { sequence: 2, thing: 4, property: 0, value: NaN, at: 16, length: 2 },
  ]);
  assertEquals(listener.missed, 0);
  listener.close();
  assert(!it.told.isHeard);
});

Deno.test("a listener is woken once, and again after it was told everything", () => {
  using it = fixture();
  const listener = it.heard.listen(it.eventfd)!;
  assert(!waitReadable(it.eventfd, 0));
  for (let count = 0; count < 3; count++) it.told.tell(0, 0, count, 0, 0);
  assert(waitReadable(it.eventfd, 0));
  clearEventfd(it.eventfd);
  const change = emptyChange();
  listener.next(change);
  it.told.tell(0, 0, 3, 0, 0);
  assert(!waitReadable(it.eventfd, 0));
  assertEquals(all(listener).length, 3);
  it.told.tell(0, 0, 4, 0, 0);
  assert(waitReadable(it.eventfd, 0));
  listener.close();
});

Deno.test("a listener that does not keep up knows how much it has missed", () => {
  using it = fixture();
  const listener = it.heard.listen(it.eventfd)!;
  for (let count = 0; count < CAPACITY + 10; count++) it.told.tell(0, 0, count, 0, 0);
  const changes = all(listener);
  assertEquals(listener.missed, 10);
  assertStrictEquals(changes.length, CAPACITY);
  assertEquals(changes[0].value, 10);
  assertEquals(changes[0].sequence, 10);
  listener.close();
});

Deno.test("several can listen, each at its own pace, and there is a limit to that", () => {
  using it = fixture();
  const listeners = Array.from({ length: MAX_LISTENERS }, () => it.heard.listen(it.eventfd)!);
  assertEquals(it.heard.listen(it.eventfd), undefined);
  it.told.tell(0, 0, 1, 0, 0);
  assertEquals(all(listeners[0]).length, 1);
  it.told.tell(0, 0, 2, 0, 0);
  assertEquals(all(listeners[0]).length, 1);
  assertEquals(all(listeners[1]).length, 2);
  listeners[0].close();
  const late = it.heard.listen(it.eventfd)!;
  assertEquals(all(late).length, 0);
});

Deno.test("changes of several threads are told one by one, and none is lost uncounted", async () => {
  using it = fixture();
  using workers = new GatedWorkers();
  const memory = new SharedArrayBuffer(Changes.SIZE);
  const listener = new Changes(memory).listen(it.eventfd)!;
  const ROUNDS = 100_000;
  for (const thing of [1, 2]) {
    const url = new URL("telling_worker.ts", import.meta.url);
    workers.add(url, { changes: memory, thing, rounds: ROUNDS });
  }
  await workers.begin();
  const change = emptyChange();
  const last = [NaN, -1, -1];
  let [told, next] = [0, 0];
  for (let isLast = false; !isLast;) {
    isLast = !await workers.areRunning();
    while (listener.next(change)) {
      told++;
      assert(change.sequence >= next, `${change.sequence} after ${next - 1}`);
      assert(change.value > last[change.thing], `${change.value} after ${last[change.thing]}`);
      next = change.sequence + 1;
      last[change.thing] = change.value;
    }
  }
  assertEquals(told + listener.missed, 2 * ROUNDS);
  assertEquals(next, 2 * ROUNDS);
  listener.close();
});
