import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { errnoName, errnoText, SystemError } from "../../../ffi/errno.ts";
import { close, fileStatus, sealAgainstShrinking } from "../../../ffi/fd.ts";
import { ADDRESS_SPACE, Mapping, PAGE_SIZE } from "../../../ffi/memory.ts";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { createMemfd } from "../../support/kernel_objects.ts";

Deno.test("two mappings of a file show the same bytes", () => {
  const fd = createMemfd("test", 8192);
  const whole = new Mapping(fd, 0, 8192);
  const part = new Mapping(fd, 4096, 4096);
  new Uint8Array(whole.buffer(4096, 16))[3] = 99;
  assertEquals(new Uint8Array(part.buffer(0, 16))[3], 99);
  whole.close();
  part.close();
  close(fd);
});

Deno.test("a mapping begins anywhere in a page, however large pages are", () => {
  const fd = createMemfd("test", 3 * PAGE_SIZE);
  const whole = new Mapping(fd, 0, 3 * PAGE_SIZE);
  const at = PAGE_SIZE + 512;
  new Uint8Array(whole.buffer(at, 2)).set([7, 8]);
  const maps = () => Deno.readTextFileSync("/proc/self/maps").match(/memfd:test/g)!.length;
  const before = maps();
  const part = new Mapping(fd, at, PAGE_SIZE);
  assertEquals([...new Uint8Array(part.buffer(0, 2))], [7, 8]);
  assertThrows(() => part.buffer(PAGE_SIZE, 1), RangeError);
  assertEquals(maps(), before + 1);
  part.close();
  assertEquals(maps(), before);
  whole.close();
  close(fd);
});

Deno.test("a buffer outside of the mapping is refused", () => {
  const fd = createMemfd("test", 4096);
  const mapping = new Mapping(fd, 0, 4096);
  for (const [offset, length] of [[0, 4097], [4096, 1], [-1, 4], [2 ** 40, 0]]) {
    assertThrows(() => mapping.buffer(offset, length), RangeError);
  }
  mapping.close();
  mapping.close();
  assertThrows(() => mapping.buffer(0, 1), TypeError);
  close(fd);
});

Deno.test("buffers are detached before their memory goes", () => {
  const fd = createMemfd("test", 4096);
  const mapping = new Mapping(fd, 0, 4096);
  const [early, late] = [mapping.buffer(0, 16), mapping.buffer(16, 16)];
  mapping.release(early);
  assertEquals([early.byteLength, late.byteLength], [0, 16]);
  mapping.close();
  assertEquals(late.byteLength, 0);
  close(fd);
});

Deno.test("a mapping that cannot be made says why", () => {
  const fd = createMemfd("test", 4096);
  assertMatch(
    assertThrows(() => new Mapping(fd, 0, 0), Error).message,
    /mmap: Invalid argument \(EINVAL\)/,
  );
  assertThrows(() => new Mapping(-1, 0, 4096), SystemError);
  close(fd);
});

Deno.test("memory that is not unmapped is an error, and can be unmapped later", () => {
  const fd = createMemfd("test", 4096);
  const mapping: { length: number; close(): void } = new Mapping(fd, 0, 4096);
  mapping.length = 0;
  assertThrows(() => mapping.close(), SystemError, "munmap: Invalid argument (EINVAL)");
  mapping.length = 4096;
  mapping.close();
  close(fd);
});

Deno.test("the address space holds what is mapped, and not much more", () => {
  const lines = Deno.readTextFileSync("/proc/self/maps").trim().split("\n");
  const user = lines.filter((line) => !line.endsWith("[vsyscall]"));
  const top = parseInt(user.at(-1)!.split("-")[1], 16);
  assert(top <= ADDRESS_SPACE && ADDRESS_SPACE < 2 * top, `${top} of ${ADDRESS_SPACE}`);
});

Deno.test("the size of a file is known beyond 4 GiB", () => {
  const fd = createMemfd("test", 5 * 2 ** 30);
  assertEquals(fileStatus(fd).size, 5 * 2 ** 30);
  close(fd);
  assertThrows(() => fileStatus(-1), SystemError);
});

Deno.test("what is no memfd cannot be sealed", () => {
  const eventfd = createEventfd();
  assertEquals(sealAgainstShrinking(eventfd), false);
  close(eventfd);
});

Deno.test("error numbers have names and texts", () => {
  assertEquals(errnoName(2), "ENOENT");
  assertEquals(errnoText(2), "No such file or directory");
  assertEquals(errnoName(4095), "4095");
});
