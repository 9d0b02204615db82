import { assertEquals } from "@std/assert";
import { EPOLLIN } from "../../../ffi/epoll.ts";
import { createEventfd, signalEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { EventLoop } from "../../../lib/daemon/event_loop.ts";

/** A loop that must not meet an error. */
function loop(): EventLoop {
  return new EventLoop((error) => {
    throw error;
  });
}

Deno.test("an event of a descriptor that is closed meanwhile is not told to the next of that number", () => {
  const it = loop();
  const told: string[] = [];
  const fds = [createEventfd(), createEventfd()];
  let successor = -1;
  // Whichever of the two comes first closes the other, and has a new one made of its number.
  fds.forEach((fd, index) => {
    const other = fds[1 - index];
    it.watch(fd, EPOLLIN, {
      onEvents: () => {
        told.push("first");
        it.unwatch(other);
        close(other);
        successor = createEventfd();
        assertEquals(successor, other, "the lowest number that is free");
        it.watch(successor, EPOLLIN, { onEvents: () => told.push("successor") });
        it.unwatch(fd);
      },
    });
  });
  for (const fd of fds) signalEventfd(fd);
  assertEquals(it.turn(0), 1);
  assertEquals(it.turn(0), 0);
  assertEquals(told, ["first"]);
  signalEventfd(successor);
  assertEquals(it.turn(0), 1);
  assertEquals(told, ["first", "successor"]);
  it.close();
  for (const fd of new Set([...fds, successor])) close(fd);
});
