/** What a request costs a daemon, counted rather than timed: against what it was before. */

import { assert } from "@std/assert";
import { COUNTED_WITH, interpretedInstructions } from "../bench/interpreted.ts";
import { Load } from "../bench/load.ts";
import { systemCallsOf, total } from "../bench/system_calls.ts";
import { WORKLOADS } from "../bench/workload.ts";
import { Daemon } from "../support/daemon.ts";

const RECORDED: Readonly<Record<string, Readonly<Record<string, number>>>> = JSON.parse(
  Deno.readTextFileSync(new URL("../bench/instructions.json", import.meta.url)),
);
/** So much more or less than recorded is the same. */
const TOLERANCE = 0.05;

for (const workload of WORKLOADS) {
  Deno.test(`${workload.name}: a request takes two system calls, a wait and a call`, async () => {
    await using daemon = await Daemon.start(workload.program, workload.arguments(1));
    using load = new Load(daemon.connect(), workload, 1);
    const [few, many] = [
      await systemCallsOf(daemon.pid, load, 200),
      await systemCallsOf(daemon.pid, load, 500),
    ];
    const more = new Map([...many].map(([name, calls]) => [name, calls - (few.get(name) ?? 0)]));
    for (const name of ["epoll_pwait", "write"]) {
      // When the count begins and ends, a call is under way, which may count or not.
      const calls = more.get(name) ?? 0;
      assert(Math.abs(calls - 300) <= 2, `300 requests take ${calls} times ${name}`);
      more.delete(name);
    }
    // The runtime has some of its own now and then, for its memory.
    assert(total(more) < 30, `300 requests take ${JSON.stringify([...more])} as well`);
  });

  Deno.test(`${workload.name}: a request takes as many instructions as are recorded`, async () => {
    const recorded = RECORDED[COUNTED_WITH]?.[workload.name];
    assert(recorded !== undefined, `tests/bench/instructions.json has none for ${COUNTED_WITH}`);
    const counted = await interpretedInstructions(workload);
    assert(
      Math.abs(counted / recorded - 1) <= TOLERANCE,
      `${counted} instructions, recorded are ${recorded}: if that is as it should be, ` +
        `tests/bench/instructions.json is to say so`,
    );
  });
}
