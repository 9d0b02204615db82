import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { RuntimeError, UsageError } from "../../../lib/errors.ts";
import { BackingFile, loadBackingFile } from "../../../lib/spi/simulated/backing_file.ts";
import { RecordingLog } from "../../support/in_process.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("a file that is not there is made, as an erased flash", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("flash");
  assertEquals(loadBackingFile(path, 100), new Uint8Array(100).fill(0xff));
  assertEquals(Deno.readFileSync(path), new Uint8Array(100).fill(0xff));
});

Deno.test("a file that is too short is filled up", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("flash");
  Deno.writeFileSync(path, Uint8Array.of(1, 2));
  assertEquals([...loadBackingFile(path, 4)], [1, 2, 0xff, 0xff]);
  assertEquals([...Deno.readFileSync(path)], [1, 2, 0xff, 0xff]);
});

Deno.test("a file that is too long is refused and left alone", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("flash");
  Deno.writeFileSync(path, new Uint8Array(5));
  assertMatch(assertThrows(() => loadBackingFile(path, 4), UsageError).message, /has 5 bytes/);
  assertEquals(Deno.statSync(path).size, 5);
});

Deno.test("a folder in a file's place is refused", () => {
  using folder = new TemporaryFolder();
  const message = /is no regular file/;
  assertMatch(assertThrows(() => loadBackingFile(folder.path, 4), UsageError).message, message);
});

Deno.test("a file in a folder that does not exist is refused", () => {
  const message = /^flash file '\/does\/not\/exist' cannot be used: .*make it readable/;
  assertMatch(
    assertThrows(() => loadBackingFile("/does/not/exist", 4), RuntimeError).message,
    message,
  );
});

Deno.test("what changes is in the file at once", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("flash");
  loadBackingFile(path, 8);
  const file = new BackingFile(path, new RecordingLog().logger);
  const contents = new Uint8Array(new SharedArrayBuffer(8)).fill(7);
  file.save(contents, 2, 3);
  assertEquals([...Deno.readFileSync(path)], [255, 255, 7, 7, 7, 255, 255, 255]);
  file.close();
});
