/**
 * `hold`: properties stay what they are to be.
 *
 * @module
 */

import { showTime } from "../../quantities.ts";
import { checkClaim, find, readPropertyClaim, unmet } from "../claim.ts";
import { clock } from "../clock.ts";
import { readSpan, spend } from "../span.ts";
import { readTimeNode } from "../read_time.ts";
import { StepFailure, type StepKind } from "../step.ts";

export const hold: StepKind = {
  name: "hold",
  options: ["for", "within", "during"],
  read(value, options, reading) {
    const claim = readPropertyClaim(value, options);
    const span = readSpan(options, reading);
    const { within: withinNode } = options;
    const within = withinNode === undefined ? 0 : readTimeNode(withinNode);
    if (withinNode !== undefined && span.kind !== "time") {
      withinNode.fail("it says when the time of 'for' has to begin at the latest; add 'for'");
    }
    return {
      title: `hold ${claim.shown}${span.shown}`,
      check: (world) => {
        checkClaim(world, claim);
        span.check(world);
      },
      async run(stage) {
        const { world } = stage;
        const found = find(world, claim);
        await world.update(found.map(({ property }) => property));
        const expected = `${claim.shown}${span.shown} (line ${value.line})`;
        if (span.kind === "time" && withinNode !== undefined) {
          let since: number | undefined, longest = 0;
          const holds = await stage.until(within + span.milliseconds, (now) => {
            if (unmet(world, found) !== "") {
              if (since !== undefined) longest = Math.max(longest, now - since);
              since = undefined;
              return false;
            }
            since ??= now;
            return now - since >= span.milliseconds || span.milliseconds - (now - since);
          });
          if (holds) return;
          const seen = unmet(world, found) || "it came too late";
          throw new StepFailure(
            `${expected} within ${showTime(within)}`,
            longest === 0 ? seen : `${seen}; it held for ${showTime(longest)} at most`,
          );
        }
        const begin = clock();
        await spend(stage, span, () => {
          const seen = unmet(world, found);
          if (seen === "") return;
          throw new StepFailure(expected, `${seen} after ${showTime(clock() - begin)}`);
        });
      },
    };
  },
};
