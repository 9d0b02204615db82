/**
 * `never`: something is not printed, or properties are never all that.
 *
 * @module
 */

import { showTime } from "../../quantities.ts";
import { checkClaim, find, readClaim, unmet } from "../claim.ts";
import { clock } from "../clock.ts";
import { readSpan, spend } from "../span.ts";
import { StepFailure, type StepKind } from "../step.ts";

export const never: StepKind = {
  name: "never",
  options: ["for", "during", "on"],
  read(value, options, reading) {
    const claim = readClaim(value, options, reading);
    const span = readSpan(options, reading);
    const title = `never ${claim.shown}${span.shown}`;
    const expected = `${title} (line ${value.line})`;
    return {
      title,
      check: (world) => {
        checkClaim(world, claim);
        span.check(world);
      },
      async run(stage) {
        const begin = clock();
        const after = () => `after ${showTime(clock() - begin)}`;
        if (claim.kind === "console") {
          // It may be looked for before it runs.
          const position = stage.processes.find(claim.console)?.console.position ?? 0;
          return await spend(stage, span, () => {
            const console = stage.processes.find(claim.console)?.console;
            if (console?.has(claim.matcher, position)) {
              throw new StepFailure(expected, `it was printed ${after()}`);
            }
          });
        }
        const { world } = stage;
        const found = find(world, claim);
        await world.update(found.map(({ property }) => property));
        await spend(stage, span, () => {
          if (unmet(world, found) === "") throw new StepFailure(expected, `so it was ${after()}`);
        });
      },
    };
  },
};
