/** The example scenarios in front of User-Mode Linux. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { umlBoard } from "../support/board.ts";
import { EXAMPLES, installCtl, partOf, runExample } from "../support/scenarios.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const boot = fileURLToPath(new URL("uml/run.sh", import.meta.url));

/** The guest of the example is this one: a shell on a terminal. */
function withThisGuest(text: string): string {
  const command = `console: pty
    command: |
      exec <$console >$console 2>&1
      exec ${boot} -t 120 -b board.dts -s $folder
`;
  const changed = text.replace(
    /console: stdio\n +# CHANGE: .*\n +command: >-\n( {6}.*\n)+/,
    command,
  );
  assert(changed !== text);
  // There is no reboot, but the command that is a shell.
  return changed.replaceAll("exit: { guest: 0 }", "exit: { guest: any }");
}

for (const [example, devices] of Object.entries(EXAMPLES)) {
  Deno.test(`examples/scenarios/${example}.yaml passes with Linux's drivers, in User-Mode Linux`, async () => {
    using folder = new TemporaryFolder();
    installCtl(folder);
    Deno.writeTextFileSync(folder.file("board.dts"), umlBoard(devices, partOf(example)));
    const output = await runExample(folder, example, withThisGuest);
    assertMatch(output, /^passed: (\d+) of \1 steps/m);
  });
}

Deno.test("all example scenarios are run", () => {
  const files = [...Deno.readDirSync(new URL("../../examples/scenarios", import.meta.url))]
    .map(({ name }) => /^(.*)\.yaml$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  assertEquals(files.sort(), Object.keys(EXAMPLES).sort());
});
