/**
 * A thread that looks after one under guard, for where there is no other thread of JavaScript that
 * could: it does what `Watch` of `guard.ts` and who calls that do, in machine code.
 *
 * @module
 */

import { SystemError } from "./errno.ts";
import { GUARD_SIZE, makeInterruptible, WATCHED } from "./guard.ts";
import { libc, libpthread, SYS_futex } from "./libc.ts";
import { type Listings, loadCode, zeroedMemory } from "./machine_code.ts";

/** How often it looks while there are calls, in nanoseconds. */
const INTERVAL = 20_000_000n;
/** A huge page has no room in it, and on arm64 it may not be less than half of this. */
const STACK_SIZE = 262_144n;
/** Its name, as of prctl(2), in a quadword. */
const NAME = new BigUint64Array(new TextEncoder().encode("guard\0\0\0").buffer)[0];
const FUTEX_WAKE_PRIVATE = 129;

/**
 * A start routine of pthread_create(3) that never returns; its argument is where the guarded thread
 * says what it does. After each interval it looks whether the same call is still going on, and if so
 * interrupts it. After 50 looks without a call it waits until it is woken.
 *
 * Loads and stores of what is shared are ordered as those of `Atomics` in JavaScript.
 *
 * Source: prctl(2), nanosleep(2), futex(2), tgkill(2); `asm/unistd.h`. It is no function that could
 * return, so that no register is kept; system calls change rax, rcx and r11, on arm64 x0.
 *
 * After the code: the interval, a `struct timespec`; the number of the process; the thread's name.
 */
export const watchRoutine: Listings = {
  x86_64: `
48 89 fb             |   mov rbx, rdi # the memory
bf 0f 00 00 00       |   mov edi, 15 # PR_SET_NAME
48 8d 35 b1 00 00 00 |   lea rsi, [rip + name]
b8 9d 00 00 00       |   mov eax, 157 # prctl
0f 05                |   syscall
45 31 e4             |   xor r12d, r12d # the call seen last
                     | busy:
45 31 ed             |   xor r13d, r13d # looks without one
                     | look:
48 8d 3d 85 00 00 00 |   lea rdi, [rip + interval]
31 f6                |   xor esi, esi
b8 23 00 00 00       |   mov eax, 35 # nanosleep
0f 05                |   syscall
85 c0                |   test eax, eax
75 ec                |   jnz look # too early: a signal
8b 43 04             |   mov eax, [rbx + 4] # CALL
44 39 e0             |   cmp eax, r12d
74 05                |   je same
41 89 c4             |   mov r12d, eax
eb dc                |   jmp busy
                     | same:
a8 01                |   test al, 1
75 36                |   jnz stuck
41 83 c5 01          |   add r13d, 1
41 83 fd 32          |   cmp r13d, 50
72 d1                |   jb look
31 c9                |   xor ecx, ecx
87 4b 08             |   xchg [rbx + 8], ecx # WATCHED
f6 43 04 01          |   test byte ptr [rbx + 4], 1
74 0a                |   jz rest
b9 01 00 00 00       |   mov ecx, 1
87 4b 08             |   xchg [rbx + 8], ecx
eb b9                |   jmp busy
                     | rest:
48 8d 7b 08          |   lea rdi, [rbx + 8]
be 80 00 00 00       |   mov esi, 128 # FUTEX_WAIT_PRIVATE
31 d2                |   xor edx, edx
45 31 d2             |   xor r10d, r10d
b8 ca 00 00 00       |   mov eax, 202 # futex
0f 05                |   syscall
eb a2                |   jmp busy
                     | stuck:
b9 ff ff ff ff       |   mov ecx, -1 # INTERRUPTING
f0 0f b1 4b 04       |   lock cmpxchg [rbx + 4], ecx
75 96                |   jne busy # it has returned
f0 83 43 0c 01       |   lock add dword ptr [rbx + 12], 1 # INTERRUPTIONS
48 8b 3d 29 00 00 00 |   mov rdi, [rip + process]
8b 33                |   mov esi, [rbx] # THREAD
ba 17 00 00 00       |   mov edx, 23 # SIGURG
b8 ea 00 00 00       |   mov eax, 234 # tgkill
0f 05                |   syscall
44 89 e1             |   mov ecx, r12d
87 4b 04             |   xchg [rbx + 4], ecx
e9 71 ff ff ff       |   jmp busy
`,
  aarch64: `
aa0003f3 |   mov x19, x0 // the memory
d28001e0 |   mov x0, 15 // PR_SET_NAME
10000781 |   adr x1, name
d28014e8 |   mov x8, 167 // prctl
d4000001 |   svc 0
91001269 |   add x9, x19, 4 // CALL
9100226a |   add x10, x19, 8 // WATCHED
9100326b |   add x11, x19, 12 // INTERRUPTIONS
52800014 |   mov w20, 0 // the call seen last
         | busy:
52800015 |   mov w21, 0 // looks without one
         | look:
100005c0 |   adr x0, interval
d2800001 |   mov x1, 0
d2800ca8 |   mov x8, 101 // nanosleep
d4000001 |   svc 0
35ffff80 |   cbnz w0, look // too early: a signal
88dffd2c |   ldar w12, [x9]
6b14019f |   cmp w12, w20
54000060 |   b.eq same
2a0c03f4 |   mov w20, w12
17fffff6 |   b busy
         | same:
3700024c |   tbnz w12, 0, stuck
110006b5 |   add w21, w21, 1
7100cabf |   cmp w21, 50
54fffe63 |   b.lo look
889ffd5f |   stlr wzr, [x10]
d5033bbf |   dmb ish
88dffd2c |   ldar w12, [x9]
3600008c |   tbz w12, 0, rest
5280002c |   mov w12, 1
889ffd4c |   stlr w12, [x10]
17ffffeb |   b busy
         | rest:
aa0a03e0 |   mov x0, x10
d2801001 |   mov x1, 128 // FUTEX_WAIT_PRIVATE
d2800002 |   mov x2, 0
d2800003 |   mov x3, 0
d2800c48 |   mov x8, 98 // futex
d4000001 |   svc 0
17ffffe4 |   b busy
         | stuck:
1280000d |   mov w13, -1 // INTERRUPTING
         | exchange:
885ffd2c |   ldaxr w12, [x9]
6b14019f |   cmp w12, w20
54fffc01 |   b.ne busy // it has returned
880efd2d |   stlxr w14, w13, [x9]
35ffff8e |   cbnz w14, exchange
         | count:
885ffd6c |   ldaxr w12, [x11]
1100058c |   add w12, w12, 1
880efd6c |   stlxr w14, w12, [x11]
35ffffae |   cbnz w14, count
58000180 |   ldr x0, process
88dffe61 |   ldar w1, [x19] // THREAD
d28002e2 |   mov x2, 23 // SIGURG
d2801068 |   mov x8, 131 // tgkill
d4000001 |   svc 0
889ffd34 |   stlr w20, [x9]
17ffffd3 |   b busy
`,
};

/** What `guardThread` takes from a thread that watches. */
export interface NativeWatch {
  /** It is there for as long as the process lives, even if the thread under guard is not. */
  readonly memory: ArrayBuffer;
  /** Has the thread look again, if it rests. */
  readonly wake: () => void;
}

/**
 * Starts a thread that watches one thread, for good. At rest it costs nothing.
 *
 * @throws {SystemError} as pthread_create(3), mmap(2), mprotect(2) or sigaction(2)
 */
export function startWatching(): NativeWatch {
  makeInterruptible();
  const pointer = zeroedMemory();
  const start = loadCode(watchRoutine, [0n, INTERVAL, BigInt(Deno.pid), NAME]);
  startThread(start, pointer);
  const memory = Deno.UnsafePointerView.getArrayBuffer(pointer, GUARD_SIZE);
  const watched = Deno.UnsafePointer.offset(pointer, WATCHED * Int32Array.BYTES_PER_ELEMENT);
  // Not to be opened within the first call under guard.
  const { syscall_futex } = libc;
  return {
    memory,
    wake: () => {
      syscall_futex(SYS_futex, watched, FUTEX_WAKE_PRIVATE, 1);
    },
  };
}

function startThread(routine: Deno.PointerObject, argument: Deno.PointerObject): void {
  const { pthread_attr_init, pthread_attr_setstacksize, pthread_create } = libpthread;
  const succeed = (call: string, error: number) => {
    if (error !== 0) throw new SystemError(call, error);
  };
  // pthread_attr_t: 56 bytes on x86-64, 64 on arm64
  const attributes = new ArrayBuffer(64);
  succeed("pthread_attr_init", pthread_attr_init(attributes));
  succeed("pthread_attr_setstacksize", pthread_attr_setstacksize(attributes, STACK_SIZE));
  succeed("pthread_create", pthread_create(new ArrayBuffer(8), attributes, routine, argument));
}
