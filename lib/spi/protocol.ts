/**
 * Bytes of the virtio SPI controller (specification, "SPI Controller Device").
 *
 * @module
 */

import type { DescriptorChain } from "../virtio/descriptor_chain.ts";

/** The virtio device id. */
export const SPI_DEVICE_ID = 45;

/** Size of `struct virtio_spi_transfer_head` in bytes. */
export const HEAD_SIZE = 32;
/** Size of `struct virtio_spi_transfer_result` in bytes. */
export const RESULT_SIZE = 1;

/** Results. */
export const TRANS_OK = 0;
export const PARAM_ERR = 1;
export const TRANS_ERR = 2;

/** Bits of a transfer's mode. */
export const MODE_CPHA = 1 << 0;
export const MODE_CPOL = 1 << 1;
export const MODE_CS_HIGH = 1 << 2;
export const MODE_LSB_FIRST = 1 << 3;
export const MODE_LOOP = 1 << 4;
const MODE_ALL = 0x1f;

/** Bits of the configuration's `mode_func_supported`. */
export const FUNC_CPHA_0 = 1 << 0;
export const FUNC_CPHA_1 = 1 << 1;
export const FUNC_CPOL_0 = 1 << 2;
export const FUNC_CPOL_1 = 1 << 3;
export const FUNC_CS_HIGH = 1 << 4;
export const FUNC_LSB_FIRST = 1 << 5;
export const FUNC_LOOP = 1 << 6;

/** Bits of the configuration's `tx_nbits_supported` and `rx_nbits_supported`. */
export const NBITS_DUAL = 1 << 0;
export const NBITS_QUAD = 1 << 1;
export const NBITS_OCTAL = 1 << 2;

/** What a controller can do: `struct virtio_spi_config`. */
export interface Limits {
  /** The number of chip selects. */
  readonly chipSelects: number;
  /** `NBITS_…` bits; one line always goes. */
  readonly txNbits: number;
  readonly rxNbits: number;
  /** Bit n stands for words of n + 1 bits; 0 for words of any size. */
  readonly bitsPerWordMask: number;
  /** `FUNC_…` bits. */
  readonly modeFunctions: number;
  /** Bit n stands for mode n, where not every phase goes with every polarity. */
  readonly clockModes?: number;
  /** In Hz; 0 for no limit. */
  readonly maxFrequency: number;
  /** The same by chip select, where chips differ. */
  readonly chipFrequencies?: readonly number[];
  /** The longest delays in nanoseconds; 0 where there can be none. */
  readonly maxWordDelay: number;
  readonly maxSetup: number;
  readonly maxHold: number;
  readonly maxInactive: number;
}

/** The configuration space. */
export function encodeConfig(limits: Limits): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(32));
  view.setUint8(0, limits.chipSelects);
  // Chip selects can always be toggled between transfers.
  view.setUint8(1, 1);
  view.setUint8(2, limits.txNbits);
  view.setUint8(3, limits.rxNbits);
  view.setUint32(4, limits.bitsPerWordMask, true);
  view.setUint32(8, limits.modeFunctions, true);
  view.setUint32(12, limits.maxFrequency, true);
  view.setUint32(16, limits.maxWordDelay, true);
  view.setUint32(20, limits.maxSetup, true);
  view.setUint32(24, limits.maxHold, true);
  view.setUint32(28, limits.maxInactive, true);
  return new Uint8Array(view.buffer);
}

/** One request, decoded. Instances are reused. */
export class Transfer {
  chipSelect = 0;
  bitsPerWord = 0;
  /** 1: the chip select is released after the transfer. */
  csChange = 0;
  /** Lines in each direction; 0 stands for 1. */
  txNbits = 0;
  rxNbits = 0;
  reserved = 0;
  /** `MODE_…` bits. */
  mode = 0;
  /** In Hz; 0 leaves it to the controller. */
  frequency = 0;
  /** Delays in nanoseconds. */
  wordDelay = 0;
  /** After the chip select is asserted. */
  setup = 0;
  /** Before it is released. */
  hold = 0;
  /** After that. */
  inactive = 0;
  /** Bytes sent and received; where there are both, they are as many. */
  txLength = 0;
  rxLength = 0;
  /** Guest addresses: where the bytes sent begin and end, and where those received go; 0 for none. */
  txStart = 0;
  txEnd = 0;
  rxStart = 0;

  /** The number of bytes on the wire. */
  get length(): number {
    return this.txLength > this.rxLength ? this.txLength : this.rxLength;
  }

  /**
   * Takes in the head of a request.
   *
   * @param chain with room for a result
   * @returns false if it is too short for a head
   */
  decode(chain: DescriptorChain): boolean {
    if (chain.readableLength < HEAD_SIZE) return false;
    const selection = chain.readU32(0);
    this.chipSelect = selection & 0xff;
    this.bitsPerWord = (selection >>> 8) & 0xff;
    this.csChange = (selection >>> 16) & 0xff;
    this.txNbits = selection >>> 24;
    const lines = chain.readU32(4);
    this.rxNbits = lines & 0xff;
    this.reserved = lines >>> 8;
    this.mode = chain.readU32(8);
    this.frequency = chain.readU32(12);
    this.wordDelay = chain.readU32(16);
    this.setup = chain.readU32(20);
    this.hold = chain.readU32(24);
    this.inactive = chain.readU32(28);
    this.txLength = chain.readableLength - HEAD_SIZE;
    this.rxLength = chain.writableLength - RESULT_SIZE;
    this.txStart = this.txLength > 0 ? chain.readableAddress(HEAD_SIZE) : 0;
    this.txEnd = this.txLength > 0 ? chain.readableEnd : 0;
    this.rxStart = this.rxLength > 0 ? chain.writableAddress(0) : 0;
    return true;
  }
}

/** Bytes that a word of so many bits takes in memory: a power of two. */
export function wordBytes(bits: number): number {
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
}

function nbitsFit(nbits: number, supported: number): boolean {
  switch (nbits) {
    case 0:
    case 1:
      return true;
    case 2:
      return (supported & NBITS_DUAL) !== 0;
    case 4:
      return (supported & NBITS_QUAD) !== 0;
    case 8:
      return (supported & NBITS_OCTAL) !== 0;
    default:
      return false;
  }
}

/** The mode of a transfer as it is usually numbered, 0 to 3. */
export function clockMode(mode: number): number {
  return mode & (MODE_CPHA | MODE_CPOL);
}

function modeFits(mode: number, { modeFunctions: functions, clockModes }: Limits): boolean {
  if ((mode & ~MODE_ALL) !== 0) return false;
  if (clockModes !== undefined && !((clockModes >>> clockMode(mode)) & 1)) return false;
  if ((functions & (mode & MODE_CPHA ? FUNC_CPHA_1 : FUNC_CPHA_0)) === 0) return false;
  if ((functions & (mode & MODE_CPOL ? FUNC_CPOL_1 : FUNC_CPOL_0)) === 0) return false;
  if (mode & MODE_CS_HIGH && !(functions & FUNC_CS_HIGH)) return false;
  if (mode & MODE_LSB_FIRST && !(functions & FUNC_LSB_FIRST)) return false;
  return !(mode & MODE_LOOP) || (functions & FUNC_LOOP) !== 0;
}

/** The first field of a request that a controller cannot do, for people; `undefined` if none. */
export function refusedField(transfer: Transfer, limits: Limits): string | undefined {
  const { bitsPerWord, txLength, rxLength } = transfer;
  if (transfer.chipSelect >= limits.chipSelects) return "chip_select_id";
  if (bitsPerWord === 0) return "bits_per_word";
  const mask = limits.bitsPerWordMask;
  if (mask !== 0 && (bitsPerWord > 32 || !((mask >>> (bitsPerWord - 1)) & 1))) {
    return "bits_per_word";
  }
  if (transfer.csChange > 1) return "cs_change";
  if (!nbitsFit(transfer.txNbits, limits.txNbits)) return "tx_nbits";
  if (!nbitsFit(transfer.rxNbits, limits.rxNbits)) return "rx_nbits";
  if (transfer.reserved !== 0) return "reserved";
  if (!modeFits(transfer.mode, limits)) return "mode";
  const maximum = limits.chipFrequencies?.[transfer.chipSelect] ?? limits.maxFrequency;
  if (maximum !== 0 && transfer.frequency > maximum) return "freq";
  if (transfer.wordDelay > limits.maxWordDelay) return "word_delay_ns";
  if (transfer.setup > limits.maxSetup) return "cs_setup_ns";
  if (transfer.hold > limits.maxHold) return "cs_delay_hold_ns";
  if (transfer.inactive > limits.maxInactive) return "cs_change_delay_inactive_ns";
  if (txLength > 0 && rxLength > 0 && txLength !== rxLength) return "the buffers' lengths";
  if (transfer.length % wordBytes(bitsPerWord) !== 0) return "the buffers' length";
  return undefined;
}
