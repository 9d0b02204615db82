import { assertEquals } from "@std/assert";
import { ctlOutput, RunningCtl } from "../support/ctl.ts";
import { Daemon } from "../support/daemon.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput } from "../support/uml.ts";

const LINES = `
guests:
  - simulated:
      lines:
        - { name: button, direction: input }
        - { name: relay }
`;

Deno.test("gpiomon in a guest sees a pulse, and wait what the guest's gpioset drives", async () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("gpio.yaml"), LINES);
  const control = ["-c", folder.file("control")];
  await using daemon = await Daemon.start("vhost-device-gpio", [
    ...["--config", folder.file("gpio.yaml"), "--control", folder.file("control")],
  ]);
  await using relay = new RunningCtl([
    ...[...control, "wait", "relay=1", "--timeout=60s", "--for=100ms", "--json"],
  ]);
  const output = guestOutput(
    `gpiomon --format '%e' -n 2 -c 0 button
     gpioset -t 500ms,0 -c 0 relay=1`,
    { devices: [[daemon.socket(), "gpio"]] },
  );
  await ctlOutput(...control, "wait", "button.interrupt=both", "--timeout=60s");
  await ctlOutput(...control, "pulse", "button=1", "--for", "50ms");
  // 1 is rising, 2 falling.
  assertEquals((await output).trim().split("\n"), ["1", "2"]);
  assertEquals(JSON.parse(await relay.line()), { name: "relay", value: 1, holds: true });
  assertEquals(await relay.ended(), 0);
});
