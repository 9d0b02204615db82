/**
 * Paths of sockets, as users give them.
 *
 * @module
 */

import { MAX_SOCKET_PATH } from "../../ffi/socket.ts";
import { UsageError } from "../errors.ts";

/**
 * Checks that a socket can have that path.
 *
 * @param what for messages
 * @throws {UsageError} if it cannot
 */
export function checkSocketPath(path: string, what = "socket path"): void {
  if (path.includes("\0")) {
    throw new UsageError(`${what} '${path}' has a zero byte in it; choose a path without`);
  }
  const { length } = new TextEncoder().encode(path);
  if (length > MAX_SOCKET_PATH) {
    throw new UsageError(
      `${what} '${path}' has ${length} bytes, a socket's path has at most ${MAX_SOCKET_PATH}; ` +
        "choose a shorter one",
    );
  }
}
