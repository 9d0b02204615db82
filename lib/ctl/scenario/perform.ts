/**
 * A step within another one.
 *
 * @module
 */

import type { Stage } from "./stage.ts";
import { type Step, StepFailure } from "./step.ts";

/**
 * Does a step.
 *
 * @throws {StepFailure} that says which it was
 */
export async function perform(stage: Stage, step: Step): Promise<void> {
  stage.end.throwIfAborted();
  try {
    await step.run(stage);
  } catch (error) {
    if (!(error instanceof StepFailure) || stage.end.aborted) throw error;
    throw new StepFailure(`${error.expected} (line ${step.line})`, error.seen);
  }
}
