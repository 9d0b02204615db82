/**
 * For how long something is watched: for a time, while other steps are done, or from then on.
 *
 * @module
 */

import { showTime } from "../quantities.ts";
import { readTimeNode } from "./read_time.ts";
import { perform } from "./perform.ts";
import type { Reading, Step, StepOptions } from "./step.ts";
import type { Stage } from "./stage.ts";
import type { World } from "./world.ts";

interface SpanHead {
  /** For people, with a blank in front. */
  readonly shown: string;
  /** Finds what steps within it name. */
  check(world: World): void;
}

/** A time in milliseconds. */
interface TimeSpan extends SpanHead {
  readonly kind: "time";
  readonly milliseconds: number;
}

/** As long as these steps take. */
interface StepsSpan extends SpanHead {
  readonly kind: "steps";
  readonly steps: readonly Step[];
}

/** Until the scenario ends. */
interface OpenSpan extends SpanHead {
  readonly kind: "open";
}

/** Any of them. */
export type Span = TimeSpan | StepsSpan | OpenSpan;

/** Reads the options `for` and `during`. */
export function readSpan({ for: time, during }: StepOptions, reading: Reading): Span {
  if (time !== undefined && during !== undefined) {
    during.fail("'for' and 'during' exclude each other; a step of 'during' may be 'sleep'");
  }
  if (time !== undefined) {
    const milliseconds = readTimeNode(time);
    return { kind: "time", shown: ` for ${showTime(milliseconds)}`, check() {}, milliseconds };
  }
  if (during === undefined) return { kind: "open", shown: " from here on", check() {} };
  const steps = reading.steps(during);
  const check = (world: World) => steps.forEach((step) => step.check?.(world));
  return { kind: "steps", shown: ` during ${steps.length} steps`, check, steps };
}

/**
 * Looks at each change, as long as it is to be.
 *
 * @param look throws where it is not as it should be
 */
export async function spend(stage: Stage, span: Span, look: () => void): Promise<void> {
  if (span.kind === "time") {
    await stage.until(span.milliseconds, () => {
      look();
      return false;
    });
    return;
  }
  const end = stage.guard(look);
  if (span.kind === "open") return;
  try {
    for (const step of span.steps) await perform(stage, step);
  } finally {
    end();
  }
}
