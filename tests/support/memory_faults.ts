/**
 * Touches memory that has been cut short; prints what came of it. Run as a program of its own: it
 * may come to a sudden end.
 *
 * @module
 */

import { close } from "../../ffi/fd.ts";
import { hugePageSize, Mapping } from "../../ffi/memory.ts";
import { coverThread, forgetLostPages, lostPages } from "../../ffi/memory_fault.ts";
import { handleMemoryFaults } from "../../ffi/memory_fault_handler.ts";
import { createHugeMemfd, createMemfd, setFileSize } from "./kernel_objects.ts";

const PIECE = 1 << 16;

function touchLost(fd: number, size: number): void {
  setFileSize(fd, size);
  const mapping = new Mapping(fd, 0, size);
  const words = new Uint16Array(mapping.buffer(0, size));
  const last = words.length - 1;
  words.fill(7);
  setFileSize(fd, size / 2);
  Atomics.store(words, last, 1);
  console.log(words[0], words[last], words[last - 1], lostPages());
  forgetLostPages();
  mapping.close();
  close(fd);
}

const cases: Readonly<Record<string, () => void>> = {
  covered() {
    coverThread(memory, 1);
    for (let count = 0; count < 3; count++) touchLost(createMemfd("pages", 0, false), 2 * PIECE);
  },
  huge() {
    coverThread(memory, 1);
    const fd = createHugeMemfd("huge pages");
    touchLost(fd, 2 * hugePageSize(fd)!);
  },
  "not covered"() {
    touchLost(createMemfd("pages", 0, false), 2 * PIECE);
  },
  "no longer covered"() {
    coverThread(memory, 0);
    const fd = createMemfd("pages", 2 * PIECE, false);
    new Mapping(fd, 0, 2 * PIECE).close();
    // At the same address, by a thread that is covered, but not in a mapping that is.
    coverThread(new SharedArrayBuffer(memory.byteLength), 0);
    touchLost(fd, 2 * PIECE);
  },
  "sent"() {
    coverThread(memory, 1);
    Deno.kill(Deno.pid, "SIGBUS");
    console.log("once");
    Deno.kill(Deno.pid, "SIGBUS");
    setTimeout(() => console.log("twice"), 1000);
  },
};

const memory = handleMemoryFaults(2);
cases[Deno.args[0]]();
