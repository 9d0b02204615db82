/**
 * `type`: into a console.
 *
 * @module
 */

import { RuntimeError } from "../../../errors.ts";
import { StepFailure, type StepKind } from "../step.ts";

export const type: StepKind = {
  name: "type",
  options: ["on", "enter"],
  read(value, options, reading) {
    const text = value.scalar("a text");
    const enter = options.enter?.boolean() ?? !/[\r\n]$/.test(text);
    const name = reading.console(options.on, value);
    const bytes = new TextEncoder().encode(text + (enter ? "\n" : ""));
    const [first, ...more] = text.replace(/\n$/, "").split("\n");
    const title = `type ${more.length > 0 ? `${JSON.stringify(first)} ...` : JSON.stringify(text)}`;
    return {
      title,
      async run(stage) {
        const { terminal } = stage.processes.get(name);
        if (terminal === undefined) {
          throw new RuntimeError(`'${name}' has no console to type at; say where with 'console'`);
        }
        try {
          await stage.whileRunning(terminal.type(bytes));
        } catch (error) {
          stage.end.throwIfAborted();
          throw new StepFailure(title, `'${name}' does not take it: ${(error as Error).message}`);
        }
      },
    };
  },
};
