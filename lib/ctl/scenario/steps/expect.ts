/**
 * `expect`: until something is printed, or properties are what they are to be.
 *
 * @module
 */

import { showTime } from "../../quantities.ts";
import { checkAlive, checkClaim, checkGuests, find, readClaim, Seen, unmet } from "../claim.ts";
import { readTimeNode } from "../read_time.ts";
import { StepFailure, type StepKind } from "../step.ts";

/** How often properties are asked for that may change without a word, in milliseconds. */
const AGAIN = 250;

export const expect: StepKind = {
  name: "expect",
  options: ["within", "on"],
  read(value, options, reading) {
    const claim = readClaim(value, options, reading);
    const within = options.within === undefined ? reading.within : readTimeNode(options.within);
    const limit = ` within ${showTime(within)}`;
    return {
      title: `expect ${claim.shown}${options.within === undefined ? "" : limit}`,
      check: (world) => checkClaim(world, claim),
      async run(stage) {
        if (claim.kind === "console") {
          const console = stage.console(claim.console);
          const comes = await stage.until(within, () => {
            if (console.take(claim.matcher)) return true;
            checkAlive(stage, claim.console, claim.shown + limit);
            return false;
          });
          if (!comes) {
            throw new StepFailure(claim.shown + limit, "it was not printed");
          }
          return;
        }
        const { world } = stage;
        const found = find(world, claim);
        const properties = found.map(({ property }) => property);
        await world.update(properties);
        const seen = new Seen();
        const again = setInterval(() => world.update(properties).catch(() => {}), AGAIN);
        try {
          const comes = await stage.until(within, () => {
            seen.look(world, found);
            if (unmet(world, found) === "") return true;
            checkGuests(stage, claim.shown + limit);
            return false;
          });
          if (!comes) throw new StepFailure(claim.shown + limit, seen.show(world, found));
        } finally {
          clearInterval(again);
        }
      },
    };
  },
};
