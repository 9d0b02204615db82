import assert from "node:assert/strict";
import { close, isOpen } from "../../../ffi/fd.ts";
import { connectTo, isSocketAlive, listenAt, socketPair } from "../../../ffi/socket.ts";
import { inherit, listen, socketPaths, systemdDescriptors } from "../../../lib/daemon/listeners.ts";
import { RuntimeError, UsageError } from "../../../lib/errors.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

function names(folder: TemporaryFolder): string[] {
  return [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
}

Deno.test("the number of the guest is appended to the whole path", () => {
  assert.deepEqual(socketPaths("/run/x.sock", 1), ["/run/x.sock0"]);
  assert.deepEqual(socketPaths("x", 11).slice(9), ["x9", "x10"]);
  assert.deepEqual(socketPaths("/run/", 2), ["/run/0", "/run/1"]);
});

Deno.test("a path has at most 107 bytes, its number included", () => {
  assert.equal(socketPaths("x".repeat(106), 10)[9].length, 107);
  for (const path of ["x".repeat(107), "ä".repeat(53) + "x", "🦀".repeat(27)]) {
    assert.throws(() => socketPaths(path, 1), UsageError);
  }
  assert.throws(() => socketPaths("x".repeat(106), 11), /has 108 bytes, .* at most 107; choose/);
});

Deno.test("a path with a zero byte is refused", () => {
  assert.throws(() => socketPaths("a\0b", 1), /'a\0b' has a zero byte in it/);
});

Deno.test("a socket is removed at the end, once", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  const listener = listen(path);
  assert.deepEqual([listener.listening, listener.title], [true, path]);
  close(connectTo(path));
  listener.remove();
  assert.equal(isOpen(listener.fd), false);
  assert.deepEqual(names(folder), []);
  const other = listenAt(path);
  listener.remove();
  assert.ok(isSocketAlive(path));
  close(other);
});

Deno.test("a stale socket is replaced, one in use is not", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("socket");
  close(listenAt(path));
  const listener = listen(path);
  assert.throws(() => listen(path), (error) => {
    assert.ok(error instanceof RuntimeError);
    assert.match(error.message, /is in use by another process; stop that one or choose another/);
    return true;
  });
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
  assert.ok(isSocketAlive(path));
  other.remove();
  assert.deepEqual(names(folder), []);
});

Deno.test("sockets that are passed are recognised, and closed at the end", () => {
  using folder = new TemporaryFolder();
  const pair = socketPair();
  const fds = [listenAt(folder.file("socket")), pair[0]];
  const listeners = fds.map((fd) => inherit(fd, "test"));
  assert.deepEqual(listeners.map(({ listening }) => listening), [true, false]);
  assert.deepEqual(listeners.map(({ title }) => title), fds.map((fd) => `descriptor ${fd}`));
  for (const listener of listeners) listener.remove();
  assert.deepEqual(fds.map(isOpen), [false, false]);
  assert.deepEqual(names(folder), ["socket"]);
  close(pair[1]);
  assert.throws(() => inherit(fds[0], "test"), /^UsageError: test: descriptor \d+ is not open; /);
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
    assert.deepEqual(systemdDescriptors(), expected, `${listenPid} ${listenFds}`);
  }
  Deno.env.delete("LISTEN_PID");
  Deno.env.delete("LISTEN_FDS");
});
