/**
 * `repeat`: do steps several times.
 *
 * @module
 */

import { perform } from "../perform.ts";
import { StepFailure, type StepKind } from "../step.ts";

/** More is no test any more. */
const MOST = 1_000_000;

export const repeat: StepKind = {
  name: "repeat",
  options: ["steps"],
  read(value, options, reading) {
    const times = value.integer(1, MOST);
    if (options.steps === undefined) return value.fail("does not say what; add 'steps'");
    const steps = reading.steps(options.steps);
    return {
      title: `repeat ${times} times: ${steps.map(({ title }) => title).join("; ")}`,
      check: (world) => steps.forEach((step) => step.check?.(world)),
      async run(stage) {
        for (let round = 1; round <= times; round++) {
          try {
            for (const step of steps) await perform(stage, step);
          } catch (error) {
            if (!(error instanceof StepFailure) || stage.end.aborted) throw error;
            throw new StepFailure(`${error.expected}, round ${round} of ${times}`, error.seen);
          }
        }
      },
    };
  },
};
