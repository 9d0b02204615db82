/**
 * Files in which parts keep their contents.
 *
 * The main thread opens and locks each once, as long as the daemon runs; guests' threads write to
 * the same descriptor. Two daemons, or two parts of one, never write the same file, whatever its
 * names.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EAGAIN, ENOENT, errno, SystemError } from "../../ffi/errno.ts";
import {
  close,
  fileStatus,
  lockExclusively,
  lockShared,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  open,
  S_IFREG,
} from "../../ffi/fd.ts";
import { pathStatus, readToEnd, writeAt } from "../../ffi/file.ts";
import { RuntimeError, UsageError } from "../errors.ts";

/** The most bytes that go to the file in one call. */
const PIECE = 65536;

/** A file, and for whom it is. */
export interface FileChoice {
  readonly path: string;
  /** For messages, for example `24c02`. */
  readonly owner: string;
  /** True if nothing is ever written to it. */
  readonly readOnly: boolean;
}

interface OpenFile extends FileChoice {
  readonly fd: number;
  readonly device: bigint;
  readonly inode: bigint;
}

function title({ owner, path }: FileChoice): string {
  return `${owner} file '${path}'`;
}

function cannotUse(choice: FileChoice, error: unknown): RuntimeError {
  const { message } = error as Error;
  return new RuntimeError(
    `${title(choice)} cannot be used: ${message}; ${wayOut(choice, error)}`,
  );
}

function wayOut({ readOnly }: FileChoice, error: unknown): string {
  if (error instanceof SystemError && error.errno === ENOENT) {
    return readOnly ? "choose a file that is there" : "create its folder first";
  }
  return `make it ${readOnly ? "readable" : "readable and writable"} for user ${Deno.uid()}`;
}

/** The files of one daemon, held until they are closed or the daemon ends. */
export class BackingFiles {
  readonly #open: OpenFile[] = [];

  /**
   * Opens a file, takes it for this daemon and reads it. One that is not there is made, one that
   * is too short filled up with what `contents` has, unless it is read only.
   *
   * @param contents where its bytes go; a file may not be longer
   * @returns its descriptor
   * @throws {UsageError} if the file does not fit, or another part has it
   * @throws {RuntimeError} if it cannot be read and written, or another daemon has it
   */
  load(choice: FileChoice, contents: Uint8Array): number {
    const fd = openRegular(choice);
    try {
      const { size, device, inode } = fileStatus(fd);
      const file = { ...choice, fd, device, inode };
      this.#refuseShared(file);
      read(file, size, contents);
      this.#open.push(file);
      return fd;
    } catch (error) {
      close(fd);
      throw error instanceof SystemError ? cannotUse(choice, error) : error;
    }
  }

  /** Gives all files back. */
  close(): void {
    for (const { fd } of this.#open.splice(0)) close(fd);
  }

  #refuseShared(file: OpenFile): void {
    const { fd, readOnly } = file;
    const other = this.#open.find(({ device, inode }) =>
      device === file.device && inode === file.inode
    );
    if (other !== undefined && !(other.readOnly && readOnly)) {
      const name = other.path === file.path ? "already belongs to" : `is '${other.path}' of`;
      throw new UsageError(
        `${title(file)} ${name} another part, a ${other.owner}; give each a file of its own`,
      );
    }
    // Where a file system has no locks, the check within this daemon has to do.
    const locked = readOnly ? lockShared(fd) : lockExclusively(fd);
    if (!locked && errno() === EAGAIN) {
      throw new RuntimeError(
        `${title(file)} is in use by another process, probably a daemon of this kind; ` +
          "end that one or choose another file",
      );
    }
  }
}

function openRegular(choice: FileChoice): number {
  const { path, readOnly } = choice;
  const refuse = () => new UsageError(`${title(choice)} is no regular file; choose another path`);
  try {
    if (pathStatus(path).type !== S_IFREG) throw refuse();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.errno !== ENOENT) throw cannotUse(choice, error);
  }
  try {
    // What has become of it since must not keep the daemon waiting.
    const fd = open(path, (readOnly ? O_RDONLY : O_RDWR | O_CREAT) | O_NONBLOCK, 0o666);
    if (fileStatus(fd).type === S_IFREG) return fd;
    close(fd);
  } catch (error) {
    throw cannotUse(choice, error);
  }
  throw refuse();
}

function read(file: OpenFile, size: number, contents: Uint8Array): void {
  const bytes = size > contents.length ? undefined : readToEnd(file.fd, contents.length);
  if (bytes === undefined) {
    throw new UsageError(
      `${title(file)} has ${size} bytes, more than the ${contents.length} of the part; ` +
        "choose a larger part or another file",
    );
  }
  contents.set(bytes);
  if (file.readOnly || bytes.length === contents.length) return;
  // A copy: what is written cannot be in memory that threads share.
  writeAt(file.fd, new Uint8Array(contents.subarray(bytes.length)), bytes.length);
}

/** A file as a thread writes to it. */
export class BackingFile {
  readonly #fd: number;
  readonly #choice: FileChoice;
  readonly #contents: Uint8Array;
  readonly #log: Logger;
  readonly #piece: Uint8Array<ArrayBuffer>;
  #fails = false;

  /**
   * @param fd as {@linkcode BackingFiles.load} has returned it
   * @param contents what the file keeps; may be memory that threads share
   */
  constructor(fd: number, choice: FileChoice, contents: Uint8Array, log: Logger) {
    this.#fd = fd;
    this.#choice = choice;
    this.#contents = contents;
    this.#log = log;
    this.#piece = new Uint8Array(Math.min(PIECE, contents.length));
  }

  /** Writes bytes of the contents to the file at once. */
  save(at: number, length: number): void {
    if (this.#choice.readOnly) return;
    try {
      for (let done = 0; done < length;) {
        const count = Math.min(this.#piece.length, length - done);
        const from = at + done;
        const piece = this.#piece.subarray(0, count);
        piece.set(this.#contents.subarray(from, from + count));
        writeAt(this.#fd, piece, from);
        done += count;
      }
      this.#fails = false;
    } catch (error) {
      if (this.#fails) return;
      this.#fails = true;
      this.#log.error(
        `${title(this.#choice)} cannot be written: ${(error as Error).message}; ` +
          "what is written from now on is lost when the daemon ends",
      );
    }
  }
}
