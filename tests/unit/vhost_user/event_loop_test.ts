import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { EPOLLIN } from "../../../ffi/epoll.ts";
import { clearEventfd, createEventfd, signalEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { EventLoop } from "../../../lib/daemon/event_loop.ts";

/** A loop in which nothing may fail. */
function makeLoop(): EventLoop {
  return new EventLoop((error) => {
    throw error;
  });
}

Deno.test("a handler is called when its descriptor is ready, until it is unwatched", () => {
  const loop = makeLoop();
  const eventfd = createEventfd();
  let calls = 0;
  loop.watch(eventfd, EPOLLIN, { onEvents: () => calls++ });
  assertEquals(loop.turn(0), 0);
  signalEventfd(eventfd);
  assertEquals(loop.turn(0), 1);
  loop.unwatch(eventfd);
  loop.unwatch(eventfd);
  assertEquals(loop.turn(0), 0);
  assertEquals(calls, 1);
  close(eventfd);
  loop.close();
});

Deno.test("no event comes through for a descriptor that was unwatched in the same round", () => {
  const loop = makeLoop();
  const eventfds = [createEventfd(1), createEventfd(1)];
  let calls = 0;
  for (const [index, fd] of eventfds.entries()) {
    const other = eventfds[1 - index];
    loop.watch(fd, EPOLLIN, {
      onEvents() {
        calls++;
        loop.unwatch(other);
      },
    });
  }
  loop.turn(0);
  assertEquals(calls, 1);
  for (const fd of eventfds) close(fd);
  loop.close();
});

Deno.test("V12 a handler that throws does not end the loop or the round", () => {
  const errors: unknown[] = [];
  const loop = new EventLoop((error) => errors.push(error));
  const eventfds = [createEventfd(1), createEventfd(1)];
  for (const fd of eventfds) {
    loop.watch(fd, EPOLLIN, {
      onEvents() {
        clearEventfd(fd);
        throw new Error(`of ${fd}`);
      },
    });
  }
  loop.turn(0);
  assertEquals(errors.length, 2);
  assertEquals(loop.turn(0), 0);
  for (const fd of eventfds) close(fd);
  loop.close();
});

Deno.test("deferred work is done once, after the events, and not if there is none left", () => {
  const loop = makeLoop();
  const eventfd = createEventfd(1);
  const order: string[] = [];
  let work = true;
  const task = { hasWork: () => work, serve: () => order.push("task") };
  loop.watch(eventfd, EPOLLIN, {
    onEvents() {
      order.push("event");
      clearEventfd(eventfd);
      loop.defer(task);
      loop.defer(task);
    },
  });
  loop.turn(0);
  assertEquals(order, ["event", "task"]);
  assertEquals(loop.turn(0), 0);
  loop.defer(task);
  work = false;
  assertEquals(loop.turn(0), 0);
  assertEquals(order, ["event", "task"]);
  close(eventfd);
  loop.close();
});

Deno.test("work that defers itself lets events through in between", () => {
  const loop = makeLoop();
  const stop = createEventfd();
  let served = 0;
  const task = {
    hasWork: () => true,
    serve() {
      if (++served === 1000) signalEventfd(stop);
      loop.defer(task);
    },
  };
  loop.watch(stop, EPOLLIN, { onEvents: () => loop.stop() });
  loop.defer(task);
  loop.run();
  assert(served >= 1000 && served < 1010);
  // Whoever watched something can still take it back.
  loop.unwatch(stop);
  loop.watch(stop, EPOLLIN, { onEvents: () => {} });
  loop.close();
  close(stop);
});

Deno.test("V18 a loop that looks for work without sleeping sees its descriptors all the same", () => {
  const loop = new EventLoop(
    (error) => {
      throw error;
    },
    1e6,
  );
  const [eventfd, stop] = [createEventfd(), createEventfd()];
  let looked = 0;
  loop.attach({
    hasWork() {
      if (++looked === 1000) signalEventfd(eventfd);
      return false;
    },
    serve() {},
  }, true);
  loop.watch(eventfd, EPOLLIN, {
    onEvents() {
      clearEventfd(eventfd);
      signalEventfd(stop);
    },
  });
  loop.watch(stop, EPOLLIN, { onEvents: () => loop.stop() });
  const begin = performance.now();
  loop.run();
  // Otherwise a second, and another one.
  assertLess(performance.now() - begin, 500);
  loop.close();
  for (const fd of [eventfd, stop]) close(fd);
});

Deno.test("V18 a loop that always finds work without sleeping sees its descriptors all the same", () => {
  const loop = new EventLoop(
    (error) => {
      throw error;
    },
    1e6,
  );
  const stop = createEventfd(1);
  const begin = performance.now();
  loop.attach({
    hasWork: () => {
      if (performance.now() - begin > 2000) throw new Error("the loop does not look");
      return true;
    },
    serve() {},
  }, true);
  loop.watch(stop, EPOLLIN, { onEvents: () => loop.stop() });
  loop.run();
  loop.close();
  close(stop);
});

for (const spin of [0, 1e6]) {
  const how = spin === 0 ? "sleeps" : "does not sleep";
  Deno.test(`a loop that ${how} does things at their time, in order`, () => {
    const errors: unknown[] = [];
    const loop = new EventLoop((error) => errors.push(error), spin);
    const order: string[] = [];
    const begin = performance.now();
    const expect = (what: string, milliseconds: number) => () => {
      order.push(what);
      assertGreaterOrEqual(performance.now() - begin, milliseconds);
    };
    loop.after(30, expect("third", 30));
    loop.after(10, expect("first", 10));
    loop.after(20, expect("second", 20));
    loop.after(25, () => {
      throw new Error("fails");
    });
    loop.after(40, () => loop.stop());
    loop.run();
    assertEquals(order, ["first", "second", "third"]);
    assertEquals(errors.length, 1);
    assertLess(performance.now() - begin, 900);
    loop.close();
  });
}

Deno.test("a descriptor that is unwatched after the loop was closed is nobody's business", () => {
  const loop = makeLoop();
  const eventfd = createEventfd();
  loop.watch(eventfd, EPOLLIN, { onEvents: () => {} });
  loop.close();
  // This one takes the number of the loop's epoll, and watches the same.
  const other = makeLoop();
  let calls = 0;
  other.watch(eventfd, EPOLLIN, { onEvents: () => calls++ });
  loop.unwatch(eventfd);
  signalEventfd(eventfd);
  other.turn(0);
  assertEquals(calls, 1);
  other.close();
  close(eventfd);
});
