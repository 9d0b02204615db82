/**
 * A hostile front-end as a process of its own, to be stopped and killed at any moment.
 *
 * Arguments: the type of device, the socket, the seed. It goes on until it is killed, and prints
 * what it has done since its last line, as JSON.
 *
 * @module
 */

import { Random } from "../support/random.ts";
import { Hostile, type Scribble } from "./cases.ts";
import type { Tried } from "./figures.ts";

/** A line of what it prints. */
export interface Line {
  readonly tried: Tried;
  /** What went wrong that may not: no answer, no connection. */
  readonly problem?: string;
}

/** How often it prints, in milliseconds. */
const OFTEN = 200;

function print(line: Line): void {
  console.log(JSON.stringify(line));
}

if (import.meta.main) {
  const [type, socket, seed] = Deno.args;
  const worker = new Worker(new URL("scribbler.ts", import.meta.url), { type: "module" });
  const scribble: Scribble = (job) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(job);
    return promise;
  };
  let tried: Tried = {};
  let told = 0;
  for (let count = 0;; count++) {
    const caseSeed = (Number(seed) + count) >>> 0;
    using hostile = new Hostile(new Random(caseSeed), type, socket, scribble, tried);
    try {
      await hostile.run(caseSeed);
    } catch (error) {
      const problem = Deno.inspect(error, { colors: false });
      print({ tried: {}, problem: `case ${caseSeed} at ${socket}: ${problem}` });
    }
    if (performance.now() - told < OFTEN) continue;
    print({ tried });
    tried = {};
    told = performance.now();
  }
}
