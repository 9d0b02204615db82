/**
 * What handles SIGBUS: see `memory_fault.ts`.
 *
 * @module
 */

import { addressOfBuffer, handleSignal, type Listings, loadCode } from "./machine_code.ts";
import { COVER_SIZE } from "./memory_fault.ts";

/** The same number on x86-64 and arm64. */
const SIGBUS = 7;

/**
 * Looks whether a process has sent the signal, and otherwise for the thread and for the range that
 * has the address. There mmap(2) puts memory: at the page, or, where pages are huge, in the whole
 * range. Whatever else it was has its usual end when the access is tried again: the action is the
 * default one then.
 *
 * Source: sigaction(2), mmap(2), gettid(2); `asm/siginfo.h`, `asm/unistd.h`. No register is kept,
 * for the kernel restores them.
 *
 * After the code: where the memory of the threads begins and ends, and the default action.
 */
export const faultHandler: Listings = {
  x86_64: `
83 7e 08 00          |   cmp dword ptr [rsi + 8], 0 # si_code: by a process?
0f 8e 92 00 00 00    |   jle other
4c 8b 46 10          |   mov r8, [rsi + 16] # si_addr
b8 ba 00 00 00       |   mov eax, 186 # gettid
0f 05                |   syscall
48 8b 1d 9c 00 00 00 |   mov rbx, [rip + threads]
                     | thread:
48 3b 1d 9d 00 00 00 |   cmp rbx, [rip + end]
74 77                |   je other
39 03                |   cmp [rbx], eax
74 09                |   je own
48 81 c3 00 80 00 00 |   add rbx, 32768
eb ea                |   jmp thread
                     | own:
8b 4b 08             |   mov ecx, [rbx + 8] # how many ranges
48 8d 53 10          |   lea rdx, [rbx + 16]
                     | range:
83 e9 01             |   sub ecx, 1
78 5e                |   js other
4c 8b 22             |   mov r12, [rdx]
4c 8b 6a 08          |   mov r13, [rdx + 8]
48 83 c2 10          |   add rdx, 16
4d 39 e0             |   cmp r8, r12
72 eb                |   jb range
4d 39 e8             |   cmp r8, r13
73 e6                |   jae range
8b 73 0c             |   mov esi, [rbx + 12] # the page
48 89 f7             |   mov rdi, rsi
48 f7 df             |   neg rdi
4c 21 c7             |   and rdi, r8
41 be 01 00 00 00    |   mov r14d, 1 # once more
45 31 c9             |   xor r9d, r9d
                     | map:
ba 03 00 00 00       |   mov edx, 3 # PROT_READ | PROT_WRITE
41 ba 32 40 00 00    |   mov r10d, 0x4032 # MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE
49 c7 c0 ff ff ff ff |   mov r8, -1
b8 09 00 00 00       |   mov eax, 9 # mmap
0f 05                |   syscall
48 39 f8             |   cmp rax, rdi
74 11                |   je done
41 83 ee 01          |   sub r14d, 1
78 10                |   js other
4c 89 e7             |   mov rdi, r12 # the whole range
4c 89 ee             |   mov rsi, r13
4c 29 e6             |   sub rsi, r12
eb d1                |   jmp map
                     | done:
83 43 04 01          |   add dword ptr [rbx + 4], 1
c3                   |   ret
                     | other:
bf 07 00 00 00       |   mov edi, 7
48 8d 35 20 00 00 00 |   lea rsi, [rip + action]
31 d2                |   xor edx, edx
41 ba 08 00 00 00    |   mov r10d, 8
b8 0d 00 00 00       |   mov eax, 13 # rt_sigaction
0f 05                |   syscall
c3                   |   ret
`,
  aarch64: `
b9400829 |   ldr w9, [x1, 8] // si_code: by a process?
7100013f |   cmp w9, 0
5400058d |   b.le other
f940082a |   ldr x10, [x1, 16] // si_addr
d2801648 |   mov x8, 178 // gettid
d4000001 |   svc 0
58000609 |   ldr x9, threads
5800062b |   ldr x11, end
         | thread:
eb0b013f |   cmp x9, x11
540004a0 |   b.eq other
b940012c |   ldr w12, [x9]
6b00019f |   cmp w12, w0
54000060 |   b.eq own
91402129 |   add x9, x9, 8, lsl 12
17fffffa |   b thread
         | own:
b940092c |   ldr w12, [x9, 8] // how many ranges
9100412d |   add x13, x9, 16
         | range:
7100058c |   subs w12, w12, 1
54000384 |   b.mi other
a8c13dae |   ldp x14, x15, [x13], 16
eb0e015f |   cmp x10, x14
54ffff83 |   b.lo range
eb0f015f |   cmp x10, x15
54ffff42 |   b.hs range
b9400d21 |   ldr w1, [x9, 12] // the page
cb0103e0 |   neg x0, x1
8a0a0000 |   and x0, x0, x10
5280002c |   mov w12, 1 // once more
         | map:
aa0003eb |   mov x11, x0
d2800062 |   mov x2, 3 // PROT_READ | PROT_WRITE
d2880643 |   mov x3, 0x4032 // MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE
92800004 |   mov x4, -1
d2800005 |   mov x5, 0
d2801bc8 |   mov x8, 222 // mmap
d4000001 |   svc 0
eb0b001f |   cmp x0, x11
540000c0 |   b.eq done
7100058c |   subs w12, w12, 1
54000104 |   b.mi other
aa0e03e0 |   mov x0, x14 // the whole range
cb0e01e1 |   sub x1, x15, x14
17fffff3 |   b map
         | done:
b940052c |   ldr w12, [x9, 4]
1100058c |   add w12, w12, 1
b900052c |   str w12, [x9, 4]
d65f03c0 |   ret
         | other:
d28000e0 |   mov x0, 7
10000161 |   adr x1, action
d2800002 |   mov x2, 0
d2800103 |   mov x3, 8
d28010c8 |   mov x8, 134 // rt_sigaction
d4000001 |   svc 0
d65f03c0 |   ret
`,
};

/**
 * Handles SIGBUS from now on.
 *
 * @param threads how many will be covered
 * @returns the memory for them, which has to stay
 * @throws {SystemError} as mmap(2), mprotect(2) or sigaction(2)
 */
export function handleMemoryFaults(threads: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(threads * COVER_SIZE);
  const start = addressOfBuffer(memory);
  const end = start + BigInt(memory.byteLength);
  handleSignal(SIGBUS, loadCode(faultHandler, [start, end, 0n, 0n, 0n, 0n]));
  return memory;
}
