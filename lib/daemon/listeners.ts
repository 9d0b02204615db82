/**
 * The sockets at which front-ends are expected.
 *
 * @module
 */

import { dirname } from "node:path";
import {
  EACCES,
  EADDRINUSE,
  ENOENT,
  ENOTDIR,
  EPERM,
  EROFS,
  errnoText,
  SystemError,
} from "../../ffi/errno.ts";
import {
  close,
  type FileStatus,
  isOpen,
  lockExclusively,
  O_DIRECTORY,
  O_RDONLY,
  open,
  S_IFDIR,
  S_IFLNK,
  S_IFSOCK,
} from "../../ffi/fd.ts";
import { exists, linkStatus, unlink } from "../../ffi/file.ts";
import { isSocketAlive, listenAt, socketKind } from "../../ffi/socket.ts";
import { RuntimeError, UsageError } from "../errors.ts";
import { checkSocketPath } from "../input/socket_path.ts";

/** One socket. */
export interface Listener {
  readonly fd: number;
  /** True if front-ends connect to it; false if it is a connection itself. */
  readonly listening: boolean;
  /** Where it is, for people. */
  readonly title: string;
  /** Where it is, if it was made here. */
  readonly path?: string;
  /**
   * Closes it where it listens, and takes its file away where that is still the one made here.
   * Without effect from the second time on: the number may be somebody else's by then.
   */
  remove(): void;
}

/** The first descriptor that systemd passes: sd_listen_fds(3). */
const FIRST_SYSTEMD_FD = 3;

/**
 * The paths of the sockets of `count` guests.
 *
 * @throws {UsageError} if no socket can have one of them
 */
export function socketPaths(path: string, count: number): string[] {
  const paths = Array.from({ length: count }, (_, index) => `${path}${index}`);
  checkSocketPath(paths[paths.length - 1]);
  return paths;
}

/** How long another process may have the folder to itself, and how often that is looked at, in ms. */
const LOCK_PATIENCE = 2000;
const LOCK_INTERVAL = 2;

/**
 * Keeps others from making sockets in the folder of `path` meanwhile: of two daemons that find the
 * same stale socket, the second one has to find the first one's.
 *
 * @param until when others have had the folder to themselves for too long
 */
function alone<Result>(path: string, until: number, make: () => Result): Result {
  let folder = -1;
  try {
    folder = open(dirname(path), O_RDONLY | O_DIRECTORY);
  } catch {
    // It is not there, and making the socket will say so; or it can be written but not be read.
  }
  try {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    // Nobody who makes a socket takes that long; for others there is no reason to wait.
    while (folder >= 0 && !lockExclusively(folder) && performance.now() < until) {
      Atomics.wait(pause, 0, 0, LOCK_INTERVAL);
    }
    return make();
  } finally {
    close(folder);
  }
}

/** Makes room for a socket where a stale one is in the way, and for nothing else. */
function clear(path: string): void {
  let found: FileStatus;
  try {
    found = linkStatus(path);
  } catch {
    // Nothing there, or else making the socket will meet the same obstacle and say which.
    return;
  }
  const { type } = found;
  if (type !== S_IFSOCK) {
    const what = type === S_IFDIR ? "a directory" : type === S_IFLNK ? "a symbolic link" : "a file";
    throw new RuntimeError(
      `socket path '${path}' is taken by ${what}; remove that or choose another path`,
    );
  }
  if (isSocketAlive(path)) {
    throw new RuntimeError(
      `socket '${path}' is in use by another process; stop that one or choose another path`,
    );
  }
  try {
    unlink(path);
  } catch {
    throw notUsable(path, EACCES);
  }
}

function notUsable(path: string, number: number): RuntimeError {
  const directory = dirname(path);
  switch (number) {
    case ENOENT:
      if (exists(directory)) {
        return new RuntimeError(
          `there can be no sockets in '${directory}', so no '${path}'; choose another path`,
        );
      }
      return new RuntimeError(
        `directory '${directory}' of socket '${path}' does not exist; create it`,
      );
    case ENOTDIR:
      return new RuntimeError(
        `'${directory}' is no directory, so there can be no socket '${path}'; choose another path`,
      );
    case EACCES:
    case EPERM:
      return new RuntimeError(
        `no permission to create socket '${path}'; make '${directory}' writable for user ` +
          `${Deno.uid()} or choose another path`,
      );
    case EROFS:
      return new RuntimeError(
        `socket '${path}' would be on a read-only file system; choose another path`,
      );
    case EADDRINUSE:
      return new RuntimeError(
        `socket '${path}' was taken by another process just now; choose another path`,
      );
    default:
      return new RuntimeError(
        `socket '${path}' cannot be created: ${errnoText(number)}; choose another path`,
      );
  }
}

/**
 * Makes the sockets at those paths and listens at each.
 *
 * @param patience how long others may have their folder to themselves, in milliseconds
 * @throws {RuntimeError} if that is not possible
 */
export function listenAll(paths: readonly string[], patience = LOCK_PATIENCE): Listener[] {
  const until = performance.now() + patience;
  const listeners: Listener[] = [];
  try {
    for (const path of paths) listeners.push(listen(path, undefined, until));
  } catch (error) {
    for (const listener of listeners) listener.remove();
    throw error;
  }
  return listeners;
}

/**
 * Makes the socket at `path` and listens.
 *
 * @param mode as for {@linkcode listenAt}
 * @param until when it is made even if others have its folder to themselves
 * @throws {RuntimeError} if that is not possible
 */
export function listen(
  path: string,
  mode?: number,
  until: number = performance.now() + LOCK_PATIENCE,
): Listener {
  const { fd, device, inode } = alone(path, until, () => {
    clear(path);
    try {
      return { fd: listenAt(path, mode), ...linkStatus(path) };
    } catch (error) {
      throw error instanceof SystemError ? notUsable(path, error.errno) : error;
    }
  });
  let removed = false;
  return {
    fd,
    listening: true,
    title: path,
    path,
    remove() {
      if (removed) return;
      removed = true;
      try {
        const now = linkStatus(path);
        if (now.device === device && now.inode === inode) unlink(path);
      } catch {
        // Somebody else has removed it.
      }
      // Not before: while it is open nobody takes it for a stale one, and its number stays taken.
      close(fd);
    },
  };
}

/**
 * Takes over a socket that is open already.
 *
 * @param source what named it, for messages
 * @throws {UsageError} if it is no Unix stream socket
 */
export function inherit(fd: number, source: string): Listener {
  const refuse = (why: string) =>
    new UsageError(
      `${source}: descriptor ${fd} is ${why}; pass a Unix stream socket that listens or is connected`,
    );
  if (!isOpen(fd)) throw refuse("not open");
  const kind = socketKind(fd);
  if (kind === "other") throw refuse("no Unix stream socket");
  if (kind === "idle") throw refuse("neither listening nor connected");
  const listening = kind === "listening";
  // A connection is closed by the thread that serves it, and the number soon somebody else's.
  let removed = !listening;
  return {
    fd,
    listening,
    title: `descriptor ${fd}`,
    remove() {
      if (!removed) close(fd);
      removed = true;
    },
  };
}

/** The descriptors that systemd has passed to this process, in its order. */
export function systemdDescriptors(): number[] {
  if (Deno.env.get("LISTEN_PID") !== `${Deno.pid}`) return [];
  const text = Deno.env.get("LISTEN_FDS") ?? "";
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return Array.from({ length: count }, (_, index) => FIRST_SYSTEMD_FD + index);
}
