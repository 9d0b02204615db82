/**
 * `pulse`: change properties for a time.
 *
 * @module
 */

import { showTime } from "../../quantities.ts";
import { type Assignment, findAssignment, readAssignments } from "../assignments.ts";
import { locate } from "../conditions.ts";
import { readTimeNode } from "../read_time.ts";
import type { StepKind } from "../step.ts";
import type { Property, World } from "../world.ts";

/** How long the reply may take after it, in milliseconds. */
const PATIENCE = 30_000;
/** The longest pulse in milliseconds. */
const LONGEST = 3_600_000;

export const pulse: StepKind = {
  name: "pulse",
  options: ["for"],
  read(value, { for: time }) {
    if (time === undefined) {
      return value.fail("does not say how long; add 'for' with a time such as 50ms");
    }
    const milliseconds = Math.round(readTimeNode(time));
    if (milliseconds < 1 || milliseconds > LONGEST) time.fail("expected a time from 1ms to 1h");
    const assignments: readonly Assignment[] = value.isMapping ? readAssignments(value) : [];
    const name = value.isMapping ? "" : value.word("a name, or a mapping from names to values");
    const find = (world: World): (Property & { readonly value?: unknown })[] =>
      value.isMapping
        ? assignments.map((one) => findAssignment(world, one))
        : [locate(value, () => world.property(name))];
    const shown = value.isMapping
      ? assignments.map((one) => `${one.name}=${one.text}`).join(" ")
      : name;
    return {
      title: `pulse ${shown} for ${showTime(milliseconds)}`,
      check: (world) => void find(world),
      async run(stage) {
        const pulses = find(stage.world).map(({ daemon, name, value }) =>
          daemon.client.ask("pulse", { name, milliseconds, value }, milliseconds + PATIENCE)
        );
        await stage.whileRunning(Promise.all(pulses));
      },
    };
  },
};
