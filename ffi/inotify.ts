/**
 * inotify(7): to be told when a file goes away.
 *
 * @module
 */

import { check, cString } from "./errno.ts";
import { close } from "./fd.ts";
import { libc } from "./libc.ts";

const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
/** Attributes have changed, the number of links among them. */
const IN_ATTRIB = 0x4;
const BUFFER_SIZE = 4096;

/** Watches one file for its removal, whoever still has it open. */
export class RemovalWatch {
  /** Readable when there is reason to look whether the file is still there. */
  readonly fd: number;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_SIZE));

  /** @throws {SystemError} as inotify_init(2) and inotify_add_watch(2) */
  constructor(path: string) {
    this.fd = check("inotify_init1", libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    try {
      const watch = libc.inotify_add_watch(this.fd, cString(path), IN_ATTRIB);
      check("inotify_add_watch", watch);
    } catch (error) {
      close(this.fd);
      throw error;
    }
  }

  /** Makes the descriptor no longer readable. */
  clear(): void {
    libc.read(this.fd, Deno.UnsafePointer.of(this.#buffer), BUFFER_SIZE);
  }

  close(): void {
    close(this.fd);
  }
}
