/**
 * `inject`: let faults strike.
 *
 * @module
 */

import { locate } from "../conditions.ts";
import type { StepKind } from "../step.ts";
import type { World } from "../world.ts";
import { UsageError } from "../../../errors.ts";

export const inject: StepKind = {
  name: "inject",
  options: ["count"],
  read(value, options) {
    const faults = value.entries("a mapping from things to faults").map(({ key, value }) => ({
      name: key.word("a name"),
      fault: value.word("a fault"),
      node: value,
    }));
    const count = options.count?.integer(0, 1_000_000_000) ?? 1;
    const find = (world: World) =>
      faults.map(({ name, fault, node }) =>
        locate(node, () => {
          const found = world.thing(name);
          const known: readonly string[] = found.thing.faults;
          if (known.includes(fault)) return { ...found, fault };
          const all = known.join(", ") || "none";
          throw new UsageError(`'${name}' has no fault '${fault}'; it has ${all}`);
        })
      );
    const shown = faults.map(({ name, fault }) => `${fault} of ${name}`).join(", ");
    return {
      title: `inject ${shown}${options.count === undefined ? "" : `, ${count} times`}`,
      check: (world) => void find(world),
      async run({ world }) {
        for (const { daemon, thing, fault } of find(world)) {
          await daemon.client.ask("inject", { thing: thing.name, fault, count });
        }
      },
    };
  },
};
