/**
 * Where a trace goes: a file, or a pipe with somebody who reads it.
 *
 * Nothing waits for the reader of a pipe. Whatever becomes of the process, a file ends with a whole
 * line: lines do not cross the pages of 4 KiB by which the kernel takes over what is written.
 *
 * @module
 */

import { EPOLLOUT } from "../../ffi/epoll.ts";
import { EAGAIN, EINTR, ENXIO, errno, errnoText, SystemError } from "../../ffi/errno.ts";
import {
  close,
  fileStatus,
  lockExclusively,
  O_CREAT,
  O_NOCTTY,
  O_NONBLOCK,
  O_WRONLY,
  open,
  S_IFIFO,
  S_IFREG,
} from "../../ffi/fd.ts";
import { pathStatus, truncate, writeSome } from "../../ffi/file.ts";
import { RuntimeError } from "../errors.ts";
import type { EventHandler, Poller } from "../virtio/device.ts";

/** What guests write to chips may be a secret. */
const MODE = 0o600;
/** Of whatever machine, a page is a multiple of this. */
const PAGE = 4096;
/** Nothing more is taken while so many bytes wait for the reader of a pipe. */
const BACKLOG = 1 << 20;
const NEWLINE = 10;

/**
 * Opens the file of a trace, empty, for this process alone.
 *
 * @throws {RuntimeError} if it cannot be had
 */
export function openTrace(path: string): number {
  let fd = -1;
  try {
    fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, MODE);
    if (fileStatus(fd).type !== S_IFREG) return fd;
    if (!lockExclusively(fd) && errno() === EAGAIN) {
      throw new RuntimeError(
        `trace file '${path}' is in use by another process, probably a daemon of this kind; ` +
          "end that one or choose another file",
      );
    }
    truncate(fd, 0);
    return fd;
  } catch (error) {
    close(fd);
    if (!(error instanceof SystemError)) throw error;
    throw new RuntimeError(
      error.errno === ENXIO && isPipe(path)
        ? `trace file '${path}' is a pipe that nobody reads; start its reader first`
        : `trace file '${path}' cannot be written: ${error.message}; choose another path`,
    );
  }
}

function isPipe(path: string): boolean {
  try {
    return pathStatus(path).type === S_IFIFO;
  } catch {
    return false;
  }
}

/** Is told how a trace's bytes fare. */
export interface OutputListener {
  /** The reader of a pipe has caught up. */
  onRoom(): void;
  /** Nothing more can be written, for this reason; told once. */
  onEnd(reason: string): void;
}

/** A trace's bytes on their way. */
export class TraceOutput implements EventHandler {
  readonly #fd: number;
  readonly #poller: Poller;
  readonly #listener: OutputListener;
  readonly #isFile: boolean;
  /** How many bytes the file has. */
  #size = 0;
  #padded = new Uint8Array(2 * PAGE);
  /** What the reader of a pipe has no room for. */
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #backlog = 0;
  #isOpen = true;

  /** @param fd as of {@linkcode openTrace}; stays the caller's */
  constructor(fd: number, poller: Poller, listener: OutputListener) {
    this.#fd = fd;
    this.#poller = poller;
    this.#listener = listener;
    this.#isFile = fileStatus(fd).type === S_IFREG;
  }

  /** False once nothing more can be written. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** False while the reader of a pipe is too far behind. */
  get hasRoom(): boolean {
    return this.#backlog < BACKLOG;
  }

  /** Writes whole lines. */
  write(lines: Uint8Array<ArrayBuffer>): void {
    if (!this.#isOpen) return;
    if (this.#waiting.length > 0) return this.#keep(lines);
    const bytes = this.#isFile ? this.#pad(lines) : lines;
    const rest = this.#put(bytes);
    if (rest === undefined || rest.length === 0) return;
    this.#poller.watch(this.#fd, EPOLLOUT, this);
    this.#keep(rest);
  }

  /** There is room, or nobody reads any more. */
  onEvents(_events: number): void {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting;
      const rest = this.#put(first);
      if (rest === undefined) return;
      this.#backlog -= first.length - rest.length;
      if (rest.length > 0) {
        this.#waiting[0] = rest;
        return;
      }
      this.#waiting.shift();
    }
    this.#poller.unwatch(this.#fd);
    this.#listener.onRoom();
  }

  #keep(bytes: Uint8Array<ArrayBuffer>): void {
    this.#waiting.push(bytes.slice());
    this.#backlog += bytes.length;
  }

  /** @returns what has found no room now; `undefined` if nothing more can be written */
  #put(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    let rest = bytes;
    while (rest.length > 0) {
      const count = writeSome(this.#fd, rest);
      if (count >= 0) {
        this.#size += count;
        rest = rest.subarray(count);
      } else if (errno() === EAGAIN) return rest;
      else if (errno() !== EINTR) {
        this.#end(errnoText(errno()), bytes, bytes.length - rest.length);
        return undefined;
      }
    }
    return rest;
  }

  /** Has the file end with the last whole line of what was written. */
  #end(reason: string, bytes: Uint8Array, written: number): void {
    this.#isOpen = false;
    if (this.#isFile) {
      const whole = written === 0 ? 0 : bytes.lastIndexOf(NEWLINE, written - 1) + 1;
      try {
        truncate(this.#fd, this.#size - written + whole);
      } catch {
        // Then there is a line too short at its end.
      }
    } else if (this.#waiting.length > 0) this.#poller.unwatch(this.#fd);
    this.#waiting = [];
    this.#backlog = 0;
    this.#listener.onEnd(reason);
  }

  /** Fills pages up with empty lines, where a line would go on in the next. */
  #pad(lines: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    let room = PAGE - this.#size % PAGE;
    if (lines.length <= room) return lines;
    let length = 0;
    let from = 0;
    while (lines.length - from > room) {
      const end = lines.lastIndexOf(NEWLINE, from + room - 1) + 1;
      const whole = lines.subarray(from, Math.max(from, end));
      this.#reserve(length + room);
      this.#padded.set(whole, length);
      this.#padded.fill(NEWLINE, length + whole.length, length + room);
      from += whole.length;
      length += room;
      room = PAGE;
    }
    const rest = lines.subarray(from);
    this.#reserve(length + rest.length);
    this.#padded.set(rest, length);
    return this.#padded.subarray(0, length + rest.length);
  }

  #reserve(length: number): void {
    if (length <= this.#padded.length) return;
    const padded = new Uint8Array(2 * length);
    padded.set(this.#padded);
    this.#padded = padded;
  }
}
