/**
 * The file in which a simulated flash keeps its contents.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { ENOENT, SystemError } from "../../../ffi/errno.ts";
import { close, type FileStatus, O_CREAT, O_WRONLY, open, S_IFREG } from "../../../ffi/fd.ts";
import { pathStatus, readFile, writeAt } from "../../../ffi/file.ts";
import { RuntimeError, UsageError } from "../../errors.ts";
import type { FlashStore } from "./parts/flash.ts";

/**
 * Reads the contents of a flash. A file that is not there or too short is filled up with what an
 * erased flash holds.
 *
 * @param size of the flash in bytes; a file may not be longer
 * @throws {UsageError} if the file is not of that kind
 * @throws {RuntimeError} if it cannot be read and written
 */
export function loadBackingFile(path: string, size: number): Uint8Array {
  const contents = new Uint8Array(size).fill(0xff);
  const found = stat(path);
  if (found !== undefined && found.type !== S_IFREG) {
    throw new UsageError(`flash file '${path}' is no regular file; choose another path`);
  }
  const length = found?.size ?? 0;
  if (length > size) {
    throw new UsageError(
      `flash file '${path}' has ${length} bytes, the flash has ${size}; ` +
        "give the flash its size or choose another file",
    );
  }
  try {
    const bytes = length > 0 ? readFile(path, size) : new Uint8Array(0);
    if (bytes === undefined) throw new TypeError("it has grown just now");
    contents.set(bytes);
    if (length < size) fillUp(path, contents, length);
  } catch (error) {
    throw cannotUse(path, error);
  }
  return contents;
}

function fillUp(path: string, contents: Uint8Array<ArrayBuffer>, from: number): void {
  const fd = open(path, O_WRONLY | O_CREAT, 0o666);
  try {
    writeAt(fd, contents.subarray(from), from);
  } finally {
    close(fd);
  }
}

function stat(path: string): FileStatus | undefined {
  try {
    return pathStatus(path);
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOENT) return undefined;
    throw cannotUse(path, error);
  }
}

function cannotUse(path: string, error: unknown): RuntimeError {
  return new RuntimeError(
    `flash file '${path}' cannot be used: ${(error as Error).message}; make it readable and ` +
      `writable for user ${Deno.uid()}`,
  );
}

/** Writes what changes to the file at once. */
export class BackingFile implements FlashStore {
  readonly #fd: number;
  readonly #log: Logger;
  #failed = false;

  /** @throws {RuntimeError} if the file cannot be written */
  constructor(readonly path: string, log: Logger) {
    this.#log = log;
    try {
      this.#fd = open(path, O_WRONLY);
    } catch (error) {
      throw cannotUse(path, error);
    }
  }

  save(contents: Uint8Array, offset: number, length: number): void {
    try {
      // A copy: the contents may be shared memory.
      writeAt(this.#fd, new Uint8Array(contents.subarray(offset, offset + length)), offset);
    } catch (error) {
      if (!this.#failed) {
        this.#log.error(
          `flash file '${this.path}' cannot be written: ${(error as Error).message}; ` +
            "changes are lost when the daemon ends",
        );
      }
      this.#failed = true;
    }
  }

  close(): void {
    close(this.#fd);
  }
}
