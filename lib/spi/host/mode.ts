/**
 * From a request's mode to a node's.
 *
 * @module
 */

import {
  SPI_CPHA,
  SPI_CPOL,
  SPI_CS_HIGH,
  SPI_LOOP,
  SPI_LSB_FIRST,
  SPI_RX_DUAL,
  SPI_RX_OCTAL,
  SPI_RX_QUAD,
  SPI_TX_DUAL,
  SPI_TX_OCTAL,
  SPI_TX_QUAD,
} from "../../../ffi/spidev.ts";
import {
  type Limits,
  MODE_CPHA,
  MODE_CPOL,
  MODE_CS_HIGH,
  MODE_LOOP,
  MODE_LSB_FIRST,
  NBITS_DUAL,
  NBITS_OCTAL,
  NBITS_QUAD,
} from "../protocol.ts";
import { NBITS_MODES } from "./probe.ts";

/** All that a request decides of a node's mode. */
export const REQUEST_MODES = SPI_CPHA | SPI_CPOL | SPI_CS_HIGH | SPI_LSB_FIRST | SPI_LOOP |
  NBITS_MODES;

/** A request's mode as Linux writes it. */
export function hostMode(mode: number): number {
  return (mode & MODE_CPHA ? SPI_CPHA : 0) | (mode & MODE_CPOL ? SPI_CPOL : 0) |
    (mode & MODE_CS_HIGH ? SPI_CS_HIGH : 0) | (mode & MODE_LSB_FIRST ? SPI_LSB_FIRST : 0) |
    (mode & MODE_LOOP ? SPI_LOOP : 0);
}

/**
 * Leave to use as many data lines as there are; a transfer says how many it does use. Changing the
 * mode from one transfer to the next would release the chip.
 */
export function lineMode({ txNbits, rxNbits }: Limits): number {
  const pick = (nbits: number, dual: number, quad: number, octal: number) =>
    nbits & NBITS_OCTAL ? octal : nbits & NBITS_QUAD ? quad : nbits & NBITS_DUAL ? dual : 0;
  return pick(txNbits, SPI_TX_DUAL, SPI_TX_QUAD, SPI_TX_OCTAL) |
    pick(rxNbits, SPI_RX_DUAL, SPI_RX_QUAD, SPI_RX_OCTAL);
}
