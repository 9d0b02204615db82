import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { EADDRINUSE, SystemError } from "../../../ffi/errno.ts";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close, isEventfd, isOpen } from "../../../ffi/fd.ts";
import {
  accept,
  isSocketAlive,
  listenAt,
  MAX_SOCKET_PATH,
  MessageReceiver,
  MessageSender,
  socketKind,
} from "../../../ffi/socket.ts";
import { connectTo, socketPair } from "../../support/kernel_objects.ts";
import { fdCount } from "../../support/process_state.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("a socket that listens can be connected to", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  const listener = listenAt(path);
  assertEquals(accept(listener), -1);
  const client = connectTo(path);
  const server = accept(listener);
  assert(server >= 0);
  assertEquals([listener, client, server].map(socketKind), [
    "listening",
    "connected",
    "connected",
  ]);
  for (const fd of [listener, client, server]) close(fd);
});

Deno.test("a path that is taken is refused", () => {
  using folder = new TemporaryFolder();
  const before = fdCount();
  Deno.writeTextFileSync(folder.file("taken"), "");
  assertStrictEquals(
    assertThrows(() => listenAt(folder.file("taken")), SystemError).errno,
    EADDRINUSE,
  );
  assertStrictEquals(fdCount(), before);
});

Deno.test("the longest path works, a longer one is refused without a descriptor being lost", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("x".repeat(MAX_SOCKET_PATH - folder.path.length - 1));
  const listener = listenAt(path);
  close(connectTo(path));
  close(listener);
  const before = fdCount();
  assertThrows(() => listenAt(path + "x"), RangeError);
  assertThrows(() => connectTo(path + "x"), RangeError);
  assertThrows(() => isSocketAlive(path + "x"), RangeError);
  assertStrictEquals(fdCount(), before);
});

Deno.test("a live socket is told from a stale one, unnoticed by its owner", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  const listener = listenAt(path);
  assertEquals(isSocketAlive(path), true);
  assertEquals(accept(listener), -1);
  close(listener);
  assertEquals(isSocketAlive(path), false);
});

Deno.test("descriptors arrive with the bytes that they were sent with", () => {
  const [here, there] = socketPair();
  const eventfds = [createEventfd(), createEventfd(), createEventfd()];
  const sender = new MessageSender(16);
  const receiver = new MessageReceiver(16);
  sender.bytes.set([1, 2, 3, 4]);
  assertEquals(sender.send(here, 4, eventfds), 4);
  sender.bytes.set([5, 6]);
  assertEquals(sender.send(here, 2), 2);
  const fds: number[] = [];
  assertEquals(receiver.receive(there, 1, 15, fds), 4);
  assertEquals([...receiver.bytes.subarray(0, 6)], [0, 1, 2, 3, 4, 0]);
  assertEquals(fds.map(isEventfd), [true, true, true]);
  assertEquals(receiver.truncated, false);
  assertEquals(receiver.receive(there, 0, 16, fds), 2);
  assertEquals(fds.length, 3);
  assertEquals(receiver.receive(there, 0, 16, fds), -1);
  close(here);
  assertEquals(receiver.receive(there, 0, 16, fds), 0);
  for (const fd of [there, ...fds, ...eventfds]) {
    assert(isOpen(fd));
    close(fd);
  }
});

Deno.test("anything but a Unix stream socket is another kind", () => {
  const eventfd = createEventfd();
  assertEquals(socketKind(eventfd), "other");
  assertEquals(socketKind(-1), "other");
  close(eventfd);
});
