/** What the guide to scenarios shows: the steps are run, with a shell in the place of a guest. */

import { assert, assertEquals } from "@std/assert";
import { ConfigNode } from "../../lib/input/config_node.ts";
import { readScenario } from "../../lib/ctl/scenario/read_scenario.ts";
import { stepKinds } from "../../lib/ctl/scenario/steps.ts";
import { ctl } from "../support/ctl.ts";
import { documents, isScenario } from "../support/documents.ts";
import { installCtl } from "../support/scenarios.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const guide = documents.find(({ path }) => path === "docs/scenarios.md")!;

const BOUNCES = `$timescale 1ms $end
$var wire 1 ! button $end
$var wire 1 " D0 $end
$enddefinitions $end
#0 0! 0" #5 1! 1" #10 0! 0"
`;

/** What the steps of the guide are about. */
const WORLD = `
start:
  gpio:
    daemon: gpio
    config:
      guests:
        - simulated:
            lines:
              - { name: button, direction: input }
              - { name: lid, direction: input }
              - { name: relay, direction: input, value: 1 }
  i2c:
    daemon: i2c
    config:
      adapters:
        - simulated:
            parts:
              - { part: lm75, address: 0x48, name: sensor, temperature: 25 }
              - { part: 24c02, address: 0x50, name: eeprom }
  guest:
    console: stdio
    command: |
      printf '\\033[1mlogin:\\033[0m '; read -r name; echo "$name: edges"; echo edges 12; sleep 60
`;

for (
  const [index, { text }] of guide.blocks.filter(({ language }) => language === "yaml").entries()
) {
  Deno.test(`docs/scenarios.md: example ${index + 1} makes sense, and its steps do what it says`, async () => {
    assert(isScenario(text));
    if (text.includes("\nsteps:")) {
      // A whole one, with a guest of its own.
      assert(readScenario("example", ConfigNode.parse("example", text)).steps.length > 0);
      return;
    }
    using folder = new TemporaryFolder();
    // The steps are not in the order of a story: who types comes first.
    const typed = text.includes('"login: "')
      ? text.replace(/^(- expect: "login: ".*\n)/, "$1- type: root\n")
      : text;
    const expects = typed.replace("{ lid: 0, relay: 1 }", "{ lid: 0, relay: 1, button: 0 }");
    Deno.writeTextFileSync(folder.file("test.yaml"), `${WORLD}\nsteps:\n${expects}`);
    Deno.writeFileSync(folder.file("expected.bin"), new Uint8Array(16).fill(0xff));
    installCtl(folder);
    Deno.writeTextFileSync(folder.file("bounces.vcd"), BOUNCES);
    const path = `${folder.file("bin")}:${Deno.env.get("PATH")}`;
    const { code, stdout, stderr } = await ctl(["run", folder.file("test.yaml")], undefined, {
      PATH: path,
    });
    assertEquals([code, stderr], [0, ""], stdout);
  });
}

Deno.test("docs/scenarios.md: has all steps, with all of their keys", () => {
  const rows = [...guide.text.matchAll(/^\| `(\w+)` +\| ([^|]*) \|/gm)];
  const shown = new Map(rows.map(([, name, options]) => [
    name,
    [...options.matchAll(/`(\w+)`/g)].map(([, option]) => option),
  ]));
  for (const { name, options } of stepKinds) assertEquals(shown.get(name), [...options], name);
});
