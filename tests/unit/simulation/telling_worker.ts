/** A thread that tells of changes, or moves a line, over and over, from when it is told to begin. */

import { Lines, type PoweredChip } from "../../../lib/gpio/simulated/lines.ts";
import { Changes } from "../../../lib/simulation/changes.ts";

/** What it does; it begins when the first word of `gate` is 1. */
export type Telling =
  & { readonly gate: Int32Array; readonly rounds: number }
  & (
    | { readonly changes: SharedArrayBuffer; readonly thing: number }
    | { readonly chip: PoweredChip }
  );

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Telling>) => void;
  postMessage(message: string): void;
};

scope.onmessage = ({ data }) => {
  const { gate, rounds } = data;
  scope.postMessage("ready");
  if ("chip" in data) {
    const lines = new Lines(data.chip);
    Atomics.wait(gate, 0, 0);
    for (let round = 1; round <= rounds; round++) {
      lines.lock.acquire();
      lines.setOutside(0, round % 2);
      lines.lock.release();
    }
  } else {
    const changes = new Changes(data.changes);
    Atomics.wait(gate, 0, 0);
    for (let round = 0; round < rounds; round++) changes.tell(data.thing, 0, round, 0, 0);
  }
  scope.postMessage("done");
};
