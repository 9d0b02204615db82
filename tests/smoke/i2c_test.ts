/** The I2C daemon behind two guests in QEMU 10; what one of them does is in scenarios/i2c.yaml. */

import { assertEquals } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { qemuOutput } from "../support/qemu.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

Deno.test("QEMU 10: two guests use the same chips at the same time", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", ["-l", "s:0x50:0x51"], { count: 2 });
  using folder = new TemporaryFolder();
  const guest = (index: number) =>
    qemuOutput(
      `touch /meet/${index}; until [ -e /meet/0 -a -e /meet/1 ]; do usleep 10000; done
       for i in $(seq 40); do
         value=$(printf '0x%02x' $((i + ${index} * 100)))
         i2cset -y 0 0x50 ${index} $value
         [ "$(i2ctransfer -y 0 w1@0x50 ${index} r1)" = $value ]
       done
       touch /meet/done${index}; until [ -e /meet/done0 -a -e /meet/done1 ]; do usleep 10000; done
       i2cget -y 0 0x50 $((1 - ${index}))`,
      {
        devices: [[daemon.socket(index), "i2c"]],
        options: ["-M", `${folder.path}:/meet:rw`],
      },
    );
  // Each finds what the other one has written last.
  assertEquals(await Promise.all([guest(0), guest(1)]), ["0x8c\n", "0x28\n"]);
});
