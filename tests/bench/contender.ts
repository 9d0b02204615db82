/**
 * The daemons under measurement: ours, and another one beside it.
 *
 * @module
 */

import { Daemon, type DaemonOptions } from "../support/daemon.ts";
import type { Workload } from "./workload.ts";

/** A daemon to be measured. */
export interface Contender {
  /** `ours`, or `peer`. */
  readonly name: string;
  /** The program, where it is not ours. */
  readonly program?: string;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * Those that can do the work: the peer is the daemon that the variable `PEER` names, or the one of
 * the same name in that folder.
 */
export function contenders({ program }: Workload): Contender[] {
  const ours: Contender = { name: "ours" };
  const peer = Deno.env.get("PEER");
  if (!peer) return [ours];
  const candidates = [`${peer}/${program}`, ...(peer.endsWith(`/${program}`) ? [peer] : [])];
  const found = candidates.find(isFile);
  return found === undefined ? [ours] : [ours, { name: "peer", program: found }];
}

/**
 * Starts a contender with the arguments of the workload.
 *
 * @returns `undefined` for a peer that cannot do this work
 */
export async function start(
  workload: Workload,
  { name, program }: Contender,
  args: readonly string[] = [],
  options: DaemonOptions = {},
): Promise<Daemon | undefined> {
  const all = [...workload.arguments(options.count ?? 1), ...args];
  if (program === undefined) return await Daemon.start(workload.program, all, options);
  try {
    return await Daemon.start(workload.program, all, { ...options, program });
  } catch (error) {
    const [reason] = (error as Error).message.split("\n").slice(1);
    console.log(`  (the ${name}'s ${workload.program} cannot do this: ${reason ?? "it ended"})`);
    return undefined;
  }
}
