import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { EINVAL, ENOENT, SystemError } from "../../../ffi/errno.ts";
import { close, O_CREAT, O_WRONLY, open, S_IFDIR, S_IFLNK, S_IFREG } from "../../../ffi/fd.ts";
import * as file from "../../../ffi/file.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("the status of a file is what it is, of a link either its own or its target's", () => {
  using folder = new TemporaryFolder();
  const [path, link] = [folder.file("file"), folder.file("link")];
  Deno.writeTextFileSync(path, "12345", { mode: 0o640 });
  Deno.symlinkSync("file", link);
  const { dev, ino, gid } = Deno.statSync(path);
  const expected = {
    type: S_IFREG,
    mode: 0o640,
    group: gid,
    device: BigInt(dev),
    inode: BigInt(ino ?? 0),
    deviceNode: 0n,
    size: 5,
  };
  assertEquals(file.pathStatus(path), expected);
  assertEquals(file.pathStatus(link), expected);
  assertStrictEquals(file.linkStatus(link).type, S_IFLNK);
  assertStrictEquals(file.linkStatus(folder.path).type, S_IFDIR);
  // Character device 1, 3: documentation of Linux, "Linux allocated devices".
  assertStrictEquals(file.pathStatus("/dev/null").deviceNode, 0x103n);
  {
    const { call, errno } = assertThrows(() => file.pathStatus(folder.file("none")), SystemError);
    assertEquals({ call, errno }, { call: "stat", errno: ENOENT });
  }
});

Deno.test("a link that leads nowhere is there, what it leads to is not", () => {
  using folder = new TemporaryFolder();
  Deno.symlinkSync("nowhere", folder.file("link"));
  assertEquals(file.exists(folder.file("link")), false);
  assertEquals(file.exists(folder.path), true);
  assertEquals(file.readLink(folder.file("link")), "nowhere");
  assertEquals(file.readLink(folder.path), undefined);
  assertEquals(file.realPath(folder.file("link")), undefined);
});

Deno.test("a real path has no links in it", () => {
  using folder = new TemporaryFolder();
  Deno.mkdirSync(folder.file("öä"));
  Deno.symlinkSync("öä", folder.file("link"));
  const real = file.realPath(folder.file("link/../link"));
  assertStrictEquals(real, Deno.realPathSync(folder.file("öä")));
});

Deno.test("a folder is listed by names, one that cannot be read has none", () => {
  using folder = new TemporaryFolder();
  const names = ["ä", ".hidden", ...Array.from({ length: 2000 }, (_, index) => `file ${index}`)];
  for (const name of names) Deno.writeTextFileSync(folder.file(name), "");
  assertEquals(file.listFolder(folder.path).sort(), names.sort());
  assertEquals(file.listFolder(folder.file("ä")), []);
  assertEquals(file.listFolder(folder.file("none")), []);
});

Deno.test("a file is removed, a folder is not", () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("file"), "");
  file.unlink(folder.file("file"));
  assertEquals(file.exists(folder.file("file")), false);
  assertThrows(() => file.unlink(folder.path), SystemError);
  assert(file.exists(folder.path));
});

Deno.test("what is written somewhere in a file leaves the rest of it alone", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("file");
  const fd = open(path, O_WRONLY | O_CREAT, 0o600);
  file.writeAt(fd, Uint8Array.of(1, 2, 3, 4), 0);
  file.writeAt(fd, Uint8Array.of(9, 8), 1);
  file.writeAt(fd, new Uint8Array(0), 7);
  close(fd);
  assertEquals([...Deno.readFileSync(path)], [1, 9, 8, 4]);
  assertEquals(file.pathStatus(path).mode, 0o600);
  assertEquals(
    assertThrows(() => file.writeAt(fd, Uint8Array.of(1), 0), SystemError).call,
    "pwrite",
  );
});

Deno.test("a path with a zero byte is refused, not cut", () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("file"), "");
  {
    const { call, errno } = assertThrows(
      () => file.readFile(folder.file("file\0x"), 1),
      SystemError,
    );
    assertEquals({ call, errno }, { call: "open", errno: EINVAL });
  }
});
