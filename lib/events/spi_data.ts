/**
 * The data of an event that tells of an SPI transfer.
 *
 * @module
 */

import { SPI_RECEIVED, SPI_SENT } from "./kinds.ts";

/** The bytes of each direction that the event has; absent where the transfer had none. */
export interface SpiData {
  readonly sent: Uint8Array | undefined;
  readonly received: Uint8Array | undefined;
}

/** Takes an event's data apart. */
export function splitSpi(flags: number, data: Uint8Array): SpiData {
  const both = (flags & SPI_SENT) !== 0 && (flags & SPI_RECEIVED) !== 0;
  const length = both ? data.length / 2 : data.length;
  return {
    sent: flags & SPI_SENT ? data.subarray(0, length) : undefined,
    received: flags & SPI_RECEIVED ? data.subarray(data.length - length) : undefined,
  };
}
