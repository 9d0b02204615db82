import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { close, lockExclusively, O_RDWR, open } from "../../../ffi/fd.ts";
import { RuntimeError, UsageError } from "../../../lib/errors.ts";
import { BackingFile, BackingFiles } from "../../../lib/simulation/backing_file.ts";
import { RecordingLog } from "../../support/in_process.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

/** The files of a daemon, and a way to load one. */
function daemon() {
  const files = new BackingFiles();
  return {
    files,
    load(path: string, size: number, readOnly = false) {
      const contents = new Uint8Array(new SharedArrayBuffer(size)).fill(0xff);
      const choice = { path, owner: "flash", readOnly };
      return { contents, choice, fd: files.load(choice, contents) };
    },
    [Symbol.dispose]: () => files.close(),
  };
}

Deno.test("a file that is not there is made, with what the part holds", () => {
  using folder = new TemporaryFolder();
  using one = daemon();
  const path = folder.file("flash");
  assertEquals([...one.load(path, 100).contents], new Array(100).fill(0xff));
  assertEquals(Deno.readFileSync(path), new Uint8Array(100).fill(0xff));
});

Deno.test("a file that is too short is filled up", () => {
  using folder = new TemporaryFolder();
  using one = daemon();
  const path = folder.file("flash");
  Deno.writeFileSync(path, Uint8Array.of(1, 2));
  assertEquals([...one.load(path, 4).contents], [1, 2, 0xff, 0xff]);
  assertEquals([...Deno.readFileSync(path)], [1, 2, 0xff, 0xff]);
});

Deno.test("a file that is too long is refused and left alone", () => {
  using folder = new TemporaryFolder();
  using one = daemon();
  const path = folder.file("flash");
  Deno.writeFileSync(path, new Uint8Array(5));
  const message = /^flash file '.*' has 5 bytes, more than the 4 of the part; choose a larger/;
  assertMatch(assertThrows(() => one.load(path, 4), UsageError).message, message);
  assertEquals(Deno.statSync(path).size, 5);
});

Deno.test("what is no regular file is refused", () => {
  using folder = new TemporaryFolder();
  using one = daemon();
  const message = /is no regular file/;
  assertMatch(assertThrows(() => one.load(folder.path, 4), UsageError).message, message);
  assertMatch(assertThrows(() => one.load("/dev/null", 4), UsageError).message, message);
});

Deno.test("a file that cannot be made is refused", () => {
  using one = daemon();
  const message = /^flash file '\/does\/not\/exist' cannot be used: .*create its folder first$/;
  assertMatch(assertThrows(() => one.load("/does/not/exist", 4), RuntimeError).message, message);
});

Deno.test("a file that is only read has to be there, and is left as it is", () => {
  using folder = new TemporaryFolder();
  using one = daemon();
  const path = folder.file("flash");
  const message = /cannot be used: .*choose a file that is there$/;
  assertMatch(assertThrows(() => one.load(path, 4, true), RuntimeError).message, message);
  Deno.writeFileSync(path, Uint8Array.of(1));
  const { fd, choice, contents } = one.load(path, 4, true);
  new BackingFile(fd, choice, contents, new RecordingLog().logger).save(0, 4);
  assertEquals([...Deno.readFileSync(path)], [1]);
});

Deno.test("what changes is in the file at once", () => {
  using folder = new TemporaryFolder();
  using one = daemon();
  const path = folder.file("flash");
  const { fd, choice, contents } = one.load(path, 200_000);
  const file = new BackingFile(fd, choice, contents, new RecordingLog().logger);
  contents.fill(7);
  file.save(2, 3);
  assertEquals([...Deno.readFileSync(path).subarray(0, 7)], [255, 255, 7, 7, 7, 255, 255]);
  file.save(10, 199_990);
  const kept = Deno.readFileSync(path);
  assertEquals(kept.length, 200_000);
  assert(kept.subarray(10).every((byte) => byte === 7));
  assertEquals([...kept.subarray(5, 10)], [255, 255, 255, 255, 255]);
});

Deno.test("a file that can no longer be written is told of once, until it can be again", () => {
  using one = daemon();
  const log = new RecordingLog();
  const contents = new Uint8Array(8);
  const choice = { path: "/dev/full", owner: "flash", readOnly: false };
  const fd = open("/dev/full", O_RDWR);
  const file = new BackingFile(fd, choice, contents, log.logger);
  file.save(0, 8);
  file.save(0, 8);
  close(fd);
  assertMatch(log.of("error").join("\n"), /^flash file '\/dev\/full' cannot be written: [^\n]*$/);
  one.files.close();
});

const otherNames: readonly [what: string, make: (from: string, to: string) => void][] = [
  ["a hard link", Deno.linkSync],
  ["a symbolic link", Deno.symlinkSync],
];

for (const [what, make] of otherNames) {
  Deno.test(`two parts of a daemon never have one file by ${what}`, () => {
    using folder = new TemporaryFolder();
    using one = daemon();
    const [path, other] = [folder.file("flash"), folder.file("other")];
    one.load(path, 4);
    make(path, other);
    const message = /^flash file '.*other' is '.*flash' of another part, a flash; give each a/;
    assertMatch(assertThrows(() => one.load(other, 4), UsageError).message, message);
  });

  Deno.test(`two daemons never have one file by ${what}`, () => {
    using folder = new TemporaryFolder();
    using one = daemon();
    using two = daemon();
    const [path, other] = [folder.file("flash"), folder.file("other")];
    one.load(path, 4);
    make(path, other);
    const message = /^flash file '.*other' is in use by another process, probably a daemon/;
    assertMatch(assertThrows(() => two.load(other, 4), RuntimeError).message, message);
    one.files.close();
    two.load(other, 4);
  });
}

Deno.test("many may read a file that nobody writes", () => {
  using folder = new TemporaryFolder();
  using one = daemon();
  using two = daemon();
  const path = folder.file("flash");
  Deno.writeFileSync(path, Uint8Array.of(1));
  one.load(path, 4, true);
  one.load(path, 4, true);
  two.load(path, 4, true);
  const message = /is in use by another process/;
  assertThrows(() => two.load(folder.file("flash"), 4), UsageError);
  two.files.close();
  assertMatch(assertThrows(() => two.load(path, 4), RuntimeError).message, message);
});

Deno.test("the lock is one that other programs see", () => {
  using folder = new TemporaryFolder();
  using one = daemon();
  const path = folder.file("flash");
  one.load(path, 4);
  const fd = open(path, O_RDWR);
  assert(!lockExclusively(fd));
  one.files.close();
  assert(lockExclusively(fd));
  close(fd);
});
