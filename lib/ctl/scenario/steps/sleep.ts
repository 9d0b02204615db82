/**
 * `sleep`: let time pass.
 *
 * @module
 */

import { showTime } from "../../quantities.ts";
import { readTimeNode } from "../read_time.ts";
import type { StepKind } from "../step.ts";

export const sleep: StepKind = {
  name: "sleep",
  options: [],
  read(value) {
    const milliseconds = readTimeNode(value);
    return {
      title: `sleep ${showTime(milliseconds)}`,
      run: (stage) => stage.sleep(milliseconds),
    };
  },
};
