/** Scenarios in front of QEMU: those of this folder, and the examples as they stand there. */

import { assertEquals, assertMatch } from "@std/assert";
import { qemuBoard } from "../support/board.ts";
import { documents } from "../support/documents.ts";
import { PREPARE } from "../support/qemu_job.ts";
import { EXAMPLES, installCtl, partOf, runExample, runScenario } from "../support/scenarios.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const HEAD = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
`;
/** A shell on the console. */
const SHELL = `setsid -c sh -i </dev/ttyS0 >/dev/ttyS0 2>&1
poweroff -f
`;
/** One that shows what is typed as it comes. */
const BASH = `setsid -c bash --norc --noediting -i </dev/ttyS0 >/dev/ttyS0 2>&1
poweroff -f
`;
/** A relay that follows a button, once. */
const RELAY = `gpiomon -n 1 -c 0 button & monitor=$!
until gpioinfo -c 0 button | grep -q consumer; do usleep 10000; done
echo ready
wait $monitor
gpioset -t 500ms,0 -c 0 relay=1
poweroff -f
`;

/** Makes the image that a scenario boots, and the QEMU that does it. */
async function prepare(folder: TemporaryFolder, version: string, init: string): Promise<void> {
  Deno.writeTextFileSync(folder.file("init"), HEAD + init, { mode: 0o755 });
  const { code, stderr } = await new Deno.Command("bash", {
    args: [
      "-c",
      `set -eu -o pipefail; ${PREPARE}
       (echo init | bin/cpio -o -H newc | gzip) >>image/initrd.gz`,
    ],
    cwd: folder.path,
    env: { QEMU: version, GPIO: "", I2C: "" },
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  installCtl(folder);
}

for (
  const [scenario, version] of [
    ["gpio", "10"],
    ["gpio-guests", "10"],
    ["i2c", "10"],
    ["i2c-guests", "10"],
    ["spi", "11"],
  ]
) {
  const path = `tests/smoke/scenarios/${scenario}.yaml`;
  Deno.test(`${path} passes, in QEMU ${version}`, async () => {
    using folder = new TemporaryFolder();
    await prepare(folder, version, BASH);
    const output = await runScenario(folder, path);
    assertMatch(output, /^passed: (\d+) of \1 steps/m);
  });
}

for (const [example, devices] of Object.entries(EXAMPLES)) {
  Deno.test(`examples/scenarios/${example}.yaml passes with Linux's drivers, in QEMU 11`, async () => {
    using folder = new TemporaryFolder();
    Deno.writeTextFileSync(folder.file("board.dts"), qemuBoard(devices, partOf(example)));
    await prepare(folder, "11", SHELL);
    const output = await runExample(folder, example);
    assertMatch(output, /^passed: (\d+) of \1 steps/m);
  });
}

for (
  const [console, option] of [
    ["pty", "-serial $console"],
    ["socket", "-serial unix:$console,server=on,wait=off"],
  ]
) {
  Deno.test(`docs/scenarios.md: a console of QEMU's can be a ${console}`, async () => {
    const { text } = documents.find(({ path }) => path === "docs/scenarios.md")!;
    assertMatch(text, new RegExp(`\\| \`${console}\` +\\| \`${option.replace("$", "\\$")}\``));
    using folder = new TemporaryFolder();
    Deno.writeTextFileSync(folder.file("board.dts"), qemuBoard(["gpio"], partOf("button")));
    await prepare(folder, "11", SHELL);
    await runExample(
      folder,
      "button",
      (text) =>
        text.replace("console: stdio", `console: ${console}`)
          .replace("-nographic", `-display none ${option}`),
    );
  });
}

Deno.test("docs/scenarios.md: the scenario that it begins with passes, in QEMU 10", async () => {
  using folder = new TemporaryFolder();
  await prepare(folder, "10", RELAY);
  const { blocks } = documents.find(({ path }) => path === "docs/scenarios.md")!;
  Deno.writeTextFileSync(folder.file("relay.yaml"), blocks[0].text);
  const command = blocks.find(({ language }) => language === "sh")!.text.trim();
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", command],
    cwd: folder.path,
    env: { PATH: `${folder.file("bin")}:${Deno.env.get("PATH")}` },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(code, 0, decode(stdout) + decode(stderr));
  assertMatch(Deno.readTextFileSync(folder.file("results.xml")), /tests="8" failures="0"/);
  assertMatch(Deno.readTextFileSync(folder.file("logs/gpio.log")), /"relay": value 1/);
});
