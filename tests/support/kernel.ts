/**
 * What the kernel that tests run on has of the sandbox. An emulator may pass on less than there is.
 *
 * @module
 */

import { landlockVersion } from "../../ffi/sandbox.ts";

const PR_GET_SECCOMP = 21;

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  /** `int prctl(int op, …)`: prctl(2) */
  prctl: { parameters: ["i32"], result: "i32" },
});

export const hasLandlock = landlockVersion() > 0;
export const hasSeccomp = libc.prctl(PR_GET_SECCOMP) >= 0;

/** Of a whole log, the line that tells what the kernel lacks, or an empty text. */
export function lackOf(log: string): string {
  return /^.*the sandbox has gaps on this kernel: .*\n/m.exec(log)?.[0] ?? "";
}
