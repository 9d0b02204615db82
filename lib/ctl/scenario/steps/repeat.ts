/**
 * `repeat`: do steps several times.
 *
 * @module
 */

import { perform } from "../perform.ts";
import { StepFailure, type StepKind } from "../step.ts";

/** So many of its steps are in its title. */
const SHOWN_STEPS = 3;
/** More is no test any more. */
const MOST = 1_000_000;

export const repeat: StepKind = {
  name: "repeat",
  options: ["steps"],
  read(value, options, reading) {
    const times = value.integer(1, MOST);
    if (options.steps === undefined) return value.fail("does not say what; add 'steps'");
    const steps = reading.steps(options.steps);
    const shown = steps.slice(0, SHOWN_STEPS).map(({ title }) => title).join("; ");
    return {
      title: `repeat ${times} times: ${shown}${steps.length > SHOWN_STEPS ? "; ..." : ""}`,
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
