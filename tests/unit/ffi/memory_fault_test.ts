import { assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../../ffi/errno.ts";
import { cover, COVER_SIZE, coverThread, uncover } from "../../../ffi/memory_fault.ts";
import { MAX_REGIONS } from "../../../lib/virtio/guest_memory.ts";

/** What the program that touches lost memory prints, and the signal that ends it. */
function touch(what: string): [output: string, signal: string | null] {
  const program = new URL("../../support/memory_faults.ts", import.meta.url).pathname;
  const args = ["run", "--quiet", "--allow-all", "--no-check", program, what];
  const { stdout, signal } = new Deno.Command(Deno.execPath(), { args }).outputSync();
  return [new TextDecoder().decode(stdout), signal];
}

Deno.test("memory that was cut short is empty memory for a thread that is covered", () => {
  assertEquals(touch("covered"), ["7 1 0 1\n".repeat(3), null]);
});

Deno.test({
  name: "huge pages that were cut short are empty memory as well",
  // It takes two of them.
  ignore: !/HugePages_Free: +([2-9]|\d\d)/.test(Deno.readTextFileSync("/proc/meminfo")),
  fn: () => assertEquals(touch("huge"), ["0 1 0 1\n", null]),
});

Deno.test("a thread has cover for all the regions that there can be, and no more", () => {
  coverThread(new SharedArrayBuffer(COVER_SIZE), 0);
  // Old regions and new ones, while a table is replaced.
  const covers = Array.from({ length: 2 * MAX_REGIONS }, (_, index) => cover(BigInt(index), 1));
  const more = () => {
    for (let index = 0; index < COVER_SIZE; index++) covers.push(cover(1n, 1));
  };
  assertThrows(more, SystemError, "ENOMEM");
  covers.forEach(uncover);
  assertEquals(cover(1n, 1), 0);
  uncover(0);
});

Deno.test("a thread that is not covered ends the process as ever", () => {
  assertEquals(touch("not covered"), ["", "SIGBUS"]);
});

Deno.test("memory of a mapping that is closed is covered no longer", () => {
  assertEquals(touch("no longer covered"), ["", "SIGBUS"]);
});

Deno.test("a signal that is sent does not pass for a fault", () => {
  assertEquals(touch("sent"), ["once\n", "SIGBUS"]);
});
