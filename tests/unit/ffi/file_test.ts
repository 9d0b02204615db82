import assert from "node:assert/strict";
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
    size: 5,
  };
  assert.deepEqual(file.pathStatus(path), expected);
  assert.deepEqual(file.pathStatus(link), expected);
  assert.equal(file.linkStatus(link).type, S_IFLNK);
  assert.equal(file.linkStatus(folder.path).type, S_IFDIR);
  assert.throws(() => file.pathStatus(folder.file("none")), { call: "stat", errno: ENOENT });
});

Deno.test("a link that leads nowhere is there, what it leads to is not", () => {
  using folder = new TemporaryFolder();
  Deno.symlinkSync("nowhere", folder.file("link"));
  assert.equal(file.exists(folder.file("link")), false);
  assert.equal(file.exists(folder.path), true);
  assert.equal(file.readLink(folder.file("link")), "nowhere");
  assert.equal(file.readLink(folder.path), undefined);
  assert.equal(file.realPath(folder.file("link")), undefined);
});

Deno.test("a real path has no links in it", () => {
  using folder = new TemporaryFolder();
  Deno.mkdirSync(folder.file("öä"));
  Deno.symlinkSync("öä", folder.file("link"));
  const real = file.realPath(folder.file("link/../link"));
  assert.equal(real, Deno.realPathSync(folder.file("öä")));
});

Deno.test("a folder is listed by names, one that cannot be read has none", () => {
  using folder = new TemporaryFolder();
  const names = ["ä", ".hidden", ...Array.from({ length: 2000 }, (_, index) => `file ${index}`)];
  for (const name of names) Deno.writeTextFileSync(folder.file(name), "");
  assert.deepEqual(file.listFolder(folder.path).sort(), names.sort());
  assert.deepEqual(file.listFolder(folder.file("ä")), []);
  assert.deepEqual(file.listFolder(folder.file("none")), []);
});

Deno.test("a file is removed, a folder is not", () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("file"), "");
  file.unlink(folder.file("file"));
  assert.equal(file.exists(folder.file("file")), false);
  assert.throws(() => file.unlink(folder.path), SystemError);
  assert.ok(file.exists(folder.path));
});

Deno.test("what is written somewhere in a file leaves the rest of it alone", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("file");
  const fd = open(path, O_WRONLY | O_CREAT, 0o600);
  file.writeAt(fd, Uint8Array.of(1, 2, 3, 4), 0);
  file.writeAt(fd, Uint8Array.of(9, 8), 1);
  file.writeAt(fd, new Uint8Array(0), 7);
  close(fd);
  assert.deepEqual([...Deno.readFileSync(path)], [1, 9, 8, 4]);
  assert.equal(file.pathStatus(path).mode, 0o600);
  assert.throws(() => file.writeAt(fd, Uint8Array.of(1), 0), { call: "pwrite" });
});

Deno.test("a path with a zero byte is refused, not cut", () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("file"), "");
  assert.throws(() => file.readFile(folder.file("file\0x"), 1), { call: "open", errno: EINVAL });
});
