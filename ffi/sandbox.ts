/**
 * What a thread can give up: privileges, capabilities, system calls and files.
 *
 * Opened apart from the rest of the C library: it is used once, at the start.
 *
 * Source: prctl(2), capset(2), seccomp(2), landlock(7); `linux/landlock.h`.
 *
 * @module
 */

import { check } from "./errno.ts";
import type { ThreadCall } from "./every_thread.ts";
import { close, O_PATH, open } from "./fd.ts";
import { openWhenUsed } from "./library.ts";
import { addressOfBuffer } from "./machine_code.ts";

const functions = {
  /** `int prctl(int op, …)`: prctl(2) */
  prctl: {
    parameters: [
      "i32", // int op
      "usize", // unsigned long arg2
      "usize", // unsigned long arg3
      "usize", // unsigned long arg4
      "usize", // unsigned long arg5
    ],
    result: "i32",
  },
  /** `long syscall(long number, ...)` with the arguments of capset(2) */
  capset: { name: "syscall", parameters: ["i32", "buffer", "buffer"], result: "i32" },
  /** The same for seccomp(2) */
  seccomp: { name: "syscall", parameters: ["i32", "u32", "u32", "buffer"], result: "i32" },
  /** The same for landlock_create_ruleset(2) */
  landlock_create_ruleset: {
    name: "syscall",
    parameters: [
      "i32", // long number
      "buffer", // const struct landlock_ruleset_attr *attr, may be null
      "usize", // size_t size
      "u32", // __u32 flags
    ],
    result: "i32",
  },
  /** The same for landlock_add_rule(2) */
  landlock_add_rule: {
    name: "syscall",
    parameters: [
      "i32", // long number
      "i32", // int ruleset_fd
      "i32", // enum landlock_rule_type rule_type
      "buffer", // const void *rule_attr
      "u32", // __u32 flags
    ],
    result: "i32",
  },
  /** The same for landlock_restrict_self(2) */
  landlock_restrict_self: { name: "syscall", parameters: ["i32", "i32", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const libc = openWhenUsed("libc.so.6", functions);

const x86 = Deno.build.arch === "x86_64";
const SYS_prctl = x86 ? 157 : 167;
const SYS_capset = x86 ? 126 : 91;
const SYS_seccomp = x86 ? 317 : 277;
// The same on all machines.
const SYS_landlock_create_ruleset = 444;
const SYS_landlock_add_rule = 445;
const SYS_landlock_restrict_self = 446;

const PR_SET_NO_NEW_PRIVS = 38;
const CAPABILITY_VERSION_3 = 0x20080522;

const SECCOMP_SET_MODE_FILTER = 1;
const FILTER_FLAG_TSYNC = 1;
/** Without it, older kernels slow every branch of a program that has a filter. */
const FILTER_FLAG_SPEC_ALLOW = 4;

const LANDLOCK_CREATE_RULESET_VERSION = 1;
const LANDLOCK_RULE_PATH_BENEATH = 1;

/**
 * From now on, no program that this thread starts gets more rights than it has.
 *
 * @throws {SystemError} as prctl(2)
 */
export function setNoNewPrivileges(): void {
  check("prctl", libc.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n));
}

/** {@linkcode setNoNewPrivileges} as a call that any thread can make. */
export const noNewPrivilegesCall: ThreadCall = [SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0];

/** `struct __user_cap_header_struct { __u32 version; int pid; }` */
const header = Uint32Array.of(CAPABILITY_VERSION_3, 0);
/** Effective, permitted and inheritable, for capabilities 0 to 31 and for the rest. */
const none = new Uint32Array(6);

/**
 * This thread, and those that it will start, lose all capabilities.
 *
 * @throws {SystemError} as capset(2)
 */
export function dropCapabilities(): void {
  check("capset", libc.capset(SYS_capset, header, none));
}

/** {@linkcode dropCapabilities} as a call that any thread can make. */
export function dropCapabilitiesCall(): ThreadCall {
  return [SYS_capset, addressOfBuffer(header.buffer), addressOfBuffer(none.buffer)];
}

/**
 * Puts a filter in front of the system calls of all threads, and of those that will be started.
 * {@linkcode setNoNewPrivileges} comes first.
 *
 * ```
 * struct sock_filter { __u16 code; __u8 jt, jf; __u32 k; };
 * struct sock_fprog { unsigned short len; struct sock_filter *filter; };
 * ```
 *
 * @param program of `struct sock_filter`
 * @throws {SystemError} as seccomp(2)
 */
export function filterSystemCalls(program: Uint8Array<ArrayBuffer>): void {
  const description = new DataView(new ArrayBuffer(16));
  description.setUint16(0, program.length / 8, true);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(program));
  description.setBigUint64(8, BigInt(address), true);
  const flags = FILTER_FLAG_TSYNC | FILTER_FLAG_SPEC_ALLOW;
  const bytes = new Uint8Array(description.buffer);
  const result = libc.seccomp(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, bytes);
  // A positive number is a thread that has a filter of its own.
  check("seccomp", result > 0 ? -1 : result);
}

/** Which version of Landlock the kernel has; 0 if it has none, or has it switched off. */
export function landlockVersion(): number {
  const version = libc.landlock_create_ruleset(
    SYS_landlock_create_ruleset,
    null,
    0n,
    LANDLOCK_CREATE_RULESET_VERSION,
  );
  return Math.max(version, 0);
}

/** What may be done below a path: a mask of `LANDLOCK_ACCESS_FS_…`. */
export interface PathRule {
  readonly path: string;
  readonly access: number;
}

/** What threads may do with files: a ruleset of landlock(7). */
export class FileRules implements Disposable {
  readonly #fd: number;

  /**
   * A rule for a path that does not exist is left out.
   *
   * @param handled everything that rules decide about: a mask of `LANDLOCK_ACCESS_FS_…`
   * @param network likewise, of `LANDLOCK_ACCESS_NET_…`: nothing of it is allowed
   * @param scoped likewise, of `LANDLOCK_SCOPE_…`
   * @throws {SystemError} as the calls of landlock(7)
   */
  constructor(rules: readonly PathRule[], handled: number, network: number, scoped: number) {
    const attributes = BigUint64Array.of(BigInt(handled), BigInt(network), BigInt(scoped));
    const size = scoped !== 0 ? 24n : network !== 0 ? 16n : 8n;
    this.#fd = check(
      "landlock_create_ruleset",
      libc.landlock_create_ruleset(SYS_landlock_create_ruleset, attributes, size, 0),
    );
    try {
      for (const { path, access } of rules) addRule(this.#fd, path, access & handled);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /**
   * From now on, this thread and those that it will start may do only what the rules allow.
   *
   * @throws {SystemError} as landlock_restrict_self(2)
   */
  restrict(): void {
    const result = libc.landlock_restrict_self(SYS_landlock_restrict_self, this.#fd, 0);
    check("landlock_restrict_self", result);
  }

  /** {@linkcode restrict} as a call that any thread can make. */
  get call(): ThreadCall {
    return [SYS_landlock_restrict_self, this.#fd, 0];
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}

/** `struct landlock_path_beneath_attr { __u64 allowed_access; __s32 parent_fd; }`, packed */
function addRule(ruleset: number, path: string, access: number): void {
  const rule = new DataView(new ArrayBuffer(12));
  let fd: number;
  try {
    fd = open(path, O_PATH);
  } catch {
    return;
  }
  try {
    rule.setBigUint64(0, BigInt(access), true);
    rule.setInt32(8, fd, true);
    const bytes = new Uint8Array(rule.buffer);
    const beneath = LANDLOCK_RULE_PATH_BENEATH;
    check(
      "landlock_add_rule",
      libc.landlock_add_rule(SYS_landlock_add_rule, ruleset, beneath, bytes, 0),
    );
  } finally {
    close(fd);
  }
}
