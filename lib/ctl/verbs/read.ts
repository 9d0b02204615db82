/**
 * `read`: the bytes of a part, to standard output.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { MAX_RANGE } from "../../control/protocol.ts";
import type { Property } from "../daemons.ts";
import { putBytes, putJson } from "../output.ts";
import { readRange } from "../quantities.ts";
import type { Verb } from "../verb.ts";

/** How many bytes a property has. */
export function bytesOf({ written, property }: Property): number {
  if (property.type === "bytes") return property.count ?? 0;
  throw new UsageError(`'${written}' has no bytes; use the commands 'get' and 'set'`);
}

/** Bytes that a daemon has told in hexadecimal. */
function decode(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

export const read: Verb = {
  name: "read",
  operands: "NAME",
  least: 1,
  most: 1,
  help: "copy the bytes of a part to standard output",
  details: "What an EEPROM or a flash contains, for example, or the registers of a part.",
  options: ["range"],
  prepare: ({ operands: [written], options, json }) => {
    const { at, length } = readRange(`${options.range ?? "0:"}`);
    return (daemons) => {
      const found = daemons.property(written);
      const count = bytesOf(found);
      const end = length === undefined ? count : at + length;
      if (at > count || end > count) {
        throw new UsageError(
          `option '--range' has the value '${options.range}', but '${written}' has ${count} bytes`,
        );
      }
      let all = "";
      for (let from = at; from < end; from += MAX_RANGE) {
        const params = { name: found.name, at: from, length: Math.min(MAX_RANGE, end - from) };
        const { data } = found.daemon.client.call("read", params) as { data: string };
        if (json) all += data;
        else putBytes(decode(data));
      }
      if (json) putJson({ name: written, at, length: end - at, data: all });
    };
  },
};
