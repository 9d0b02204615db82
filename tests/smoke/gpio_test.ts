/** The GPIO daemon behind two guests in QEMU 10; what one of them does is in scenarios/gpio.yaml. */

import { assertMatch, assertNotMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { qemuOutput } from "../support/qemu.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

Deno.test("QEMU 10: two guests have chips of their own", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8:s4"], { count: 2 });
  using folder = new TemporaryFolder();
  // Each holds its line until the other one holds its own.
  const hold = (guest: number, line: string) =>
    qemuOutput(
      `gpioinfo
       gpioset -c 0 ${line}=1 & until gpioinfo -c 0 ${line} | grep -q consumer; do :; done
       touch /meet/${guest}; until [ -e /meet/0 -a -e /meet/1 ]; do usleep 10000; done
       for line in dummy0 dummy1 dummy2 dummy3; do
         gpioget --numeric --as-is -c 0 $line 2>/dev/null || echo held
       done; touch /meet/done${guest}
       until [ -e /meet/done0 -a -e /meet/done1 ]; do usleep 10000; done`,
      {
        devices: [[daemon.socket(guest), "gpio"]],
        options: ["-M", `${folder.path}:/meet:rw`],
      },
    );
  const [first, second] = await Promise.all([hold(0, "dummy7"), hold(1, "dummy2")]);
  assertMatch(first, /8 lines/);
  assertMatch(second, /4 lines/);
  assertMatch(first, /\n0\n0\n0\n0\n$/);
  assertMatch(second, /\n0\n0\nheld\n0\n$/);
  assertMatch(daemon.log, /guest 0: line 7 "dummy7": value 1/);
  assertMatch(daemon.log, /guest 1: line 2 "dummy2": value 1/);
  assertNotMatch(daemon.log, /guest 0: line 2|guest 1: line 7/);
});
