/**
 * `write`: the bytes of a part, from standard input.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { hexadecimal, MAX_RANGE } from "../../control/protocol.ts";
import { putJson, takeBytes } from "../output.ts";
import { readCount } from "../quantities.ts";
import type { Verb } from "../verb.ts";
import { bytesOf } from "./read.ts";

export const write: Verb = {
  name: "write",
  operands: "NAME",
  least: 1,
  most: 1,
  help: "copy standard input to the bytes of a part",
  details: "Nothing is written where there are more of them than the part has room for.",
  options: ["at"],
  prepare: ({ operands: [written], options, json }) => {
    const at = options.at === undefined ? 0 : readCount("at", `${options.at}`, 0);
    return (daemons) => {
      const found = daemons.property(written);
      const count = bytesOf(found);
      const bytes = takeBytes();
      if (at + bytes.length > count) {
        throw new UsageError(
          `standard input has ${bytes.length} bytes, but from ${at} on '${written}' has room ` +
            `for ${Math.max(0, count - at)}`,
        );
      }
      for (let from = 0; from < bytes.length; from += MAX_RANGE) {
        const data = hexadecimal(bytes.subarray(from, from + MAX_RANGE));
        found.daemon.client.call("write", { name: found.name, at: at + from, data });
      }
      if (json) putJson({ name: written, at, length: bytes.length });
    };
  },
};
