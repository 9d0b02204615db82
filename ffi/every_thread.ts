/**
 * System calls that act on the thread that makes them, made in threads that run no code of ours: a
 * signal interrupts each, and its handler makes the calls.
 *
 * @module
 */

import { listFolder, readFile } from "./file.ts";
import { libc, SYS_tgkill } from "./libc.ts";
import {
  addressOfBuffer,
  handleSignal,
  ignoreSignal,
  type Listings,
  loadCode,
} from "./machine_code.ts";

/** SIGSTKFLT, of which signal(7) says that it is not used. */
const SIGNAL = 16;
/** How long threads may take altogether, and how often that is looked at, in milliseconds. */
const PATIENCE = 2000;
const SOON = 0.1;
const TASKS = "/proc/self/task";

/** A system call: its number, and up to five arguments. */
export type ThreadCall = readonly [number: number, ...args: (number | bigint)[]];

// Each call is its number, five arguments, and the error that it met last: seven quadwords. After
// the last one follows a word that counts the threads which are done.
const CALL = 56;
const ERROR = 48;

/** Memory that a handler which is late may come to. */
const kept: SharedArrayBuffer[] = [];

/**
 * Makes the calls one by one, keeps the error of each that fails, and counts the thread.
 *
 * After the code: where the calls begin and end. No register is kept, for the kernel restores them.
 */
export const callsHandler: Listings = {
  x86_64: `
48 8b 1d 39 00 00 00 |   mov rbx, [rip + calls]
                     | call:
48 3b 1d 3a 00 00 00 |   cmp rbx, [rip + end]
74 29                |   je done
48 8b 03             |   mov rax, [rbx]
48 8b 7b 08          |   mov rdi, [rbx + 8]
48 8b 73 10          |   mov rsi, [rbx + 16]
48 8b 53 18          |   mov rdx, [rbx + 24]
4c 8b 53 20          |   mov r10, [rbx + 32]
4c 8b 43 28          |   mov r8, [rbx + 40]
0f 05                |   syscall
48 85 c0             |   test rax, rax
79 05                |   jns next
f7 d8                |   neg eax
89 43 30             |   mov [rbx + 48], eax # errno
                     | next:
48 83 c3 38          |   add rbx, 56
eb ce                |   jmp call
                     | done:
f0 83 03 01          |   lock add dword ptr [rbx], 1
c3                   |   ret
`,
  aarch64: `
58000249 |   ldr x9, calls
5800026a |   ldr x10, end
         | call:
eb0a013f |   cmp x9, x10
54000140 |   b.eq done
a9400128 |   ldp x8, x0, [x9]
a9410921 |   ldp x1, x2, [x9, 16]
a9421123 |   ldp x3, x4, [x9, 32]
d4000001 |   svc 0
b6f80060 |   tbz x0, 63, next
4b0003e0 |   neg w0, w0
b9003120 |   str w0, [x9, 48] // errno
         | next:
9100e129 |   add x9, x9, 56
17fffff6 |   b call
         | done:
885ffd2b |   ldaxr w11, [x9]
1100056b |   add w11, w11, 1
880cfd2b |   stlxr w12, w11, [x9]
35ffffac |   cbnz w12, done
d65f03c0 |   ret
`,
};

/** What became of calls in other threads. */
export interface ThreadCallOutcome {
  /** For each call 0, or the last error that it met in any thread. */
  readonly errors: readonly number[];
  /** How many threads did not get to them: they take no such signal, or none in time. */
  readonly missed: number;
}

/**
 * Makes calls in all threads of this process but some, and in those that they start meanwhile.
 *
 * @throws {SystemError} as mmap(2), mprotect(2), sigaction(2)
 */
export function callInThreads(
  calls: readonly ThreadCall[],
  except: readonly number[],
): ThreadCallOutcome {
  const memory = new SharedArrayBuffer(CALL * calls.length + 8);
  const done = new Int32Array(memory, CALL * calls.length, 1);
  calls.forEach((call, index) => {
    new BigUint64Array(memory, CALL * index, CALL / 8).set(call.map(BigInt));
  });
  const start = addressOfBuffer(memory);
  handleSignal(SIGNAL, loadCode(callsHandler, [start, start + BigInt(CALL * calls.length)]));
  kept.push(memory);
  const missed = interruptAll(new Set(except), done);
  ignoreSignal(SIGNAL);
  const errors = calls.map((_, index) => new Int32Array(memory, CALL * index + ERROR, 1)[0]);
  return { errors, missed };
}

/**
 * Interrupts threads, until there is none that was not.
 *
 * @param done counts those that have made the calls
 * @returns how many have not
 */
function interruptAll(known: Set<number>, done: Int32Array<SharedArrayBuffer>): number {
  const end = performance.now() + PATIENCE;
  let sent = 0;
  let deaf = 0;
  for (;;) {
    // A thread that was started by one which had not got to it is in the list by now.
    const fresh = listFolder(TASKS).map(Number).filter((thread) => !known.has(thread));
    if (fresh.length === 0) return deaf;
    for (const thread of fresh) {
      known.add(thread);
      if (isDeaf(thread)) deaf++;
      // One that has ended is none any more.
      else if (libc.syscall_tgkill(SYS_tgkill, Deno.pid, thread, SIGNAL) === 0) sent++;
    }
    while (Atomics.load(done, 0) < sent) {
      if (performance.now() > end) return deaf + sent - Atomics.load(done, 0);
      Atomics.wait(done, 0, Atomics.load(done, 0), SOON);
    }
  }
}

/** True if a thread takes no such signal. */
function isDeaf(thread: number): boolean {
  try {
    const status = new TextDecoder().decode(readFile(`${TASKS}/${thread}/status`, 65536));
    const blocked = /^SigBlk:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0";
    return (BigInt(`0x${blocked}`) >> BigInt(SIGNAL - 1) & 1n) !== 0n;
  } catch {
    // It has ended.
    return false;
  }
}
