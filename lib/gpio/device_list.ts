/**
 * The grammar of a device list, for example `0:s8:gpiochip3[4,17,20-27]:"INT3450:00"`.
 *
 * Entries are separated by colons. One that is in double quotes may contain colons and brackets
 * itself, and is always the name of something real. Lines in brackets are numbers, ranges of
 * numbers, or names, separated by commas.
 *
 * @module
 */

import { readInteger } from "../text/numbers.ts";
import { UsageError } from "../errors.ts";

/** One entry. */
export interface DeviceEntry {
  /** Without quotes and lines. */
  readonly device: string;
  readonly quoted: boolean;
  /** What is in the brackets, in order, ranges written out. */
  readonly lines: readonly (number | string)[] | undefined;
  /** As it was written. */
  readonly source: string;
}

/** Line numbers are 16 bits wide in the kernel. */
const MAX_OFFSET = 65535;

// A device, quoted or not; its lines; then the end of the entry.
const ENTRY = /(?:"([^"]*)"|([^:["\]]*))(?:\[([^\]]*)\])?(?=:|$)/y;

function readLines(text: string, refuse: (why: string) => UsageError): (number | string)[] {
  return text.split(",").flatMap((item): (number | string)[] => {
    const word = item.trim();
    if (word === "") throw refuse(`'[${text}]' has an empty place between its commas`);
    const [first, last = first] = (/^(\d+)(?:-(\d+))?$/.exec(word) ?? []).slice(1)
      .filter((part) => part !== undefined).map((part) => readInteger(part) ?? Infinity);
    if (first === undefined) return [word];
    if (last > MAX_OFFSET) throw refuse(`'${word}' is beyond ${MAX_OFFSET}, the last line of all`);
    if (last < first) throw refuse(`the range '${word}' runs backwards`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/**
 * Takes a device list apart.
 *
 * @param form what an entry is expected to look like, for messages
 * @throws {UsageError} if it is not of this grammar
 */
export function splitDeviceList(list: string, form: string): DeviceEntry[] {
  const refuse = (why: string) => new UsageError(`device list '${list}': ${why}, expected ${form}`);
  const entries: DeviceEntry[] = [];
  let at = 0;
  do {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(list);
    if (match === null) {
      const rest = list.slice(at);
      throw refuse(`'${rest}' has a quote or a bracket without its counterpart`);
    }
    const [source, quoted, plain, lines] = match;
    if (source === "") throw refuse("an entry is empty");
    const device = quoted ?? plain;
    if (device === "") throw refuse(`'${source}' does not name a chip`);
    entries.push({
      device,
      quoted: quoted !== undefined,
      lines: lines === undefined ? undefined : readLines(lines, refuse),
      source,
    });
    at = ENTRY.lastIndex + 1;
  } while (at <= list.length);
  return entries;
}
