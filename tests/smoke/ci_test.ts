/** The example for GitHub Actions: its steps are run as they stand there. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertNotMatch } from "@std/assert";
import { parse } from "yaml";
import { command } from "../support/daemon.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const guest = new URL("../guest/", import.meta.url).pathname;
const example = new URL("../../examples/ci/github-actions.yml", import.meta.url);

/** What the example finds installed, and the image that its user has built. */
const prepare = `
  . ${guest}qemu/paths.sh
  mkdir bin image
  cp "$kernel_dir/bzImage" "$initrd_dir/initrd.gz" image/
  printf '#!/bin/sh\nexec %s "$@"\n' "$GPIO" >bin/vhost-device-gpio
  printf '#!/bin/sh\nexec %s "$@"\n' "$I2C" >bin/vhost-device-i2c
  qemu=$(qemu_dir 10)
  lib=$qemu/usr/lib/x86_64-linux-gnu
  ld=$qemu/usr/lib64/ld-linux-x86-64.so.2
  [ -e "$ld" ] || ld=$qemu/lib64/ld-linux-x86-64.so.2
  cat >bin/qemu-system-x86_64 <<END
#!/bin/sh
export QEMU_MODULE_DIR=$lib/qemu
exec $ld --library-path "$lib:$qemu/lib/x86_64-linux-gnu" $qemu/usr/bin/qemu-system-x86_64 \\
  -L $qemu/usr/share/seabios -L $qemu/usr/share/qemu "\\$@"
END
  lib=$root_dir/usr/lib/x86_64-linux-gnu
  cat >bin/cpio <<END
#!/bin/sh
exec $lib/ld-linux-x86-64.so.2 --library-path $lib $root_dir/usr/bin/busybox cpio "\\$@"
END
  chmod 755 bin/*`;

interface Workflow {
  readonly jobs: { readonly smoke: { readonly steps: { name?: string; run?: string }[] } };
}

/** Boots the image of the example, with a change made to its steps. */
async function runExample(folder: string, change = (script: string) => script): Promise<number> {
  const { steps } = (parse(Deno.readTextFileSync(example)) as Workflow).jobs.smoke;
  const step = (name: string) => {
    const script = steps.find((step) => step.name === name)?.run;
    assert(script !== undefined, `there is no step "${name}"`);
    return change(script);
  };
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "-c",
      `set -eu; (${prepare}\n) && export PATH="$PWD/bin:$PATH" && trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
       set -o pipefail\n${step("Add the checks to it")}\n${step("Boot it")}`,
    ],
    cwd: folder,
    env: {
      GPIO: command("vhost-device-gpio").join(" "),
      I2C: command("vhost-device-i2c").join(" "),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  Deno.writeTextFileSync(`${folder}/output`, text.decode(stdout) + text.decode(stderr));
  return code;
}

Deno.test("the example for GitHub Actions boots an image, and its checks pass", async () => {
  using folder = new TemporaryFolder();
  const status = await runExample(folder.path);
  const output = Deno.readTextFileSync(folder.file("output"));
  assertEquals(status, 0, output);
  assertMatch(output, /^SMOKE-TEST-PASSED\r?$/m);
});

Deno.test("the example for GitHub Actions fails when the devices are not what the checks expect", async () => {
  using folder = new TemporaryFolder();
  const status = await runExample(folder.path, (script) => script.replace("s:0x50", "s:0x51"));
  const output = Deno.readTextFileSync(folder.file("output"));
  assertNotEquals(status, 0, output);
  assertNotMatch(output, /^SMOKE-TEST-PASSED/m);
  assertMatch(output, /Error: Write failed/);
});
