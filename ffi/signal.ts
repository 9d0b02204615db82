/**
 * What becomes of signals.
 *
 * @module
 */

import { constants } from "node:os";
import { libc } from "./libc.ts";

const SIG_IGN = 1n;

/** True if this process was started with a signal ignored, for example SIGHUP by nohup(1). */
export function isIgnored(signal: "SIGHUP" | "SIGINT"): boolean {
  // struct sigaction: the handler comes first
  const action = new BigUint64Array(new ArrayBuffer(256));
  if (libc.sigaction(constants.signals[signal], null, action) < 0) return false;
  return action[0] === SIG_IGN;
}
