/**
 * Numbers of the kernel's I2C interface: `linux/i2c.h`.
 *
 * @module
 */

/** What an adapter can do: `I2C_FUNC_…`. */
export const FUNC_I2C = 0x1;
export const FUNC_10BIT_ADDR = 0x2;
export const FUNC_SMBUS_BLOCK_PROC_CALL = 0x8000;
export const FUNC_SMBUS_QUICK = 0x10000;
export const FUNC_SMBUS_READ_BYTE = 0x20000;
export const FUNC_SMBUS_WRITE_BYTE = 0x40000;
export const FUNC_SMBUS_READ_BYTE_DATA = 0x80000;
export const FUNC_SMBUS_WRITE_BYTE_DATA = 0x100000;
export const FUNC_SMBUS_READ_WORD_DATA = 0x200000;
export const FUNC_SMBUS_WRITE_WORD_DATA = 0x400000;
export const FUNC_SMBUS_PROC_CALL = 0x800000;
export const FUNC_SMBUS_READ_BLOCK_DATA = 0x1000000;
export const FUNC_SMBUS_WRITE_BLOCK_DATA = 0x2000000;
export const FUNC_SMBUS_READ_I2C_BLOCK = 0x4000000;
export const FUNC_SMBUS_WRITE_I2C_BLOCK = 0x8000000;

/** Kinds of SMBus transactions: `I2C_SMBUS_…`. */
export const SMBUS_QUICK = 0;
export const SMBUS_BYTE = 1;
export const SMBUS_BYTE_DATA = 2;
export const SMBUS_WORD_DATA = 3;
export const SMBUS_PROC_CALL = 4;
export const SMBUS_BLOCK_DATA = 5;
export const SMBUS_BLOCK_PROC_CALL = 7;
export const SMBUS_I2C_BLOCK_DATA = 8;
/** The most bytes in a block. */
export const SMBUS_BLOCK_MAX = 32;
