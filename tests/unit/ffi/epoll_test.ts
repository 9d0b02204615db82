import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Epoll, EPOLLET, EPOLLIN } from "../../../ffi/epoll.ts";
import { EPERM, SystemError } from "../../../ffi/errno.ts";
import { clearEventfd, createEventfd, signalEventfd } from "../../../ffi/eventfd.ts";
import { close, open } from "../../../ffi/fd.ts";

Deno.test("a descriptor that is ready is reported with its token", () => {
  const epoll = new Epoll();
  const [first, second] = [createEventfd(), createEventfd(1)];
  epoll.add(first, EPOLLIN, 0xffff_fff0);
  epoll.add(second, EPOLLIN, 7);
  assertEquals(epoll.wait(0), 1);
  assertEquals([epoll.token(0), epoll.events(0)], [7, EPOLLIN]);
  epoll.remove(second);
  assertEquals(epoll.wait(0), 0);
  signalEventfd(first);
  assertEquals(epoll.wait(0), 1);
  assertEquals(epoll.token(0), 0xffff_fff0);
  epoll.close();
  close(first);
  close(second);
});

Deno.test("edge-triggered, each write to an eventfd counts although nobody reads it", () => {
  const epoll = new Epoll();
  const eventfd = createEventfd();
  epoll.add(eventfd, EPOLLIN | EPOLLET, 1);
  for (let count = 0; count < 3; count++) {
    assertEquals(epoll.wait(0), 0);
    signalEventfd(eventfd);
    assertEquals(epoll.wait(0), 1);
  }
  assertEquals(clearEventfd(eventfd), 8);
  assertEquals(clearEventfd(eventfd), -1);
  epoll.close();
  close(eventfd);
});

Deno.test("a regular file cannot be watched", () => {
  const epoll = new Epoll();
  const file = open("/proc/self/exe", 0);
  assertStrictEquals(assertThrows(() => epoll.add(file, EPOLLIN, 0), SystemError).errno, EPERM);
  close(file);
  epoll.close();
});
