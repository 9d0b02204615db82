/**
 * `set`: change properties.
 *
 * @module
 */

import { findAssignment, readAssignments } from "../assignments.ts";
import type { StepKind } from "../step.ts";

export const set: StepKind = {
  name: "set",
  options: [],
  read(value) {
    const assignments = readAssignments(value);
    return {
      title: `set ${assignments.map(({ name, text }) => `${name}=${text}`).join(" ")}`,
      check: (world) => assignments.forEach((one) => findAssignment(world, one)),
      async run({ world }) {
        for (const assignment of assignments) {
          const { daemon, name, value } = findAssignment(world, assignment);
          await daemon.client.ask("set", { values: { [name]: value } });
        }
      },
    };
  },
};
