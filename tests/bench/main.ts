/**
 * `make bench`: measures, prints tables, and leaves the figures and plots in bench/results.
 *
 * Other daemons of the same command lines are measured in the same run, by turns: `PEER=PATH`, of
 * one or of a folder of them. `SECTION=NAME` measures only a part.
 *
 * @module
 */

import { plot } from "./plots.ts";
import { machine, record } from "./report.ts";
import { SECTIONS } from "./sections.ts";

const wanted = Deno.env.get("SECTION");
const chosen = SECTIONS.filter(({ name }) => !wanted || name === wanted);
if (chosen.length === 0) {
  const names = SECTIONS.map(({ name }) => name).join(", ");
  console.error(`SECTION=${wanted}: there is no such section; it is one of ${names}`);
  Deno.exit(2);
}
const { processor, processors, memoryGiB, kernel, virtual, deno } = machine();
console.log(
  `${processors} × ${processor}, ${memoryGiB} GiB, Linux ${kernel} (${virtual}), Deno ${deno}\n`,
);
for (const { name, title, run } of chosen) {
  console.log(`## ${title}\n`);
  record(name, await run());
}
await plot();
