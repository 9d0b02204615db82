/**
 * Random bytes of this host.
 *
 * @module
 */

import { EINTR, errno, errnoText, SystemError } from "../../ffi/errno.ts";
import { close, O_RDONLY, open } from "../../ffi/fd.ts";
import { libc } from "../../ffi/libc.ts";
import { RuntimeError } from "../../lib/errors.ts";
import type { HostBuffer } from "../../lib/virtio/descriptor_chain.ts";
import type { EntropySource } from "./device.ts";

/** The kernel's generator, which never runs dry: random(4). */
export const DEFAULT_SOURCE = "/dev/urandom";

/** A file, a device as a rule, that is read from its start to its end. */
export class HostSource implements EntropySource {
  readonly #path: string;
  readonly #fd: number;
  /** Asking for a pointer costs more than the call that it is for. */
  #buffer: HostBuffer | undefined;
  #pointer: Deno.PointerValue = null;

  /** @throws {RuntimeError} if the file cannot be opened */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = open(path, O_RDONLY);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new RuntimeError(
        `source '${path}' cannot be opened: ${errnoText(error.errno)}; choose another file`,
      );
    }
  }

  fill(buffer: HostBuffer, length: number): number {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#pointer = Deno.UnsafePointer.of(buffer.bytes);
    }
    for (;;) {
      const count = libc.read(this.#fd, this.#pointer, length);
      if (count > 0) return count;
      if (count < 0 && errno() === EINTR) continue;
      const why = count === 0 ? "it has come to its end" : errnoText(errno());
      throw new RuntimeError(
        `source '${this.#path}' cannot be read: ${why}; choose one that does not end`,
      );
    }
  }

  close(): void {
    close(this.#fd);
  }
}
