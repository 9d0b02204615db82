/**
 * The systemd units, as far as they can be judged without a systemd that runs.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FrontEnd } from "../support/front_end.ts";
import { isListening } from "../support/process_state.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";
import { configuration, install, run, SHIPPED, succeed, TYPES } from "./build.ts";

/** As systemd-analyze counts; 10 is the worst. */
const MOST_EXPOSURE = 2.5;

Deno.test("systemd-analyze finds nothing wrong with the units", async () => {
  using folder = new TemporaryFolder();
  await install(folder.path);
  const units = folder.file("usr/lib/systemd/system");
  for (const type of TYPES) {
    for (const kind of ["service", "socket"]) {
      const path = `${units}/vhost-device-${type}@.${kind}`;
      // The program and its page are not where they will be.
      const text = Deno.readTextFileSync(path)
        .replaceAll("/usr/bin/", `${SHIPPED}/`).replace(/^Documentation=.*\n/m, "");
      Deno.writeTextFileSync(path, text);
    }
  }
  const instances = TYPES.flatMap((type) =>
    ["service", "socket"].map((kind) => `${units}/vhost-device-${type}@x.${kind}`)
  );
  const { code, stdout, stderr } = await run("systemd-analyze", [
    "verify",
    "--man=no",
    ...instances,
  ]);
  // Of other units on this machine there may be something to say.
  const about = (stdout + stderr).split("\n").filter((line) => line.includes("vhost-device"));
  assertEquals([code, about], [0, []]);
});

Deno.test(`the services' exposure is at most ${MOST_EXPOSURE}`, async () => {
  using folder = new TemporaryFolder();
  await install(folder.path);
  for (const type of TYPES) {
    const text = await succeed("systemd-analyze", [
      "security",
      "--offline=true",
      `--threshold=${MOST_EXPOSURE * 10}`,
      folder.file(`usr/lib/systemd/system/vhost-device-${type}@.service`),
    ]);
    const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(text)!;
    assert(Number(exposure) <= MOST_EXPOSURE, `${type}: ${exposure}`);
  }
});

for (const type of TYPES) {
  Deno.test(`${type}: a program that socket activation has started serves that socket`, async () => {
    using folder = new TemporaryFolder();
    const socket = folder.file("socket");
    // Waits for a connection, and then becomes the program.
    const child = new Deno.Command("systemd-socket-activate", {
      args: [
        `--listen=${socket}`,
        `${SHIPPED}/vhost-device-${type}`,
        `--config=${configuration(type)}`,
      ],
      cwd: folder.path,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    try {
      until("the socket", () => isListening(socket));
      using frontEnd = FrontEnd.connect(socket);
      assert(frontEnd.getFeatures() > 0n);
      child.kill("SIGTERM");
      const { code, stderr } = await child.output();
      assertEquals(code, 0);
      assertMatch(new TextDecoder().decode(stderr), /front-end connected/);
      // It is systemd's, who may pass it to the next.
      assert(Deno.lstatSync(socket).isSocket);
    } finally {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    }
  });
}
