/**
 * The parameters by which drivers know a flash: JESD216 revision B, "Serial Flash Discoverable
 * Parameters".
 *
 * @module
 */

/** Addresses of three bytes reach so far. */
const SHORT_ADDRESSES = 2 ** 24;

/** What the tables say. */
export interface SfdpSettings {
  /** Of the flash in bytes. */
  readonly size: number;
  /** How long it takes to erase a sector or block, in milliseconds. */
  readonly eraseMilliseconds: number;
  /** How long it takes to program a page, in microseconds. */
  readonly programMicroseconds: number;
}

/** A count of 1 to 32 with a unit, in 7 bits: the shortest time that is not shorter. */
function duration(time: number, units: readonly number[]): number {
  const found = units.findIndex((unit) => time <= 32 * unit);
  const index = found < 0 ? units.length - 1 : found;
  const count = Math.min(32, Math.max(1, Math.ceil(time / units[index])));
  return (index << 5) | (count - 1);
}

/** Mode clocks, wait states and code of a fast read. */
function read(code: number, modeClocks: number, waitStates: number): number {
  return (code << 8) | (modeClocks << 5) | waitStates;
}

/** The basic flash parameter table: 16 words of 32 bits. */
function basicTable({ size, eraseMilliseconds, programMicroseconds }: SfdpSettings): number[] {
  const long = size > SHORT_ADDRESSES;
  const erase = duration(eraseMilliseconds, [1, 16, 128, 1000]);
  const program = duration(programMicroseconds, [8, 64]);
  const chip = duration(eraseMilliseconds * size / 65536, [16, 256, 4000, 64000]);
  return [
    // Erases of 4 KiB with 20h; writes of 64 bytes and more; fast reads over 1-1-2, 1-2-2, 1-4-4
    // and 1-1-4 lines; addresses of 3 bytes, or of 3 or 4.
    0xff8020e5 | (1 << 16) | ((long ? 1 : 0) << 17) | (1 << 20) | (1 << 21) | (1 << 22),
    8 * size - 1,
    (read(0x6b, 0, 8) << 16) | read(0xeb, 2, 4),
    (read(0xbb, 4, 0) << 16) | read(0x3b, 0, 8),
    // Neither 2-2-2 nor 4-4-4.
    0xffffffee,
    0xff00ffff,
    0xff00ffff,
    // Erases of 4, 32 and 64 KiB.
    (0x520f << 16) | 0x200c,
    0xd810,
    (erase << 18) | (erase << 11) | (erase << 4) | 1,
    // Pages of 256 bytes.
    0x80000000 | (chip << 24) | (program << 8) | (8 << 4) | 1,
    // Nothing can be suspended; there is no deep power-down; status is polled with 05h.
    0x80000000,
    0,
    0x80000007,
    // Quad enable is bit 1 of status register 2, read with 35h, written with 01h and two bytes.
    0xff000000 | (5 << 20),
    // Reset by 66h and 99h; long addresses by b7h and e9h, or commands of their own.
    (1 << 12) | 1 | (long ? (1 << 24) | (1 << 29) | (1 << 14) : 0),
  ];
}

/** Which commands there are with 4-byte addresses, and the codes of those that erase. */
function longAddressTable(): number[] {
  const commands = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11];
  return [commands.reduce((mask, bit) => mask | (1 << bit), 0), 0xffdc5c21];
}

const HEADER = 8;
const BASIC = { id: 0xff00, minor: 6 };
const LONG_ADDRESSES = { id: 0xff84, minor: 0 };

/** All of it, as the chip tells it. */
export function sfdp(settings: SfdpSettings): Uint8Array {
  const tables = [{ ...BASIC, words: basicTable(settings) }];
  if (settings.size > SHORT_ADDRESSES) {
    tables.push({ ...LONG_ADDRESSES, words: longAddressTable() });
  }
  const start = HEADER * (1 + tables.length);
  const length = tables.reduce((sum, { words }) => sum + 4 * words.length, start);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("SFDP"));
  bytes.set([6, 1, tables.length - 1, 0xff], 4);
  let at = start;
  tables.forEach(({ id, minor, words }, index) => {
    const header = [id & 0xff, minor, 1, words.length, at & 0xff, at >> 8, 0, id >> 8];
    bytes.set(header, HEADER * (1 + index));
    for (const word of words) {
      view.setUint32(at, word >>> 0, true);
      at += 4;
    }
  });
  return bytes;
}
