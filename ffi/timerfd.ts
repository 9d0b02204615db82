/**
 * timerfd_create(2): a clock that an event loop can wait for.
 *
 * @module
 */

import { check } from "./errno.ts";
import { close } from "./fd.ts";
import { fast, libc } from "./libc.ts";

const read = fast("read");
const timerfd_settime = fast("timerfd_settime");
const CLOCK_MONOTONIC = 1;
const TFD_NONBLOCK = 0o4000;
const TFD_CLOEXEC = 0o2000000;

/** A one-shot timer. */
export class Timer {
  /** Readable once the time is up, until {@linkcode clear}. */
  readonly fd: number;
  // struct itimerspec: i64 interval.sec, interval.nsec, value.sec, value.nsec
  readonly #time = new Uint32Array(new ArrayBuffer(32));
  readonly #timePointer: Deno.PointerValue;
  readonly #count = new Uint32Array(new ArrayBuffer(8));
  readonly #countPointer: Deno.PointerValue;

  /** @throws {SystemError} as timerfd_create(2) */
  constructor() {
    this.fd = check(
      "timerfd_create",
      libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
    );
    this.#timePointer = Deno.UnsafePointer.of(this.#time);
    this.#countPointer = Deno.UnsafePointer.of(this.#count);
  }

  /** Sets the timer, whatever it was set to before, to `milliseconds` (fractions count) from now. */
  arm(milliseconds: number): void {
    const seconds = Math.floor(milliseconds / 1000);
    this.#time[4] = seconds;
    const nanoseconds = Math.ceil((milliseconds - seconds * 1000) * 1e6);
    // A value of zero would disarm it.
    this.#time[6] = Math.min(Math.max(nanoseconds, 1), 999_999_999);
    timerfd_settime.invoke(this.fd, 0, this.#timePointer, null);
  }

  /** Takes the setting back. */
  disarm(): void {
    this.#time[4] = this.#time[6] = 0;
    timerfd_settime.invoke(this.fd, 0, this.#timePointer, null);
  }

  /**
   * Makes the descriptor no longer readable.
   *
   * @returns false if the time was not up
   */
  clear(): boolean {
    return read.invoke(this.fd, this.#countPointer, 8) === 8;
  }

  close(): void {
    close(this.fd);
  }
}
