/**
 * Requests of a virtio SPI driver, written anew from the specification.
 *
 * @module
 */

import type { FrontEnd } from "./front_end.ts";
import { Guest, type GuestOptions } from "./guest.ts";
import { u32 } from "./wire.ts";

/** Results of a transfer. */
export const RESULT = { OK: 0, PARAM_ERR: 1, TRANS_ERR: 2 } as const;

/** The head of a request; all that is not said is 0. */
export interface Head {
  readonly chipSelect?: number;
  /** 8 where it is not said. */
  readonly bitsPerWord?: number;
  readonly csChange?: number;
  readonly txNbits?: number;
  readonly rxNbits?: number;
  readonly reserved?: readonly [number, number, number];
  readonly mode?: number;
  readonly frequency?: number;
  readonly wordDelay?: number;
  readonly setup?: number;
  readonly hold?: number;
  readonly inactive?: number;
}

/** The head as bytes. */
export function encodeHead(head: Head): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set([
    head.chipSelect ?? 0,
    head.bitsPerWord ?? 8,
    head.csChange ?? 0,
    head.txNbits ?? 0,
    head.rxNbits ?? 0,
    ...(head.reserved ?? []),
  ]);
  const { mode = 0, frequency = 0, wordDelay = 0, setup = 0, hold = 0, inactive = 0 } = head;
  bytes.set(u32(mode, frequency, wordDelay, setup, hold, inactive), 8);
  return bytes;
}

/** What a transfer sends, and how much it reads. */
export interface Data {
  readonly tx?: ArrayLike<number>;
  readonly rx?: number;
}

/** What became of a transfer. */
export interface Outcome {
  readonly result: number;
  /** The receive buffer; 0xee where it was not written. */
  readonly rx: number[];
  /** The number of bytes that the device says it has written. */
  readonly used: number;
}

/** A guest with an SPI driver. */
export class SpiGuest extends Guest {
  constructor(frontEnd: FrontEnd, options: GuestOptions = {}) {
    super(frontEnd, { queues: 1, ...options });
  }

  /** Sends a transfer and waits for its end. */
  transfer(head: Head, { tx = [], rx = 0 }: Data): Outcome {
    const request = new Uint8Array(32 + tx.length);
    request.set(encodeHead(head));
    request.set(Array.from(tx), 32);
    const { response, length } = this.request(request, rx + 1);
    // A driver must not look beyond what counts as written.
    if (length <= rx) throw new Error(`no result within ${length} bytes`);
    return { result: response[rx], rx: [...response.subarray(0, rx)], used: length };
  }

  /** Full duplex: what comes back for what is sent. */
  exchange(tx: ArrayLike<number>, head: Head = {}): Outcome {
    return this.transfer(head, { tx, rx: tx.length });
  }
}
