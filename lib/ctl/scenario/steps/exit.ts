/**
 * `exit`: until a program ends by itself.
 *
 * @module
 */

import { showTime } from "../../quantities.ts";
import { showEnding } from "../processes.ts";
import { readTimeNode } from "../read_time.ts";
import { StepFailure, type StepKind } from "../step.ts";

export const exit: StepKind = {
  name: "exit",
  options: ["within"],
  read(value, options, reading) {
    const all = value.entries("a mapping from names to exit statuses").map(({ key, value }) => ({
      name: reading.started(key),
      status: value.isNumber ? value.integer(0, 255) : value.choice(["any"]),
    }));
    const within = options.within === undefined ? reading.within : readTimeNode(options.within);
    const title = `exit ${all.map(({ name, status }) => `${name}=${status}`).join(" ")}`;
    return {
      title,
      async run(stage) {
        for (const { name } of all) stage.processes.get(name).isDismissed = true;
        const over = await stage.until(within, () =>
          all.every(({ name, status }) => {
            const { ended } = stage.processes.get(name);
            if (ended === undefined) return false;
            const isRight = status === "any" || ended.signal === null && ended.code === status;
            if (isRight) return true;
            throw new StepFailure(title, `'${name}' has ended with ${showEnding(ended)}`);
          }));
        if (over) return;
        const running = all.filter(({ name }) => stage.processes.get(name).ended === undefined);
        throw new StepFailure(
          `${title} within ${showTime(within)}`,
          `${running.map(({ name }) => `'${name}'`).join(" and ")} still runs`,
        );
      },
    };
  },
};
