/**
 * `get`: what properties are now.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { put, putJson } from "../output.ts";
import { showValue } from "../values.ts";
import type { Verb } from "../verb.ts";

export const get: Verb = {
  name: "get",
  operands: "NAME...",
  least: 1,
  most: Infinity,
  help: "print what properties are now",
  details: "A line NAME=VALUE for each. The name of a line alone stands for its value.",
  options: [],
  prepare: ({ operands, json }) => (daemons) => {
    const properties = operands.map((name) => daemons.property(name));
    for (const { written, property } of properties) {
      if (property.type !== "bytes") continue;
      throw new UsageError(`'${written}' is bytes; use the commands 'read' and 'write'`);
    }
    const values = daemons.get(properties);
    if (json) {
      putJson(Object.fromEntries(operands.map((name, index) => [name, values[index] ?? null])));
      return;
    }
    properties.forEach(({ written, property }, index) =>
      put(`${written}=${showValue(property, values[index])}`)
    );
  },
};
