import { assert, assertEquals } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { EventWriter, makeEventRing, type RingEvent } from "../../../lib/events/event_ring.ts";
import { GuestEvents } from "../../../lib/events/guest_events.ts";
import { pause, SLOWNESS } from "../../support/wait.ts";

/** Rings of two guests, what is told of them, and what is put off. */
function observed({ delay = 0, capacity = 4096, kinds = 2 } = {}) {
  const wake = createEventfd();
  const rings = [0, 1].map(() => makeEventRing(capacity, wake));
  const later: { milliseconds: number; action: () => void }[] = [];
  const events = new GuestEvents(
    rings,
    { after: (milliseconds, action) => later.push({ milliseconds, action }) },
    delay,
  );
  const told: number[] = [];
  let leftOut = 0;
  const skipped: number[] = [];
  const observer = {
    kinds,
    dataLimit: 16,
    onEvent(guest: number, event: RingEvent) {
      told.push(guest * 1000 + event.first);
      skipped.push(event.skipped);
    },
    onLeftOut: (_guest: number, count: number) => leftOut += count,
  };
  return {
    events,
    later,
    told,
    skipped,
    observer,
    get leftOut() {
      return leftOut;
    },
    writers: rings.map((ring) => new EventWriter(ring)),
    [Symbol.dispose]: () => close(wake),
  };
}

Deno.test("events of several guests are told in the order of their times", () => {
  using it = observed();
  it.events.add(it.observer);
  for (let count = 0; count < 10; count++) {
    it.writers[count % 3 === 0 ? 1 : 0].write(1, count, 0, 0, 0);
    // Far enough apart to have times of their own.
    pause(1);
  }
  it.events.drain(Infinity);
  assertEquals(it.told, [1000, 1, 2, 1003, 4, 5, 1006, 7, 8, 1009]);
});

Deno.test("what is wanted is what any observer wants, and each is told of that alone", () => {
  using it = observed();
  it.events.add(it.observer);
  const others: number[] = [];
  const other = { kinds: 4, dataLimit: 99, onEvent: () => others.push(1), onLeftOut() {} };
  it.events.add(other);
  const [writer] = it.writers;
  assert(writer.wants(1) && writer.wants(2) && !writer.wants(3));
  assertEquals(writer.dataLimit, 99);
  writer.write(1, 5, 0, 0, 0);
  writer.write(2, 6, 0, 0, 0);
  it.events.drain(Infinity);
  assertEquals([it.told, others], [[5], [1]]);
  other.kinds = 0;
  it.events.want();
  assert(!writer.wants(2));
});

Deno.test("events are gathered for a while, whoever is woken", () => {
  using it = observed({ delay: 2 });
  it.events.add(it.observer);
  it.events.drain(Infinity);
  it.writers[0].write(1, 1, 0, 0, 0);
  it.events.onWake();
  it.events.onWake();
  assertEquals(it.told, []);
  assertEquals(it.later.map(({ milliseconds }) => milliseconds), [2]);
  it.writers[1].write(1, 2, 0, 0, 0);
  // On a slow machine the turn may be over after the first, and then there is another one.
  for (const { action } of it.later) action();
  assertEquals(it.told, [1, 1002]);
});

Deno.test("a guest that never stops does not keep the reader for itself", () => {
  using it = observed();
  const { onEvent } = it.observer;
  it.observer.onEvent = (guest, event) => {
    onEvent(guest, event);
    it.writers[0].write(1, event.first + 1, 0, 0, 0);
  };
  it.events.add(it.observer);
  it.writers[0].write(1, 0, 0, 0, 0);
  const begin = performance.now();
  it.events.drain(5);
  assert(performance.now() - begin < 1000 * SLOWNESS);
  assertEquals(it.later.map(({ milliseconds }) => milliseconds), [0]);
  const before = it.told.length;
  it.later[0].action();
  assert(it.told.length > before);
});

Deno.test("an event says how many before it were left out, and all of them are counted", () => {
  using it = observed({ capacity: 512 });
  it.events.add(it.observer);
  const [writer] = it.writers;
  for (let count = 0; count < 20; count++) writer.write(1, count, 0, 0, 0);
  it.events.drain(Infinity);
  const kept = it.told.length;
  assertEquals(it.leftOut, 20 - kept);
  writer.write(1, 20, 0, 0, 0);
  writer.write(1, 21, 0, 0, 0);
  it.events.drain(Infinity);
  assertEquals(it.skipped.slice(kept), [20 - kept, 0]);
  assertEquals(it.leftOut, 20 - kept);
});
