/**
 * `set`: change properties.
 *
 * @module
 */

import { putJson } from "../output.ts";
import { readValue, splitAssignment } from "../values.ts";
import type { Verb } from "../verb.ts";

export const set: Verb = {
  name: "set",
  operands: "NAME=VALUE...",
  least: 1,
  most: Infinity,
  help: "set properties",
  details: "In the order in which they are given. Nothing is set where a name is wrong, or a " +
    "value is none for its property. A line takes 1, on and active, or 0, off and inactive.",
  options: [],
  prepare: ({ operands, json }) => {
    const assignments = operands.map(splitAssignment);
    return (daemons) => {
      const found = assignments.map(({ name, value: text }) => {
        const at = daemons.property(name);
        return { ...at, value: readValue(name, at.property, text) };
      });
      // One after the other: the same property may be set twice.
      for (const { daemon, name, value } of found) {
        daemon.client.call("set", { values: { [name]: value } });
      }
      if (json) putJson(Object.fromEntries(found.map(({ written, value }) => [written, value])));
    };
  },
};
