/**
 * What goes through the virtqueue of an I2C adapter.
 *
 * A request is a chain of three parts: a header that the device reads, data that it reads or
 * writes (absent for zero-length requests), and one byte of status that it writes last.
 *
 * ```
 * struct virtio_i2c_out_hdr {
 *     le16 addr;       // see decodeAddress
 *     le16 padding;
 *     le32 flags;      // FLAG_FAIL_NEXT, FLAG_READ; the others are reserved
 * };
 * u8 buf[];
 * struct virtio_i2c_in_hdr { u8 status; };
 * ```
 *
 * Source: virtio specification, "I2C Adapter Device".
 *
 * @module
 */

/** The virtio device id. */
export const I2C_DEVICE_ID = 34;
/** Requests may have no data, and say by a flag whether they read. */
export const F_ZERO_LENGTH_REQUEST = 1n << 0n;

/** The size of the header, in bytes. */
export const HEADER_SIZE = 8;
/** The next request belongs to the same transaction, and fails if this one does. */
export const FLAG_FAIL_NEXT = 1;
/** The request reads. */
export const FLAG_READ = 2;

export const STATUS_OK = 0;
export const STATUS_ERR = 1;

/**
 * Addresses as one number: 7-bit addresses as they are, 10-bit addresses from here on.
 *
 * Everything in `lib/i2c` speaks of addresses in this form.
 */
export const TEN_BIT = 128;
/** How many such numbers there are. */
export const ADDRESS_COUNT = TEN_BIT + 1024;
/** The last address of each kind, as the bus has it. */
export const LAST_ADDRESS = TEN_BIT - 1;
export const LAST_TEN_BIT_ADDRESS = ADDRESS_COUNT - TEN_BIT - 1;

/**
 * Reads the `addr` field of a request.
 *
 * ```
 * bit      15 … 8    7  6  5  4  3  2  1  0
 * 7-bit    0         A6 … A0              0
 * 10-bit   A7 … A0   1  1  1  1  0  A9 A8 0
 * ```
 *
 * @returns the address, or -1 for a field of another form. With nothing in the upper byte it is
 * taken for a 7-bit address: those from 0x78 to 0x7b look like the 10-bit addresses 0x000, 0x100,
 * 0x200 and 0x300
 */
export function decodeAddress(field: number): number {
  if (field & 1) return -1;
  if (field <= 0xff) return field >> 1;
  if ((field & 0xf8) !== 0xf0) return -1;
  return TEN_BIT + ((field & 6) << 7 | field >> 8);
}

/** The clock of a bus of the standard mode in Hz, where nothing else is known. */
export const STANDARD_FREQUENCY = 100_000;

/** True for a 10-bit address. */
export function isTenBit(address: number): boolean {
  return address >= TEN_BIT;
}

/** The bits of an address as they appear on the bus. */
export function addressBits(address: number): number {
  return address >= TEN_BIT ? address - TEN_BIT : address;
}

/** An address for people, for example `0x50`. */
export function addressText(address: number): string {
  return isTenBit(address)
    ? `0x${addressBits(address).toString(16).padStart(3, "0")} (10-bit)`
    : `0x${address.toString(16).padStart(2, "0")}`;
}

/** True for 7-bit addresses that have a purpose of their own on any bus. */
export function isReserved(address: number): boolean {
  return address <= 2 || (address > 0x77 && address < TEN_BIT);
}
