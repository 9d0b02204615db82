/** What a guest of User-Mode Linux sees when its daemon ends, and when it is started again. */

import { assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput, runInGuest } from "../support/uml.ts";
import { until } from "../support/wait.ts";

/** True if the guest has come to this point of its script. */
function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

Deno.test("User-Mode Linux takes the device from a guest whose daemon ends; the next boot has it again", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("gpio");
  const start = () =>
    Daemon.start("vhost-device-gpio", ["-l", "s4", "-s", path], { socketOption: false });
  const boot = {
    devices: [[`${path}0`, "gpio"]],
    options: ["-M", `${folder.path}:/meet:rw`],
  } as const;
  const first = await start();
  until("the first daemon", () => first.log.includes(`at ${path}0`));
  const outcome = runInGuest(
    `gpiomon -c 0 dummy0 2>&1 & monitor=$!
     until gpioinfo -c 0 dummy0 | grep -q consumer; do :; done
     touch /meet/waiting
     wait $monitor || echo "gpiomon ended with $?"
     until [ ! -e /dev/gpiochip0 ]; do sleep 0.01; done
     gpiodetect; echo "chips: $(gpiodetect | wc -l)"`,
    boot,
  );
  until("gpiomon", () => exists(folder.file("waiting")));
  await first.stop("SIGKILL");
  await first[Symbol.asyncDispose]();
  await using second = await start();
  until("the second daemon", () => second.log.includes(`at ${path}0`));
  const { status, output } = await outcome;
  assertEquals(status, 0, output);
  assertMatch(output, /No such device\ngpiomon ended with 1\nchips: 0\n$/);
  assertEquals(await guestOutput("gpioget --numeric -c 0 dummy0", boot), "0\n");
});
