/**
 * A few lines of machine code, for what has to happen in a signal handler, or in a thread of its own
 * that is to be small: no JavaScript can run there.
 *
 * The code is written as an assembler would list it, and a test has it assembled and compares: each
 * line has bytes, or a word of arm64, then a bar, then what they say. After the code come quadwords
 * that are known only at run time.
 *
 * @module
 */

import { check } from "./errno.ts";
import { libc } from "./libc.ts";
import { mapped, PROT_READ, PROT_WRITE } from "./memory.ts";

const PROT_EXEC = 4;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
/** Enough for what there is, and whole pages on every kernel. */
const SIZE = 65536;

// From `bits/sigaction.h`
const SA_SIGINFO = 4;
const SA_ONSTACK = 0x0800_0000;
const SA_RESTART = 0x1000_0000;
const SIG_IGN = 1n;

/** A listing for each kind of machine, with the same quadwords after it. */
export type Listings = Readonly<Record<"x86_64" | "aarch64", string>>;

/** The code of a listing, filled up to a multiple of 8 bytes. */
export function codeOf(listing: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const line of listing.split("\n")) {
    for (const part of line.split("|")[0].match(/[0-9a-f]+/g) ?? []) {
      // A word of arm64 has its lowest byte first.
      for (let at = part.length; at > 0; at -= 2) bytes.push(parseInt(part.slice(at - 2, at), 16));
    }
  }
  const code = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
  code.set(bytes);
  return code;
}

/**
 * Zeroed memory, 64 KiB of it, that is there for as long as the process lives.
 *
 * @throws {SystemError} as mmap(2)
 */
export function zeroedMemory(): Deno.PointerObject {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  return mapped(libc.mmap(null, BigInt(SIZE), PROT_READ | PROT_WRITE, flags, -1, 0n));
}

/**
 * Puts code where it can be run but no longer be changed, for as long as the process lives.
 *
 * @param quadwords what follows it
 * @throws {SystemError} as mmap(2) or mprotect(2)
 */
export function loadCode(listings: Listings, quadwords: readonly bigint[]): Deno.PointerObject {
  const memory = zeroedMemory();
  const code = codeOf(listings[Deno.build.arch as keyof Listings]);
  const bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(memory, SIZE));
  bytes.set(code);
  bytes.set(new Uint8Array(BigUint64Array.from(quadwords).buffer), code.length);
  check("mprotect", libc.mprotect(memory, BigInt(SIZE), PROT_READ | PROT_EXEC));
  return memory;
}

/**
 * Has code handle a signal, in all threads. System calls that it interrupts go on where they can.
 *
 * @throws {SystemError} as sigaction(2)
 */
export function handleSignal(signal: number, code: Deno.PointerObject): void {
  const handler = BigInt(Deno.UnsafePointer.value(code));
  setAction(signal, handler, SA_SIGINFO | SA_ONSTACK | SA_RESTART);
}

/**
 * Has a signal do nothing.
 *
 * @throws {SystemError} as sigaction(2)
 */
export function ignoreSignal(signal: number): void {
  setAction(signal, SIG_IGN, 0);
}

/** `struct sigaction { void (*handler)(int, …); sigset_t mask; int flags; …; }` */
function setAction(signal: number, handler: bigint, flags: number): void {
  const action = new DataView(new ArrayBuffer(152));
  action.setBigUint64(0, handler, true);
  action.setUint32(136, flags, true);
  const pointer = Deno.UnsafePointer.of(action);
  check("sigaction", libc.sigaction(signal, pointer, new ArrayBuffer(152)));
}

/** The address of memory that never moves: of a buffer that somebody keeps. */
export function addressOfBuffer(memory: ArrayBufferLike): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(memory))));
}
