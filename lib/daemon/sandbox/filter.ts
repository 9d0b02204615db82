/**
 * The filter of system calls, as the kernel takes it: a program for its packet filter.
 *
 * Source: seccomp(2), `linux/filter.h`, `linux/bpf_common.h`, `linux/audit.h`.
 *
 * @module
 */

import type { ArgumentCheck, SystemCall } from "./system_calls.ts";

/** The machines for which there are numbers. */
export type Machine = "x86" | "arm64";

// Instructions: load a word, compare it, mask it, return.
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const AND = 0x54;
const RETURN = 0x06;

// `struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; }`
const NUMBER = 0;
const ARCHITECTURE = 4;
const ARGUMENTS = 16;

const AUDIT_ARCH = { x86: 0xc000003e, arm64: 0xc00000b7 } as const;

const RETURN_ALLOW = 0x7fff0000;
const RETURN_ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;

interface Instruction {
  readonly code: number;
  /** How many instructions to skip where a comparison holds, and where it does not. */
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly operand: number;
}

function instruction(code: number, operand: number, whenTrue = 0, whenFalse = 0): Instruction {
  return { code, operand, whenTrue, whenFalse };
}

/** Looks at the low word of an argument; the high one is not used by what is checked. */
function checkArgument({ argument, mask, value }: ArgumentCheck): Instruction[] {
  return [
    instruction(LOAD, ARGUMENTS + 8 * argument),
    instruction(AND, mask),
    instruction(JUMP_IF_EQUAL, value, 0, 1),
    instruction(RETURN, RETURN_ALLOW),
  ];
}

/** If the call is this one: what becomes of it. Otherwise on to what follows. */
function forCall(number: number, then: readonly Instruction[]): Instruction[] {
  return [instruction(JUMP_IF_EQUAL, number, 0, then.length), ...then];
}

/**
 * Makes the program: what is allowed goes through, what is missing is `ENOSYS`, and all else is
 * `EPERM`, as is everything of another instruction set than the machine's own.
 */
export function makeFilter(
  machine: Machine,
  allowed: readonly SystemCall[],
  missing: readonly SystemCall[],
): Uint8Array<ArrayBuffer> {
  const program: Instruction[] = [
    instruction(LOAD, ARCHITECTURE),
    instruction(JUMP_IF_EQUAL, AUDIT_ARCH[machine], 1, 0),
    instruction(RETURN, RETURN_ERRNO | EPERM),
    instruction(LOAD, NUMBER),
  ];
  for (const call of allowed) {
    if (call[machine] < 0 || call.checks !== undefined) continue;
    program.push(...forCall(call[machine], [instruction(RETURN, RETURN_ALLOW)]));
  }
  for (const call of missing) {
    program.push(...forCall(call[machine], [instruction(RETURN, RETURN_ERRNO | ENOSYS)]));
  }
  // Those with conditions come last: a check leaves something else than the call's number.
  for (const [number, checks] of checked(machine, allowed)) {
    const refused = instruction(RETURN, RETURN_ERRNO | EPERM);
    program.push(...forCall(number, [...checks.flatMap(checkArgument), refused]));
  }
  program.push(instruction(RETURN, RETURN_ERRNO | EPERM));
  return encode(program);
}

/** The conditions of each call that has some. */
function checked(
  machine: Machine,
  calls: readonly SystemCall[],
): Map<number, readonly ArgumentCheck[]> {
  const result = new Map<number, readonly ArgumentCheck[]>();
  for (const call of calls) {
    const number = call[machine];
    if (number < 0 || call.checks === undefined) continue;
    result.set(number, [...result.get(number) ?? [], ...call.checks]);
  }
  return result;
}

/** `struct sock_filter { __u16 code; __u8 jt, jf; __u32 k; };` */
function encode(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(8 * program.length));
  program.forEach(({ code, whenTrue, whenFalse, operand }, index) => {
    view.setUint16(8 * index, code, true);
    view.setUint8(8 * index + 2, whenTrue);
    view.setUint8(8 * index + 3, whenFalse);
    view.setUint32(8 * index + 4, operand, true);
  });
  return new Uint8Array(view.buffer);
}
