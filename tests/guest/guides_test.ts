/** What the guides have their readers type in the guest works there. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { documents } from "../support/documents.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput } from "../support/uml.ts";

/** For each guide: files that the reader has, and what is to be seen. */
const EXPECTED: Readonly<Record<string, { prepare?: string; printed: RegExp; logged?: RegExp }>> = {
  gpio: { printed: /rising.*\n.*falling/, logged: /line 0 "relay": value 1/ },
  i2c: { prepare: "echo firmware >firmware.bin", printed: /0x12 0x34\n(?:.*\n)*23500\n$/ },
  spi: { printed: /hello$/ },
};

for (const [kind, { prepare = "", printed, logged }] of Object.entries(EXPECTED)) {
  Deno.test(`docs/${kind}.md: what is said to be typed in the guest works there`, async () => {
    const guide = documents.find(({ path }) => path === `docs/${kind}.md`)!;
    const config = guide.blocks.find(({ language, text }) =>
      language === "yaml" && text.includes("simulated:")
    )!;
    const typed = guide.blocks.filter(({ inGuest }) => inGuest);
    assertEquals(typed.length, 1);
    using folder = new TemporaryFolder();
    const file = folder.file("config.yaml");
    Deno.writeTextFileSync(file, config.text.replaceAll("file: ", `file: ${folder.path}/`));
    const count = config.text.match(/^ {2}- /gm)!.length;
    assert(count === 1 || kind === "spi");
    await using daemon = await Daemon.start(`vhost-device-${kind}`, ["--config", file], { count });
    // Whoever types takes longer than gpiomon takes to begin.
    const text = typed[0].text.replaceAll(
      / &$/gm,
      " & until gpioinfo | grep -q consumer=; do :; done",
    );
    const output = await guestOutput(`cd /tmp; ${prepare}\n${text}wait`, {
      devices: [[daemon.socket(), kind]],
      limit: 20,
    });
    assertMatch(output, printed);
    if (logged !== undefined) assertMatch(daemon.log, logged);
  });
}
