/**
 * The commands of a simulated NOR flash (data sheets of the Winbond W25Q series).
 *
 * @module
 */

/** What a command does. */
export const READ = 1;
export const PROGRAM = 2;
export const ERASE = 3;
export const ERASE_CHIP = 4;
export const READ_ID = 5;
export const READ_SFDP = 6;
export const READ_STATUS = 7;
export const WRITE_STATUS = 8;
export const ENABLE_WRITE = 9;
export const ENABLE_STATUS_WRITE = 10;
export const DISABLE_WRITE = 11;
export const SET_LONG_ADDRESSES = 12;
export const READ_BANK = 13;
export const WRITE_BANK = 14;
export const ENABLE_RESET = 15;
export const RESET = 16;

/** A command. */
export interface Command {
  readonly action: number;
  /** Bytes of its address: 3, which are 4 in the mode of long addresses, or always 4. */
  readonly address: 0 | 3 | 4;
  /** Bytes between address and data. */
  readonly dummy: number;
  readonly data: "none" | "read" | "write";
  /** It goes over four lines, which have to be enabled. */
  readonly quad: boolean;
  /** Bytes to erase, or the number of a status register, or whether to set something. */
  readonly value: number;
}

const KIB = 1024;
const known = new Map<number, Command>();

function define(code: number, command: Partial<Command> & { readonly action: number }): void {
  known.set(code, { address: 0, dummy: 0, data: "none", quad: false, value: 0, ...command });
}

// Reads, with 3-byte addresses and with 4-byte ones.
for (
  const [short, long, dummy, quad] of [
    [0x03, 0x13, 0, false],
    [0x0b, 0x0c, 1, false],
    [0x3b, 0x3c, 1, false],
    [0x6b, 0x6c, 1, true],
    // Mode bits take a byte, and four clocks over four lines take two.
    [0xbb, 0xbc, 1, false],
    [0xeb, 0xec, 3, true],
  ] as const
) {
  define(short, { action: READ, address: 3, dummy, data: "read", quad });
  define(long, { action: READ, address: 4, dummy, data: "read", quad });
}
for (const [short, long, quad] of [[0x02, 0x12, false], [0x32, 0x34, true]] as const) {
  define(short, { action: PROGRAM, address: 3, data: "write", quad });
  define(long, { action: PROGRAM, address: 4, data: "write", quad });
}
for (const [short, long, kib] of [[0x20, 0x21, 4], [0x52, 0x5c, 32], [0xd8, 0xdc, 64]] as const) {
  define(short, { action: ERASE, address: 3, value: kib * KIB });
  define(long, { action: ERASE, address: 4, value: kib * KIB });
}
for (const code of [0x60, 0xc7]) define(code, { action: ERASE_CHIP });
define(0x9f, { action: READ_ID, data: "read" });
define(0x5a, { action: READ_SFDP, address: 3, dummy: 1, data: "read" });
for (const [read, write, register] of [[0x05, 0x01, 0], [0x35, 0x31, 1], [0x15, 0x11, 2]]) {
  define(read, { action: READ_STATUS, data: "read", value: register });
  define(write, { action: WRITE_STATUS, data: "write", value: register });
}
define(0x06, { action: ENABLE_WRITE });
define(0x50, { action: ENABLE_STATUS_WRITE });
define(0x04, { action: DISABLE_WRITE });
define(0xb7, { action: SET_LONG_ADDRESSES, value: 1 });
define(0xe9, { action: SET_LONG_ADDRESSES, value: 0 });
define(0xc8, { action: READ_BANK, data: "read" });
define(0xc5, { action: WRITE_BANK, data: "write" });
define(0x66, { action: ENABLE_RESET });
define(0x99, { action: RESET });

const UNKNOWN: Command = {
  action: 0,
  address: 0,
  dummy: 0,
  data: "none",
  quad: false,
  value: 0,
};

/** The command of a code; one that does nothing where there is none. */
export function commandOf(code: number): Command {
  return known.get(code) ?? UNKNOWN;
}
