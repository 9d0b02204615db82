/**
 * Which files a thread may go on to open, as Landlock takes it.
 *
 * Source: landlock(7), `linux/landlock.h`.
 *
 * @module
 */

import { dirname } from "node:path";
import type { PathRule } from "../../../ffi/sandbox.ts";

/** What is done with a path, and with whatever is below it. */
export type PathUse =
  | "read"
  /** Files are read and written, those that are there. */
  | "write"
  /** Device nodes are opened and controlled. */
  | "control"
  /** Files are removed. */
  | "remove"
  /** Sockets are connected to. */
  | "connect";

/** A path that stays in reach. */
export interface SandboxPath {
  readonly path: string;
  readonly use: PathUse;
}

// LANDLOCK_ACCESS_FS_…
const WRITE_FILE = 1 << 1;
const READ_FILE = 1 << 2;
const READ_DIR = 1 << 3;
const REMOVE_FILE = 1 << 5;
const TRUNCATE = 1 << 14;
const IOCTL_DEV = 1 << 15;
const RESOLVE_UNIX = 1 << 16;

const READ = READ_FILE | READ_DIR;
const ACCESS: Readonly<Record<PathUse, number>> = {
  read: READ,
  write: READ | WRITE_FILE | TRUNCATE,
  control: READ | WRITE_FILE | IOCTL_DEV,
  remove: REMOVE_FILE,
  connect: RESOLVE_UNIX,
};

/** What nodes of this host, and what is told of them, take. */
const HOST_DEVICES: readonly SandboxPath[] = [
  { path: "/dev", use: "control" },
  { path: "/sys", use: "read" },
];

/** What every thread may come to read: its own process. */
const OWN_PROCESS: SandboxPath = { path: "/proc/self", use: "read" };

function foldersOf(paths: readonly string[]): string[] {
  return [...new Set(paths.map(dirname))];
}

/** What a guest's thread may open while it serves. */
export function servingPaths(
  plan: { readonly hostDevices?: boolean; readonly files?: readonly string[] },
): SandboxPath[] {
  return [
    ...(plan.hostDevices ? HOST_DEVICES : []),
    // A file may be replaced by another one of its name.
    ...foldersOf(plan.files ?? []).map((path) => ({ path, use: "write" } as const)),
  ];
}

/** What the thread that observes guests may go on to use. */
export function observingPaths(gpioControl: string | undefined): SandboxPath[] {
  // A socket comes and goes, so that it is its folder that stays in reach.
  return gpioControl === undefined ? [] : [{ path: dirname(gpioControl), use: "connect" }];
}

/** What the main thread may still do: remove sockets at the end. */
export function endingPaths(sockets: readonly string[]): SandboxPath[] {
  return foldersOf(sockets).map((path) => ({ path, use: "remove" }));
}

/** How many rights of files the versions of Landlock know, from version 1 on. */
const KNOWN_RIGHTS = [13, 14, 15, 15, 16, 16, 16, 16, 17];

/** Everything that can be taken away of a thread with this version of Landlock. */
export function handledAccess(version: number): {
  readonly files: number;
  readonly network: number;
  readonly scoped: number;
} {
  const known = KNOWN_RIGHTS[Math.min(version, KNOWN_RIGHTS.length) - 1];
  // TCP from version 4 on: bind and connect. From version 6 on: abstract Unix sockets of others.
  return { files: 2 ** known - 1, network: version >= 4 ? 3 : 0, scoped: version >= 6 ? 1 : 0 };
}

/** The rules for these paths and for the process itself. Those of a file have no rights of folders. */
export function pathRules(
  paths: readonly SandboxPath[],
  isFolder: (path: string) => boolean,
): PathRule[] {
  return [OWN_PROCESS, ...paths].map(({ path, use }) => ({
    path,
    access: isFolder(path) ? ACCESS[use] : ACCESS[use] & ~(READ_DIR | REMOVE_FILE),
  }));
}
