/**
 * `pulse`: change a property for a time.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { putJson } from "../output.ts";
import { readTime } from "../quantities.ts";
import { readValue, splitAssignment } from "../values.ts";
import type { Verb } from "../verb.ts";

/** The longest pulse in milliseconds. */
const LONGEST = 3_600_000;
/** How long the reply may take after it, in milliseconds. */
const PATIENCE = 30_000;

export const pulse: Verb = {
  name: "pulse",
  operands: "NAME[=VALUE]",
  least: 1,
  most: 1,
  help: "set a property for a time, then back to what it was",
  details: "Without a value a line is the other way round meanwhile. It takes as long as the " +
    "pulse does, which the daemon ends: also where the program is interrupted.",
  options: ["for"],
  prepare: ({ operands: [operand], options, json }) => {
    if (options.for === undefined) {
      throw new UsageError("'pulse' does not say how long; add --for and a time, such as 50ms");
    }
    const milliseconds = Math.round(readTime("for", `${options.for}`));
    if (milliseconds < 1 || milliseconds > LONGEST) {
      throw new UsageError(
        `option '--for' has the value '${options.for}', expected a time from 1ms to 1h`,
      );
    }
    const { name: written, value: text } = operand.includes("=")
      ? splitAssignment(operand)
      : { name: operand, value: undefined };
    return (daemons) => {
      const { daemon, name, property } = daemons.property(written);
      const value = text === undefined ? undefined : readValue(written, property, text);
      const params = { name, milliseconds, value };
      daemon.client.call("pulse", params, milliseconds + PATIENCE);
      if (json) putJson({ name: written, milliseconds, ...(value !== undefined && { value }) });
    };
  },
};
