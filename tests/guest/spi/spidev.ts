/**
 * A spidev node as programs use it.
 *
 * @module
 */

import { check, errno, errnoName } from "../../../ffi/errno.ts";
import { close, O_RDWR, open } from "../../../ffi/fd.ts";
import { SpiMessage, type TransferSettings, writeMode } from "../../../ffi/spidev.ts";

/** One transfer of a message. */
export interface Step extends Partial<TransferSettings> {
  readonly tx?: Uint8Array<ArrayBuffer>;
  readonly rx?: Uint8Array<ArrayBuffer>;
  readonly csChange?: boolean;
}

function address(bytes: Uint8Array<ArrayBuffer> | undefined): number {
  if (bytes === undefined) return 0;
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

/** An open node. */
export class Spidev implements Disposable {
  readonly fd: number;

  constructor(path: string) {
    this.fd = open(path, O_RDWR);
  }

  /** Sets the mode bits. */
  setMode(mode: number): void {
    check("ioctl", writeMode(this.fd, mode));
  }

  /**
   * Carries out a message.
   *
   * @returns `OK`, or the name of the error
   */
  message(...steps: Step[]): string {
    const message = new SpiMessage(steps.length);
    for (const { tx, rx, csChange = false, ...rest } of steps) {
      const settings = {
        delayMicroseconds: 0,
        wordDelayMicroseconds: 0,
        speed: 0,
        bitsPerWord: 0,
        txLines: 0,
        rxLines: 0,
        ...rest,
      };
      const length = tx?.length ?? rx?.length ?? 0;
      message.append(address(tx), address(rx), length, settings, csChange);
    }
    return message.send(this.fd) < 0 ? errnoName(errno()) : "OK";
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

/** Bytes that do not repeat soon. */
export function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) * 7 + seed) & 0xff);
}
