/**
 * How much memory the control groups of this process may have.
 *
 * Source: cgroups(7); Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst of Linux.
 *
 * @module
 */

import { readBeginning } from "./file.ts";

/** Where the hierarchies are mounted; the second one is that of mixed systems. */
const VERSION_2 = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
const VERSION_1 = ["/sys/fs/cgroup/memory"];

/** Reads a small file. @returns its text, or `undefined` where it cannot be read */
type ReadText = (path: string) => string | undefined;

function readText(path: string): string | undefined {
  try {
    return new TextDecoder().decode(readBeginning(path, 4096));
  } catch {
    return undefined;
  }
}

/** A group and those above it: `/a/b`, `/a` and the root. */
function* upwards(group: string): Generator<string> {
  for (let path = group.replace(/\/$/, ""); path !== ""; path = path.replace(/\/[^/]*$/, "")) {
    yield path;
  }
  yield "";
}

/**
 * The least limit of the groups that this process is in, in bytes; `Infinity` if there is none.
 *
 * @param read stands in for the files, in tests
 */
export function memoryLimit(read: ReadText = readText): number {
  let least = Infinity;
  for (const line of read("/proc/self/cgroup")?.split("\n") ?? []) {
    // hierarchy-ID:controller-list:cgroup-path
    const [, id, controllers, group] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    const [mounts, file] = id === "0"
      ? [VERSION_2, "memory.max"]
      : controllers?.split(",").includes("memory")
      ? [VERSION_1, "memory.limit_in_bytes"]
      : [[], ""];
    for (const mount of mounts) {
      for (const path of upwards(group)) {
        // The word for no limit is no number; version 1 has a very large one.
        const limit = parseInt(read(`${mount}${path}/${file}`) ?? "");
        if (limit < least && limit < 2 ** 52) least = limit;
      }
    }
  }
  return least;
}
