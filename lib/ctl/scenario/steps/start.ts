/**
 * `start` and `stop`: programs, while others go on.
 *
 * @module
 */

import { startOne } from "../start_one.ts";
import type { StepKind } from "../step.ts";

export const start: StepKind = {
  name: "start",
  options: [],
  read(value, _, reading) {
    const name = reading.started(value);
    return {
      title: `start ${name}`,
      run: async (stage) => {
        const start = stage.scenario.starts.find((start) => start.name === name)!;
        await stage.processes.find(name)?.end();
        await startOne(stage, start);
      },
    };
  },
};

export const stop: StepKind = {
  name: "stop",
  options: [],
  read(value, _, reading) {
    const name = reading.started(value);
    return {
      title: `stop ${name}`,
      run: async (stage) => {
        stage.world.remove(name);
        await stage.processes.get(name).end();
      },
    };
  },
};
