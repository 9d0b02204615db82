/**
 * The kinds of events that a guest's thread tells of, and what their numbers mean.
 *
 * @module
 */

/** `first`: a {@linkcode GuestState}. */
export const GUEST = 1;
/**
 * A message of an I2C transaction. `first`: the address; `second`: `I2C_…` flags; `third`: how many
 * bytes the message has; `fourth`: how long the transaction has taken, in microseconds. The data are
 * its first bytes.
 */
export const I2C_MESSAGE = 2;
/**
 * An SPI transfer. `first`: the chip select; `second`: what `SPI_…` says of it; `third`: how many
 * bytes it has, from these on; `fourth`: the frequency in Hz. The data are the first bytes that were
 * sent, then as many that were received, each where there are some. Where all bytes are wanted,
 * further events have those that one does not carry.
 */
export const SPI_TRANSFER = 3;
/** A chip that a transfer has left selected is not any more. */
export const SPI_RELEASE = 4;
/**
 * An interrupt of a GPIO line. `first`: the line; `second`: 1 as the guest is told of it, 0 as the
 * guest is ready for the next.
 */
export const GPIO_INTERRUPT = 5;

/** What a guest is at. */
export const GUEST_WAITING = 0;
export const GUEST_CONNECTED = 1;
export const GUEST_READY = 2;

/** Flags of an I2C message. */
export const I2C_READ = 1;
export const I2C_FAILED = 2;
/** It is the first, the last of its transaction. */
export const I2C_FIRST = 4;
export const I2C_LAST = 8;
export const I2C_TEN_BIT = 16;

/** Flags of an SPI transfer: how it ended, what it had, and its mode. */
export const SPI_FAILED = 1;
export const SPI_SENT = 2;
export const SPI_RECEIVED = 4;
export const SPI_CPHA = 8;
export const SPI_CPOL = 16;
export const SPI_CS_HIGH = 32;
export const SPI_LSB_FIRST = 64;
/** The chip stays selected. */
export const SPI_HELD = 128;
/** It is not the first piece of a transfer that has more bytes than an event carries. */
export const SPI_MORE = 1 << 24;
/** In the same word: bits per word, and the data lines in each direction. */
export const SPI_WORD_SHIFT = 8;
export const SPI_TX_SHIFT = 16;
export const SPI_RX_SHIFT = 20;

/** The most bytes of a message, or of a transfer in each direction, that an event carries. */
export const EVENT_DATA = 65536;
