/**
 * What a spidev node and its controller can do, found out by trying.
 *
 * @module
 */

import {
  MAX_DELAY_USECS,
  MAX_WORD_DELAY_USECS,
  readBitsPerWord,
  readMaxSpeed,
  readMode,
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
  writeBitsPerWord,
  writeMaxSpeed,
  writeMode,
} from "../../../ffi/spidev.ts";
import {
  FUNC_CPHA_0,
  FUNC_CPHA_1,
  FUNC_CPOL_0,
  FUNC_CPOL_1,
  FUNC_CS_HIGH,
  FUNC_LOOP,
  FUNC_LSB_FIRST,
  type Limits,
  NBITS_DUAL,
  NBITS_OCTAL,
  NBITS_QUAD,
} from "../protocol.ts";

/** Mode bits for several data lines. */
export const NBITS_MODES = SPI_TX_DUAL | SPI_TX_QUAD | SPI_TX_OCTAL | SPI_RX_DUAL | SPI_RX_QUAD |
  SPI_RX_OCTAL;

/** What struct spi_ioc_transfer can express; a delay after the release is waited for here. */
const DELAYS = {
  maxWordDelay: MAX_WORD_DELAY_USECS * 1000,
  maxSetup: MAX_DELAY_USECS * 1000,
  maxHold: MAX_DELAY_USECS * 1000,
  maxInactive: MAX_DELAY_USECS * 1000,
};

/** The settings of a node, to be put back. */
export interface NodeSettings {
  readonly mode: number;
  readonly bitsPerWord: number;
  /** In Hz. */
  readonly speed: number;
}

/**
 * The settings of a node.
 *
 * @throws {SystemError} as ioctl(2)
 */
export function readSettings(fd: number): NodeSettings {
  return { mode: readMode(fd), bitsPerWord: readBitsPerWord(fd), speed: readMaxSpeed(fd) };
}

/**
 * What the settings of a node say that it can do, without trying anything: what it is set to, and
 * no more.
 */
export function limitsOf({ mode, bitsPerWord, speed }: NodeSettings): Limits {
  const lines = (dual: number, quad: number, octal: number) =>
    (mode & dual ? NBITS_DUAL : 0) | (mode & quad ? NBITS_QUAD : 0) |
    (mode & octal ? NBITS_OCTAL : 0);
  return {
    ...DELAYS,
    chipSelects: 1,
    modeFunctions: (mode & SPI_CPHA ? FUNC_CPHA_1 : FUNC_CPHA_0) |
      (mode & SPI_CPOL ? FUNC_CPOL_1 : FUNC_CPOL_0) |
      (mode & SPI_CS_HIGH ? FUNC_CS_HIGH : 0) | (mode & SPI_LSB_FIRST ? FUNC_LSB_FIRST : 0) |
      (mode & SPI_LOOP ? FUNC_LOOP : 0),
    txNbits: lines(SPI_TX_DUAL, SPI_TX_QUAD, SPI_TX_OCTAL),
    rxNbits: lines(SPI_RX_DUAL, SPI_RX_QUAD, SPI_RX_OCTAL),
    bitsPerWordMask: (1 << ((bitsPerWord || 8) - 1)) >>> 0,
    maxFrequency: speed,
  };
}

/** Puts settings back; as far as the kernel lets it, which took them before. */
function restoreSettings(fd: number, settings: NodeSettings): void {
  writeMode(fd, settings.mode);
  writeBitsPerWord(fd, settings.bitsPerWord);
  if (settings.speed > 0) writeMaxSpeed(fd, settings.speed);
}

/** True if the node takes the mode and keeps all of it. */
function takesMode(fd: number, mode: number): boolean {
  return writeMode(fd, mode) === 0 && (readMode(fd) & mode) === mode;
}

function probeModes(fd: number, mode: number): number {
  const plain = mode & ~NBITS_MODES;
  let functions = 0;
  const probe = (set: number, clear: number, found: number) => {
    const wanted = (plain & ~clear) | set;
    if (takesMode(fd, wanted)) functions |= found;
  };
  probe(0, SPI_CPHA, FUNC_CPHA_0);
  probe(SPI_CPHA, 0, FUNC_CPHA_1);
  probe(0, SPI_CPOL, FUNC_CPOL_0);
  probe(SPI_CPOL, 0, FUNC_CPOL_1);
  // The level of rest of an active-high chip select is the one that selects an active-low chip.
  if (mode & SPI_CS_HIGH) functions |= FUNC_CS_HIGH;
  probe(SPI_LSB_FIRST, 0, FUNC_LSB_FIRST);
  probe(SPI_LOOP, 0, FUNC_LOOP);
  return functions;
}

function probeNbits(fd: number, mode: number, dual: number, quad: number, octal: number): number {
  const plain = mode & ~NBITS_MODES;
  return (takesMode(fd, plain | dual) ? NBITS_DUAL : 0) |
    (takesMode(fd, plain | quad) ? NBITS_QUAD : 0) |
    (takesMode(fd, plain | octal) ? NBITS_OCTAL : 0);
}

function probeBitsPerWord(fd: number): number {
  let mask = 0;
  for (let bits = 1; bits <= 32; bits++) {
    if (writeBitsPerWord(fd, bits) === 0) mask |= 1 << (bits - 1);
  }
  // A controller that does not say what it can do takes anything.
  return mask === -1 && writeBitsPerWord(fd, 33) === 0 ? 0 : mask >>> 0;
}

/**
 * Finds out what a node can do by setting it, and leaves it as it was. An active-low chip is never
 * selected by that.
 *
 * @throws {SystemError} as ioctl(2)
 */
export function probe(fd: number): Limits {
  const settings = readSettings(fd);
  const { mode, speed } = settings;
  try {
    return {
      ...DELAYS,
      chipSelects: 1,
      modeFunctions: probeModes(fd, mode),
      txNbits: probeNbits(fd, mode, SPI_TX_DUAL, SPI_TX_QUAD, SPI_TX_OCTAL),
      rxNbits: probeNbits(fd, mode, SPI_RX_DUAL, SPI_RX_QUAD, SPI_RX_OCTAL),
      bitsPerWordMask: probeBitsPerWord(fd),
      maxFrequency: speed,
    };
  } finally {
    restoreSettings(fd, settings);
  }
}

/** What all of several chip selects of a bus can do; the frequency is that of the fastest. */
export function combine(limits: readonly Limits[]): Limits {
  const [first] = limits;
  const every = (field: "modeFunctions" | "txNbits" | "rxNbits") =>
    limits.reduce((common, one) => common & one[field], 0xff);
  const masks = limits.map((one) => one.bitsPerWordMask).filter((mask) => mask !== 0);
  const speeds = limits.map((one) => one.maxFrequency);
  return {
    ...first,
    chipSelects: limits.length,
    modeFunctions: every("modeFunctions"),
    txNbits: every("txNbits"),
    rxNbits: every("rxNbits"),
    bitsPerWordMask: masks.length === 0 ? 0 : masks.reduce((all, mask) => all & mask) >>> 0,
    maxFrequency: speeds.includes(0) ? 0 : Math.max(...speeds),
    chipFrequencies: speeds,
  };
}
