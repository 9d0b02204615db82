import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close, isOpen, lockExclusively, O_DIRECTORY, O_RDONLY, open } from "../../../ffi/fd.ts";
import { isSocketAlive, listenAt } from "../../../ffi/socket.ts";
import {
  inherit,
  listen,
  listenAll,
  socketPaths,
  systemdDescriptors,
} from "../../../lib/daemon/listeners.ts";
import { RuntimeError, UsageError } from "../../../lib/errors.ts";
import { connectTo, socketPair } from "../../support/kernel_objects.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { SLOWNESS } from "../../support/wait.ts";

function names(folder: TemporaryFolder): string[] {
  return [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
}

Deno.test("the number of the guest is appended to the whole path", () => {
  assertEquals(socketPaths("/run/x.sock", 1), ["/run/x.sock0"]);
  assertEquals(socketPaths("x", 11).slice(9), ["x9", "x10"]);
  assertEquals(socketPaths("/run/", 2), ["/run/0", "/run/1"]);
});

Deno.test("a path has at most 107 bytes, its number included", () => {
  assertEquals(socketPaths("x".repeat(106), 10)[9].length, 107);
  for (const path of ["x".repeat(107), "ä".repeat(53) + "x", "🦀".repeat(27)]) {
    assertThrows(() => socketPaths(path, 1), UsageError);
  }
  assertMatch(
    assertThrows(() => socketPaths("x".repeat(106), 11), Error).message,
    /has 108 bytes, .* at most 107; choose/,
  );
});

Deno.test("a path with a zero byte is refused", () => {
  assertMatch(
    assertThrows(() => socketPaths("a\0b", 1), Error).message,
    /'a\0b0' has a zero byte in it/,
  );
});

Deno.test("a socket is removed at the end, once", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  const listener = listen(path);
  assertEquals([listener.listening, listener.title], [true, path]);
  close(connectTo(path));
  listener.remove();
  assertEquals(isOpen(listener.fd), false);
  assertEquals(names(folder), []);
  const other = listenAt(path);
  listener.remove();
  assert(isSocketAlive(path));
  close(other);
});

Deno.test("a stale socket is replaced, one in use is not", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  close(listenAt(path));
  const listener = listen(path);
  assertMatch(
    assertThrows(() => listen(path), RuntimeError).message,
    /is in use by another process; stop that one or choose another/,
  );
  close(connectTo(path));
  listener.remove();
});

Deno.test("whatever has taken the socket's place is left there", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  const listener = listen(path);
  Deno.removeSync(path);
  const other = listen(path);
  listener.remove();
  assert(isSocketAlive(path));
  other.remove();
  assertEquals(names(folder), []);
});

Deno.test("a socket that was passed is closed once: its number may be another's by then", () => {
  using folder = new TemporaryFolder();
  const fd = listenAt(folder.file("socket"));
  const listener = inherit(fd, "test");
  listener.remove();
  const other = createEventfd();
  assertEquals(other, fd);
  listener.remove();
  assert(isOpen(other));
  close(other);
});

Deno.test("of two daemons that start at once on one stale socket, one gets it", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  close(listenAt(path));
  // This daemon is about to replace the stale socket; the other one finds it just now.
  const lock = open(folder.path, O_RDONLY | O_DIRECTORY);
  assert(lockExclusively(lock));
  const worker = new Worker(new URL("listen_worker.ts", import.meta.url), { type: "module" });
  const said: string[] = [];
  const outcome = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  worker.onmessage = ({ data }) => {
    said.push(data);
    if (said.length === 1) ready.resolve();
    else outcome.resolve();
  };
  worker.postMessage(path);
  await ready.promise;
  await new Promise((resolve) => setTimeout(resolve, 100));
  Deno.removeSync(path);
  const mine = listenAt(path);
  close(lock);
  await outcome.promise;
  assertMatch(said[1], /is in use by another process/);
  assert(isSocketAlive(path));
  close(connectTo(path));
  close(mine);
  worker.terminate();
});

Deno.test("who keeps a folder to himself holds up all sockets together, not each of them", () => {
  using folder = new TemporaryFolder();
  const lock = open(folder.path, O_RDONLY);
  assert(lockExclusively(lock));
  const time = 300 * SLOWNESS;
  const begin = performance.now();
  const listeners = listenAll(["a", "b", "c", "d"].map((name) => folder.file(name)), time);
  const took = performance.now() - begin;
  assert(took >= time && took < 3 * time, `it took ${took} ms`);
  for (const listener of listeners) listener.remove();
  close(lock);
});

Deno.test("sockets that are passed are recognised, and closed at the end", () => {
  using folder = new TemporaryFolder();
  const pair = socketPair();
  const fds = [listenAt(folder.file("socket")), pair[0]];
  const listeners = fds.map((fd) => inherit(fd, "test"));
  assertEquals(listeners.map(({ listening }) => listening), [true, false]);
  assertEquals(listeners.map(({ title }) => title), fds.map((fd) => `descriptor ${fd}`));
  for (const listener of listeners) listener.remove();
  // The connection belongs to whoever serves it.
  assertEquals(fds.map(isOpen), [false, true]);
  assertEquals(names(folder), ["socket"]);
  for (const fd of pair) close(fd);
  assertMatch(
    assertThrows(() => inherit(fds[0], "test"), UsageError).message,
    /^test: descriptor \d+ is not open; /,
  );
});

Deno.test("systemd's descriptors are those meant for this process", () => {
  const { pid } = Deno;
  const cases: [string | undefined, string | undefined, number[]][] = [
    [`${pid}`, "1", [3]],
    [`${pid}`, "3", [3, 4, 5]],
    [`${pid}`, "0", []],
    [`${pid}`, "-1", []],
    [`${pid}`, "", []],
    [`${pid}`, "2x", []],
    [`${pid}`, undefined, []],
    [`${pid + 1}`, "1", []],
    [` ${pid}`, "1", []],
    ["", "1", []],
    [undefined, "1", []],
  ];
  for (const [listenPid, listenFds, expected] of cases) {
    for (const [name, value] of Object.entries({ LISTEN_PID: listenPid, LISTEN_FDS: listenFds })) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
    assertEquals(systemdDescriptors(), expected, `${listenPid} ${listenFds}`);
  }
  Deno.env.delete("LISTEN_PID");
  Deno.env.delete("LISTEN_FDS");
});
