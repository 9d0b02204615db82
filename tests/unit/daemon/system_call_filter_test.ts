import { assertEquals } from "@std/assert";
import { type Machine, makeFilter } from "../../../lib/daemon/sandbox/filter.ts";
import { callsOf, missingCalls } from "../../../lib/daemon/sandbox/system_calls.ts";

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
/** What a program for x86-64, 32-bit x86 or arm64 calls with, as in `linux/audit.h`. */
const ARCHITECTURE = { x86: 0xc000003e, i386: 0x40000003, arm64: 0xc00000b7 };

/** Runs a filter as the kernel does, for `struct seccomp_data`; returns what becomes of the call. */
function judge(filter: Uint8Array, architecture: number, call: number, args: number[]): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call, true);
  data.setUint32(4, architecture, true);
  args.forEach((value, index) => data.setUint32(16 + 8 * index, value, true));
  const program = new DataView(filter.buffer);
  let word = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const operand = program.getUint32(at + 4, true);
    switch (program.getUint16(at, true)) {
      case 0x20: // BPF_LD | BPF_W | BPF_ABS
        word = data.getUint32(operand, true);
        break;
      case 0x54: // BPF_ALU | BPF_AND | BPF_K
        word = (word & operand) >>> 0;
        break;
      case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
        at += 8 * program.getUint8(at + (word === operand ? 2 : 3));
        break;
      case 0x06: // BPF_RET | BPF_K
        return operand;
      default:
        throw new Error(`instruction ${at / 8} is none of a filter's`);
    }
  }
  throw new Error("the filter has no end");
}

/** The process that is filtered. */
const PROCESS = 4711;
/** Numbers beyond the last that any machine has. */
const MOST = 600;

for (const machine of ["x86", "arm64"] satisfies Machine[]) {
  const filter = makeFilter(machine, callsOf(PROCESS, false), missingCalls);
  const result = (call: number, ...args: number[]) =>
    judge(filter, ARCHITECTURE[machine], call, args);
  const numbers = (name: string) =>
    [...callsOf(PROCESS, true), ...missingCalls].find((call) => call.name === name)![machine];

  Deno.test(`the filter lets through what is listed and nothing else, on ${machine}`, () => {
    const always = new Set(
      callsOf(PROCESS, false).filter(({ checks }) => checks === undefined).map((call) =>
        call[machine]
      ),
    );
    const outcomes = Array.from({ length: MOST }, (_, call) => result(call));
    const expected = outcomes.map((_, call) =>
      // Without arguments they are about 0: a limit that is read, and the time of the clock.
      always.has(call) || ["prlimit64", "setitimer"].map(numbers).includes(call)
        ? ALLOW
        : call === numbers("clone3")
        ? ENOSYS
        : EPERM
    );
    assertEquals(outcomes, expected);
  });

  Deno.test(`the filter looks at arguments, on ${machine}`, () => {
    assertEquals(result(numbers("clone"), 0x50f00), ALLOW);
    assertEquals(result(numbers("clone"), 0x11), EPERM);
    assertEquals(result(numbers("prctl"), 15), ALLOW);
    assertEquals(result(numbers("prctl"), 0x53564d41), ALLOW);
    assertEquals(result(numbers("prctl"), 4), EPERM);
    assertEquals(result(numbers("prlimit64"), 0, 7, 1), EPERM);
    assertEquals(result(numbers("socketpair"), 1), ALLOW);
    assertEquals(result(numbers("socketpair"), 2), EPERM);
    assertEquals(result(numbers("socket"), 1), EPERM);
    assertEquals(result(numbers("setitimer"), 1), EPERM);
    assertEquals(result(numbers("tgkill"), PROCESS), ALLOW);
    assertEquals(result(numbers("tgkill"), PROCESS + 1), EPERM);
  });

  Deno.test(`where interrupts are wired, Unix sockets are let through, on ${machine}`, () => {
    const wired = makeFilter(machine, callsOf(PROCESS, true), missingCalls);
    const outcome = (family: number) =>
      judge(wired, ARCHITECTURE[machine], numbers("socket"), [family]);
    assertEquals([outcome(1), outcome(2)], [ALLOW, EPERM]);
  });

  Deno.test(`what is called as another machine's is refused, on ${machine}`, () => {
    for (const [name, architecture] of Object.entries(ARCHITECTURE)) {
      const outcome = judge(filter, architecture, numbers("read"), []);
      assertEquals(outcome, name === machine ? ALLOW : EPERM, name);
    }
  });
}
