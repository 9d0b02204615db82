/**
 * `run`: a command of the host.
 *
 * @module
 */

import { showTime } from "../../quantities.ts";
import { readMatcher } from "../matcher.ts";
import { showEnding } from "../processes.ts";
import { readTimeNode } from "../read_time.ts";
import { environmentOf } from "../start_one.ts";
import { StepFailure, type StepKind } from "../step.ts";

/** Of what it printed, so many lines are shown. */
const SHOWN_LINES = 10;

export const run: StepKind = {
  name: "run",
  options: ["within", "status", "prints"],
  read(value, options, reading) {
    const command = value.string("a command as for a shell");
    const within = options.within === undefined ? reading.within : readTimeNode(options.within);
    const status = options.status?.integer(0, 255) ?? 0;
    const prints = options.prints && readMatcher(options.prints);
    const [first, ...more] = command.trim().split("\n");
    const title = `run ${first}${more.length > 0 ? " ..." : ""}`;
    return {
      title,
      async run(stage) {
        const { processes, scenario } = stage;
        const name = `run-${value.line}`;
        const process = processes.launch({
          name,
          command: ["sh", "-c", command],
          folder: scenario.folder,
          environment: environmentOf(stage),
          takesInput: false,
          log: stage.log(name),
        });
        process.isDismissed = true;
        try {
          const over = await stage.until(within, () => process.ended !== undefined);
          const { ended, output } = process;
          const printed = output.tail(SHOWN_LINES).map((line) => `\n  | ${line}`).join("");
          const expected = status === 0 ? title : `${title}, with exit status ${status}`;
          if (!over) {
            throw new StepFailure(`${expected} within ${showTime(within)}`, `it runs on${printed}`);
          }
          if (ended!.signal !== null || ended!.code !== status) {
            throw new StepFailure(expected, `it ended with ${showEnding(ended!)}${printed}`);
          }
          if (prints !== undefined && !output.has(prints, 0)) {
            throw new StepFailure(
              `${title} to print ${prints.shown}`,
              `it printed${printed || " nothing"}`,
            );
          }
        } finally {
          await process.end();
        }
      },
    };
  },
};
