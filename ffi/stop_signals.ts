/**
 * Signals that ask a process to end, where its only thread of JavaScript may be kept in a system
 * call: they make a descriptor readable, and if the process is still there after a while, it says
 * so and ends where it is.
 *
 * @module
 */

import { constants } from "node:os";
import { libpthread } from "./libc.ts";
import {
  handleSignal,
  ignoreSignal,
  type Listings,
  loadCode,
  zeroedMemory,
} from "./machine_code.ts";

const SIGALRM = 14;
const SIG_BLOCK = 0;
const POLLOUT = 4;

// What the handlers look at: whether the process was asked already, then the `struct itimerval` after
// which it ends, what it says then and how much that is, the file that it removes (0 for none), its
// exit code, a `struct pollfd` of where it speaks, the 8 bytes for the eventfd, and no time to wait.
const LIMIT = 8;
const WORDS = 40;
const LENGTH = 48;
const PATH = 56;
const CODE = 64;
const SPEAKS = 72;
const ONE = 80;
/** Behind these words come the texts. */
const TEXTS = 128;
const PATHS = 4096;
const MEMORY_SIZE = 8192;

/**
 * Signals an eventfd and sets the timer, the first time.
 *
 * Source: setitimer(2), eventfd(2); `asm/unistd.h`. No register is kept, for the kernel restores
 * them. After the code: where the memory is, and the eventfd.
 */
export const stopHandler: Listings = {
  x86_64: `
48 8b 1d 31 00 00 00 |   mov rbx, [rip + memory]
b8 01 00 00 00       |   mov eax, 1
87 03                |   xchg [rbx], eax
85 c0                |   test eax, eax
75 25                |   jnz done
b8 01 00 00 00       |   mov eax, 1 # write
8b 3d 23 00 00 00    |   mov edi, [rip + stop]
48 8d 73 50          |   lea rsi, [rbx + 80]
ba 08 00 00 00       |   mov edx, 8
0f 05                |   syscall
b8 26 00 00 00       |   mov eax, 38 # setitimer
31 ff                |   xor edi, edi # ITIMER_REAL
48 8d 73 08          |   lea rsi, [rbx + 8]
31 d2                |   xor edx, edx
0f 05                |   syscall
                     | done:
c3                   |   ret
`,
  aarch64: `
58000249 |   ldr x9, memory
5280002a |   mov w10, 1
         | ask:
885ffd2b |   ldaxr w11, [x9]
880cfd2a |   stlxr w12, w10, [x9]
35ffffcc |   cbnz w12, ask
3500016b |   cbnz w11, done
580001c0 |   ldr x0, stop
91014121 |   add x1, x9, 80
d2800102 |   mov x2, 8
d2800808 |   mov x8, 64 // write
d4000001 |   svc 0
d2800000 |   mov x0, 0 // ITIMER_REAL
91002121 |   add x1, x9, 8
d2800002 |   mov x2, 0
d2800ce8 |   mov x8, 103 // setitimer
d4000001 |   svc 0
         | done:
d65f03c0 |   ret
`,
};

/**
 * Says the last words where somebody takes them at once, removes the file, and ends the process.
 *
 * Source: poll(2), unlink(2), exit_group(2); `asm/unistd.h`. After the code: where the memory is.
 */
export const endHandler: Listings = {
  x86_64: `
48 8b 1d 49 00 00 00 |   mov rbx, [rip + memory]
b8 07 00 00 00       |   mov eax, 7 # poll
48 8d 7b 48          |   lea rdi, [rbx + 72]
be 01 00 00 00       |   mov esi, 1
31 d2                |   xor edx, edx
0f 05                |   syscall
83 f8 01             |   cmp eax, 1
75 12                |   jne remove
b8 01 00 00 00       |   mov eax, 1 # write
8b 7b 48             |   mov edi, [rbx + 72]
48 8b 73 28          |   mov rsi, [rbx + 40]
48 8b 53 30          |   mov rdx, [rbx + 48]
0f 05                |   syscall
                     | remove:
48 8b 7b 38          |   mov rdi, [rbx + 56]
48 85 ff             |   test rdi, rdi
74 07                |   jz end
b8 57 00 00 00       |   mov eax, 87 # unlink
0f 05                |   syscall
                     | end:
b8 e7 00 00 00       |   mov eax, 231 # exit_group
48 8b 7b 40          |   mov rdi, [rbx + 64]
0f 05                |   syscall
`,
  aarch64: `
58000309 |   ldr x9, memory
91012120 |   add x0, x9, 72
d2800021 |   mov x1, 1
91016122 |   add x2, x9, 88
d2800003 |   mov x3, 0
d2800928 |   mov x8, 73 // ppoll
d4000001 |   svc 0
f100041f |   cmp x0, 1
540000c1 |   b.ne remove
b9404920 |   ldr w0, [x9, 72]
f9401521 |   ldr x1, [x9, 40]
f9401922 |   ldr x2, [x9, 48]
d2800808 |   mov x8, 64 // write
d4000001 |   svc 0
         | remove:
92800c60 |   mov x0, -100 // AT_FDCWD
f9401d21 |   ldr x1, [x9, 56]
b4000081 |   cbz x1, end
d2800002 |   mov x2, 0
d2800468 |   mov x8, 35 // unlinkat
d4000001 |   svc 0
         | end:
f9402120 |   ldr x0, [x9, 64]
d2800bc8 |   mov x8, 94 // exit_group
d4000001 |   svc 0
`,
};

/** What is left to be done of a process that does not end by itself. */
export interface LastWords {
  /** Where it speaks. */
  readonly fd: number;
  readonly text: string;
  /** The file that it removes. */
  readonly path?: string | undefined;
  readonly code: number;
}

/** Signals that ask this process to end. */
export class StopSignals {
  readonly #numbers: readonly number[];
  readonly #memory = zeroedMemory();
  readonly #address = BigInt(Deno.UnsafePointer.value(this.#memory));
  readonly #view = new DataView(Deno.UnsafePointerView.getArrayBuffer(this.#memory, MEMORY_SIZE));

  /**
   * Handles signals from now on.
   *
   * @param stop an eventfd(2) that becomes readable
   * @param milliseconds as of {@linkcode limit}
   * @throws {SystemError} as mmap(2), mprotect(2) or sigaction(2)
   */
  constructor(
    signals: readonly ("SIGHUP" | "SIGINT" | "SIGTERM")[],
    stop: number,
    milliseconds: number,
  ) {
    this.#view.setUint32(ONE, 1, true);
    this.limit(milliseconds, { fd: -1, text: "", code: 0 });
    const memory = this.#address;
    handleSignal(SIGALRM, loadCode(endHandler, [memory]));
    const handler = loadCode(stopHandler, [memory, BigInt(stop)]);
    this.#numbers = signals.map((signal) => constants.signals[signal]);
    for (const number of this.#numbers) handleSignal(number, handler);
  }

  /**
   * Leaves the signals to other threads, of which one has to be there: whoever is kept in a call
   * that nothing interrupts gets no signal either, and the kernel gives it to no one else.
   */
  leaveToOthers(): void {
    const set = new BigUint64Array(new ArrayBuffer(128));
    for (const number of [SIGALRM, ...this.#numbers]) set[0] |= 1n << BigInt(number - 1);
    libpthread.pthread_sigmask(SIG_BLOCK, set.buffer, new ArrayBuffer(128));
  }

  /**
   * Says what becomes of a process that is still there so long after the first signal. That has not
   * come yet, or else it is too late.
   *
   * @throws {RangeError} if words and path have no room
   */
  limit(milliseconds: number, { fd, text, path, code }: LastWords): void {
    const view = this.#view;
    view.setInt32(SPEAKS, fd, true);
    view.setInt16(SPEAKS + 4, POLLOUT, true);
    view.setUint32(CODE, code, true);
    const put = (offset: number, end: number, text: string) => {
      const bytes = new TextEncoder().encode(text);
      new Uint8Array(view.buffer, 0, end).set(bytes, offset);
      return bytes.length;
    };
    view.setUint32(LENGTH, put(TEXTS, PATHS, text), true);
    view.setBigUint64(WORDS, this.#address + BigInt(TEXTS), true);
    if (path !== undefined) put(PATHS, MEMORY_SIZE, `${path}\0`);
    view.setBigUint64(PATH, path === undefined ? 0n : this.#address + BigInt(PATHS), true);
    view.setUint32(LIMIT + 16, Math.floor(milliseconds / 1000), true);
    view.setUint32(LIMIT + 24, milliseconds % 1000 * 1000, true);
  }

  /** Lets the process take its time. */
  unlimit(): void {
    ignoreSignal(SIGALRM);
  }
}
