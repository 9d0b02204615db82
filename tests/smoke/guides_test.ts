/** The QEMU command lines of the README and of the guide to CI are run as they stand there. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { command } from "../support/daemon.ts";
import { documents } from "../support/documents.ts";
import { PREPARE } from "../support/qemu_job.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

/** What the image does: looks for its devices, drives a line, and switches itself off. */
const INIT = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
gpiodetect && gpioset -t 0 -c 0 0=1 && echo SMOKE-TEST-PASSED
i2cget -y 0 0x50 0
poweroff -f
`;

/** Runs a block of a document that starts QEMU, with an image that it finds. */
async function runBlock(folder: TemporaryFolder, path: string, image: string) {
  const blocksOf = (path: string) => documents.find((document) => document.path === path)!.blocks;
  const block = blocksOf(path).find(({ language, text }) =>
    language === "sh" && text.includes("qemu-system-x86_64")
  );
  assert(block !== undefined, path);
  Deno.writeTextFileSync(folder.file("init"), INIT, { mode: 0o755 });
  const config = blocksOf("docs/gpio.md").find(({ language }) => language === "yaml")!;
  Deno.writeTextFileSync(folder.file("gpio.yaml"), config.text);
  // This QEMU has no option ROMs of network cards.
  const text = block.text.replaceAll("/tmp/", "$PWD/")
    .replace(/-nographic(?! -nic none)/, "-nographic -nic none");
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: [
      ...["-k", "1", "100", "bash", "-c"],
      `set -eu -o pipefail; (${PREPARE}\n)
       export PATH="$PWD/bin:$PATH"; trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
       (echo init | cpio -o -H newc | gzip) >>image/initrd.gz
       [ ${image} = image ] || mv image/* ${image}
       ${text}`,
    ],
    cwd: folder.path,
    env: {
      GPIO: command("vhost-device-gpio").join(" "),
      I2C: command("vhost-device-i2c").join(" "),
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("README.md: the smallest command line boots a guest with GPIO lines", async () => {
  using folder = new TemporaryFolder();
  const { code, output } = await runBlock(folder, "README.md", ".");
  assertEquals(code, 0, output);
  assertMatch(output, /gpiochip0 .*\(8 lines\)/);
  assertMatch(output, /^SMOKE-TEST-PASSED/m);
});

Deno.test("docs/in-ci.md: the job does what it says", async () => {
  using folder = new TemporaryFolder();
  const { code, output } = await runBlock(folder, "docs/in-ci.md", "image");
  assertEquals(code, 0, output);
  assertMatch(output, /^0xff/m);
});
