/**
 * The file in which a simulated flash keeps its contents.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { RuntimeError, UsageError } from "../../daemon/usage_error.ts";
import type { FlashStore } from "./flash.ts";

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
  if (found !== undefined && !found.isFile) {
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
    if (length > 0) contents.set(Deno.readFileSync(path));
    if (length < size) Deno.writeFileSync(path, contents.subarray(length), { append: true });
  } catch (error) {
    throw cannotUse(path, error);
  }
  return contents;
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
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
  readonly #file: Deno.FsFile;
  readonly #log: Logger;
  #failed = false;

  /** @throws {RuntimeError} if the file cannot be written */
  constructor(readonly path: string, log: Logger) {
    this.#log = log;
    try {
      this.#file = Deno.openSync(path, { write: true });
    } catch (error) {
      throw cannotUse(path, error);
    }
  }

  save(contents: Uint8Array, offset: number, length: number): void {
    try {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      // The file takes no shared memory.
      const bytes = contents.slice(offset, offset + length);
      for (let done = 0; done < length;) done += this.#file.writeSync(bytes.subarray(done));
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
    this.#file.close();
  }
}
