/**
 * `inject`: let faults strike.
 *
 * @module
 */

import { putJson } from "../output.ts";
import { readCount } from "../quantities.ts";
import type { Verb } from "../verb.ts";

export const inject: Verb = {
  name: "inject",
  operands: "THING FAULT",
  least: 2,
  most: 2,
  help: "let a fault strike a part",
  details:
    "Faults are nak (the address is not acknowledged), fail (the transfer fails) and wrong " +
    "(a wrong byte); which of them a part has is told by 'info' and its name.",
  options: ["count"],
  prepare: ({ operands: [written, fault], options, json }) => {
    const count = options.count === undefined ? 1 : readCount("count", `${options.count}`, 0);
    return (daemons) => {
      const { daemon, thing } = daemons.thing(written);
      daemon.client.call("inject", { thing: thing.name, fault, count });
      if (json) putJson({ thing: written, fault, count });
    };
  },
};
