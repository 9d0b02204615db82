/**
 * Who else has a device node open: spidev lets any number of processes change a chip's settings.
 *
 * @module
 */

import { listFolder, pathStatus, readLink } from "../../../ffi/file.ts";
import { readAttribute } from "../../../ffi/sysfs.ts";

/** A process that has a node open. */
export interface NodeUser {
  readonly pid: number;
  /** Of its program. */
  readonly name: string;
}

function opens(pid: string, node: bigint): boolean {
  const folder = `/proc/${pid}/fd`;
  return listFolder(folder).some((fd) => {
    const path = `${folder}/${fd}`;
    if (!readLink(path)?.startsWith("/dev/")) return false;
    try {
      return pathStatus(path).deviceNode === node;
    } catch {
      return false;
    }
  });
}

/**
 * The other processes that have a node open, as far as this user can see: those of other users
 * are seen by root only.
 *
 * @throws {SystemError} as stat(2), if there is no such node
 */
export function nodeUsers(path: string): NodeUser[] {
  const node = pathStatus(path).deviceNode;
  const others = listFolder("/proc").filter((name) => /^\d+$/.test(name))
    .filter((pid) => Number(pid) !== Deno.pid && opens(pid, node));
  return others.map((pid) => ({
    pid: Number(pid),
    name: readAttribute(`/proc/${pid}/comm`) ?? "?",
  }));
}

/** Users in words, for example `spi-pipe (process 41)`. */
export function describeUsers(users: readonly NodeUser[]): string {
  return users.map(({ pid, name }) => `${name} (process ${pid})`).join(" and ");
}
