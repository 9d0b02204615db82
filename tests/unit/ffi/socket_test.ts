import assert from "node:assert/strict";
import { EADDRINUSE, SystemError } from "../../../ffi/errno.ts";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close, isEventfd, isOpen } from "../../../ffi/fd.ts";
import {
  accept,
  connectTo,
  isSocketAlive,
  listenAt,
  MAX_SOCKET_PATH,
  MessageReceiver,
  MessageSender,
  socketKind,
  socketPair,
} from "../../../ffi/socket.ts";
import { fdCount } from "../../support/process_state.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("a socket that listens can be connected to", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  const listener = listenAt(path);
  assert.equal(accept(listener), -1);
  const client = connectTo(path);
  const server = accept(listener);
  assert.ok(server >= 0);
  assert.deepEqual([listener, client, server].map(socketKind), [
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
  assert.throws(
    () => listenAt(folder.file("taken")),
    (error) => error instanceof SystemError && error.errno === EADDRINUSE,
  );
  assert.equal(fdCount(), before);
});

Deno.test("the longest path works, a longer one is refused without a descriptor being lost", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("x".repeat(MAX_SOCKET_PATH - folder.path.length - 1));
  const listener = listenAt(path);
  close(connectTo(path));
  close(listener);
  const before = fdCount();
  assert.throws(() => listenAt(path + "x"), RangeError);
  assert.throws(() => connectTo(path + "x"), RangeError);
  assert.throws(() => isSocketAlive(path + "x"), RangeError);
  assert.equal(fdCount(), before);
});

Deno.test("a live socket is told from a stale one, unnoticed by its owner", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  const listener = listenAt(path);
  assert.equal(isSocketAlive(path), true);
  assert.equal(accept(listener), -1);
  close(listener);
  assert.equal(isSocketAlive(path), false);
});

Deno.test("descriptors arrive with the bytes that they were sent with", () => {
  const [here, there] = socketPair();
  const eventfds = [createEventfd(), createEventfd(), createEventfd()];
  const sender = new MessageSender(16);
  const receiver = new MessageReceiver(16);
  sender.bytes.set([1, 2, 3, 4]);
  assert.equal(sender.send(here, 4, eventfds), 4);
  sender.bytes.set([5, 6]);
  assert.equal(sender.send(here, 2), 2);
  const fds: number[] = [];
  assert.equal(receiver.receive(there, 1, 15, fds), 4);
  assert.deepEqual([...receiver.bytes.subarray(0, 6)], [0, 1, 2, 3, 4, 0]);
  assert.deepEqual(fds.map(isEventfd), [true, true, true]);
  assert.equal(receiver.truncated, false);
  assert.equal(receiver.receive(there, 0, 16, fds), 2);
  assert.equal(fds.length, 3);
  assert.equal(receiver.receive(there, 0, 16, fds), -1);
  close(here);
  assert.equal(receiver.receive(there, 0, 16, fds), 0);
  for (const fd of [there, ...fds, ...eventfds]) {
    assert.ok(isOpen(fd));
    close(fd);
  }
});

Deno.test("anything but a Unix stream socket is another kind", () => {
  const eventfd = createEventfd();
  assert.equal(socketKind(eventfd), "other");
  assert.equal(socketKind(-1), "other");
  close(eventfd);
});
