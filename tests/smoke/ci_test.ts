/** The example for GitHub Actions: its steps are run as they stand there. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { parse } from "yaml";
import { PREPARE } from "../support/qemu_job.ts";
import { installCtl } from "../support/scenarios.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const example = new URL("../../examples/ci/github-actions.yml", import.meta.url);

interface Workflow {
  readonly jobs: { readonly smoke: { readonly steps: { name?: string; run?: string }[] } };
}

/** Boots the image of the example, with a change made to its steps. */
async function runExample(
  folder: TemporaryFolder,
  change = (script: string) => script,
): Promise<number> {
  const { steps } = (parse(Deno.readTextFileSync(example)) as Workflow).jobs.smoke;
  const step = (name: string) => {
    const script = steps.find((step) => step.name === name)?.run;
    assert(script !== undefined, `there is no step "${name}"`);
    return change(script);
  };
  installCtl(folder);
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "-c",
      `set -eu; (${PREPARE}\n) && export PATH="$PWD/bin:$PATH"
       set -o pipefail\n${step("Add the checks to it")}\n${step("Boot it")}`,
    ],
    cwd: folder.path,
    env: { GPIO: "", I2C: "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  Deno.writeTextFileSync(folder.file("output"), text.decode(stdout) + text.decode(stderr));
  return code;
}

Deno.test("the example for GitHub Actions boots an image, and its checks pass", async () => {
  using folder = new TemporaryFolder();
  const status = await runExample(folder);
  const output = Deno.readTextFileSync(folder.file("output"));
  assertEquals(status, 0, output);
  assertMatch(output, /^passed: (\d+) of \1 steps/m);
  assertMatch(Deno.readTextFileSync(folder.file("smoke.xml")), /failures="0"/);
  assertMatch(Deno.readTextFileSync(folder.file("logs/guest.log")), /^SMOKE-TEST-PASSED\r?$/m);
});

Deno.test("the example for GitHub Actions fails when the devices are not what the checks expect", async () => {
  using folder = new TemporaryFolder();
  const status = await runExample(
    folder,
    (script) => script.replace("s:0x50", "s:0x51"),
  );
  const output = Deno.readTextFileSync(folder.file("output"));
  assertNotEquals(status, 0, output);
  assertMatch(output, /Error: Write failed/);
  assertMatch(Deno.readTextFileSync(folder.file("smoke.xml")), /failures="1"/);
});
