import { assert } from "@std/assert";
import { Bus } from "../../../lib/threads/bus.ts";
import { pause, waitReadable } from "../../support/wait.ts";

/** Runs a test with guests that share a bus. */
function withBus(count: number, run: (...guests: Bus[]) => void): () => void {
  return () => {
    const memory = new SharedArrayBuffer(Bus.size(count));
    const guests = Array.from({ length: count }, (_, guest) => new Bus(memory, guest));
    try {
      run(...guests);
    } finally {
      for (const bus of guests) bus.close();
    }
  };
}

const isAwake = (bus: Bus) => waitReadable(bus.wakeFd, 0);

/** Has the bus for a while. */
function use(bus: Bus, milliseconds: number): void {
  assert(bus.claim());
  pause(milliseconds);
  bus.release();
}

Deno.test(
  "a bus belongs to one guest at a time",
  withBus(2, (one, other) => {
    assert(one.claim());
    assert(one.isMine && !other.isMine);
    assert(!other.claim());
    one.release();
    assert(other.claim());
  }),
);

Deno.test(
  "a guest that has asked for a bus in vain is woken when it is its turn, and not before",
  withBus(3, (one, other, third) => {
    one.claim();
    other.claim();
    assert(one.isWanted);
    assert(!isAwake(other));
    one.release();
    assert(isAwake(other) && !isAwake(third));
    assert(!third.claim());
    assert(other.claim());
    other.clearWake();
    assert(!isAwake(other));
    other.release();
    assert(isAwake(third));
  }),
);

Deno.test(
  "a guest that gives up its place in the line lets others by",
  withBus(2, (one, other) => {
    one.claim();
    other.claim();
    other.release();
    assert(one.isMine && !one.isWanted);
    one.release();
    assert(one.claim());
  }),
);

Deno.test(
  "a guest that gives up its turn passes it on",
  withBus(3, (one, other, third) => {
    one.claim();
    other.claim();
    third.claim();
    one.release();
    assert(isAwake(other) && !isAwake(third));
    other.release();
    assert(isAwake(third));
    assert(third.claim());
  }),
);

Deno.test(
  "releasing a bus that another guest has does nothing",
  withBus(2, (one, other) => {
    one.claim();
    other.release();
    assert(one.isMine);
  }),
);

Deno.test(
  "among those that wait, the one that has used the bus least comes next",
  withBus(3, (one, other, third) => {
    one.claim();
    other.claim();
    third.claim();
    one.release();
    use(other, 20);
    other.clearWake();
    assert(third.claim());
    other.claim();
    one.claim();
    third.release();
    assert(isAwake(one) && !isAwake(other));
  }),
);

Deno.test(
  "a guest that had the bus briefly may come back before one that keeps it for long",
  withBus(2, (brief, long) => {
    assert(long.claim());
    brief.claim();
    pause(30);
    long.release();
    assert(brief.claim());
    long.claim();
    brief.release();
    // Kept for a moment for who had it briefly, and not for ever.
    assert(!long.claim());
    assert(brief.claim());
    brief.release();
    assert(long.claim(true));
    assert(!brief.claim());
  }),
);

Deno.test("what a guest has not used of the bus while it did not want it is no credit", () => {
  // What a loaded machine adds to a turn counts as well: such a round tells nothing.
  for (let held = Infinity; held > 5;) {
    withBus(2, (idle, busy) => {
      use(busy, 30);
      const begin = performance.now();
      assert(busy.claim());
      idle.claim();
      busy.release();
      held = performance.now() - begin;
      assert(idle.claim());
      busy.claim();
      idle.release();
      if (held <= 5) assert(isAwake(busy) && busy.claim());
    })();
  }
});
