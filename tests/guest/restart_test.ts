/** What a guest of User-Mode Linux sees when its daemon ends, and when it is started again. */

import { assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { exists } from "../support/exists.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput, runInGuest } from "../support/uml.ts";
import { until } from "../support/wait.ts";

Deno.test("User-Mode Linux takes the device from a guest whose daemon ends; the next boot has it again", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("gpio");
  const config = folder.file("gpio.yaml");
  Deno.writeTextFileSync(
    config,
    `guests:
  - simulated:
      lines: [{ name: out0 }, { name: in0 }]
      wires: [{ from: out0, to: in0 }]`,
  );
  const start = () =>
    Daemon.start("vhost-device-gpio", ["-s", path, "--config", config], { socketOption: false });
  const boot = {
    devices: [[`${path}0`, "gpio"]],
    options: ["-M", `${folder.path}:/meet:rw`],
  } as const;
  const first = await start();
  until("the first daemon", () => first.log.includes(`at ${path}0`));
  const outcome = runInGuest(
    `gpiomon -c 0 in0 >/tmp/edges 2>&1 & monitor=$!
     # A request that is under way when the daemon ends would never end itself.
     until grep -q rising /tmp/edges; do gpioset -t 10ms,10ms,0 -c 0 out0=0; done
     touch /meet/waiting
     wait $monitor || echo "gpiomon ended with $?"
     grep 'No such device' /tmp/edges
     until [ ! -e /dev/gpiochip0 ]; do sleep 0.01; done
     gpiodetect; echo "chips: $(gpiodetect | wc -l)"`,
    boot,
  );
  until("gpiomon", () => exists(folder.file("waiting")));
  await first.stop("SIGKILL");
  await first[Symbol.asyncDispose]();
  await using second = await start();
  until("the second daemon", () => second.log.includes(`at ${path}0`));
  const { status, output, errors } = await outcome;
  assertEquals(status, 0, output + errors);
  assertMatch(output, /^gpiomon ended with 1\n.*No such device\nchips: 0\n$/);
  assertEquals(await guestOutput("gpioget --numeric -c 0 in0", boot), "0\n");
});
