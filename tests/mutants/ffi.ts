/**
 * Changes of `ffi`.
 *
 * @module
 */

import type { MutatedFile } from "./mutation.ts";

export const ffiFiles: readonly MutatedFile[] = [
  {
    path: "ffi/stop_signals.ts",
    tests: ["tests/integration/ending_test.ts"],
    mutations: [
      { find: "view.setUint32(CODE, code, true);", replace: "" },
      { find: "path === undefined ? 0n : this.#address + BigInt(PATHS)", replace: "0n" },
      { find: "view.setUint32(LIMIT + 16, Math.floor(milliseconds / 1000), true);", replace: "" },
      { find: "handleSignal(SIGALRM, loadCode(endHandler, [memory]));", replace: "" },
      { find: "set[0] |= 1n << BigInt(number - 1)", replace: "set[0] |= 0n" },
    ],
  },
  {
    path: "ffi/guard_thread.ts",
    tests: ["tests/unit/ffi/guard_thread_test.ts"],
    mutations: [
      { find: "makeInterruptible();\n  const", replace: "const" },
      { find: "INTERVAL = 20_000_000n", replace: "INTERVAL = 900_000_000n" },
      { find: "INTERVAL = 20_000_000n", replace: "INTERVAL = 2_000_000n" },
      {
        find: "syscall_futex(SYS_futex, watched, FUTEX_WAKE_PRIVATE, 1);",
        replace: "",
        only: "rests",
      },
      { find: "WATCHED * Int32Array.BYTES_PER_ELEMENT", replace: "0", only: "rests" },
    ],
  },
  {
    path: "ffi/xen.ts",
    tests: ["tests/unit/ffi/xen_test.ts"],
    mutations: [
      {
        find: "const missing = errors.findIndex((error) => error !== 0);",
        replace: "const missing = -1;",
      },
      { find: "inPart || errors.includes(0)", replace: "errors.includes(0)" },
      { find: "inPart || errors.includes(0)", replace: "true" },
      {
        find: "this.#mapFrames(fd, at, part, done > 0)",
        replace: "this.#mapFrames(fd, at, part, false)",
      },
      { find: "-errors[missing]", replace: "errors[missing]" },
      { find: "if (number !== 0) throw", replace: "if (false) throw" },
      { find: "munmap(start, BigInt(length));", replace: "" },
      { find: "first: pages.first + done,", replace: "first: pages.first," },
      { find: "Math.min(perCall, pages.count - done)", replace: "perCall" },
      {
        find: 'kind === "foreign" ? FRAMES_PER_CALL : GRANTS_PER_CALL',
        replace: "FRAMES_PER_CALL",
      },
      {
        find: "ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, Deno.UnsafePointer.of(done));",
        replace: "",
      },
      { find: "done.setUint32(8, count, true);", replace: "" },
      { find: "writable ? PROT_READ | PROT_WRITE : PROT_READ", replace: "PROT_READ | PROT_WRITE" },
      { find: "device !== undefined && device ===", replace: "device ===" },
      {
        find: "status.type === S_IFCHR ? status.deviceNode : undefined",
        replace: "status.deviceNode",
        survives: "no file that is not a device has the number of one",
      },
    ],
  },
];
