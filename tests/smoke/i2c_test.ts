/** The I2C daemon behind QEMU 10: i2c-tools and Linux's drivers on simulated chips. */

import { assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { guestChecks, qemuOutput } from "../support/qemu.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const config = `
adapters:
  - simulated:
      parts:
        - { part: 24c02, address: 0x50 }
        - { part: 24c256, address: 0x54 }
        - { part: lm75, address: 0x48, temperature: 23.5 }
        - { part: registers, address: 0x20, values: { 0x10: [0x12, 0x34, 0x56] } }
        - { part: nak, address: 0x21, after: 2 }
`;

/** What the daemon has logged once the guest has gone. */
let log = "";

/** The addresses that i2cdetect has marked. */
function detected(output: string): number[] {
  return [...output.matchAll(/^([0-7]0):(.*)$/gm)].flatMap(([, row, cells]) =>
    [...cells.matchAll(/\b[0-9a-f]{2}\b/g)].map(([cell]) => parseInt(cell, 16))
      .filter((address) => address >> 4 === parseInt(row, 16) >> 4)
  );
}

guestChecks([
  {
    name: "QEMU 10: i2cdetect finds exactly the addresses that are listed",
    script:
      "i2cdetect -l; i2cdetect -y 0; echo scan; i2cdetect -y -q 0; echo scan; i2cdetect -y -r 0",
    check(output) {
      const scans = output.split("scan");
      assertEquals(scans.length, 3);
      for (const scan of scans) {
        assertEquals(detected(scan), [0x20, 0x21, 0x48, 0x50, 0x54], output);
      }
    },
  },
  {
    name: "QEMU 10: i2cset and i2cget write and read bytes, words and blocks",
    script: `
      i2cset -y 0 0x50 0x10 0xab; i2cset -y 0 0x50 0x20 0x1234 w
      i2cget -y 0 0x50 0x10; i2cget -y 0 0x50 0x20 w; i2cget -y 0 0x50 0x20; i2cget -y 0 0x50
      i2cset -y 0 0x50 0x28 1 2 3 4 i; i2cget -y 0 0x50 0x28 i 5`,
    check: (output) =>
      assertEquals(output.trim().split("\n"), [
        "0xab",
        "0x1234",
        "0x34",
        "0x12",
        "0x01 0x02 0x03 0x04 0xff",
      ]),
  },
  {
    name: "QEMU 10: i2ctransfer sends several messages with repeated starts",
    script: `
      i2ctransfer -y 0 w1@0x20 0x10 r2 w1 0x12 r1
      i2ctransfer -y 0 w4@0x50 0x08 1 2 3 w1 0x08 r4`,
    check: (output) =>
      assertEquals(output.trim().split("\n"), ["0x12 0x34", "0x56", "0x01 0x02 0x03 0xff"]),
  },
  {
    name: "QEMU 10: a message that fails in the middle ends its group, and the next one is served",
    script: `
      i2ctransfer -y 0 w2@0x50 0 0x11 w4@0x21 0 1 2 3 w2@0x50 0 0x22 2>&1 || :
      i2ctransfer -y 0 w1@0x50 0 w1@0x33 0 r1@0x50 2>&1 || :
      i2cget -y 0 0x50 0; i2cget -y 0 0x21 0`,
    check: (output) =>
      assertEquals(output.trim().split("\n"), [
        "Warning: only 1/3 messages were sent",
        "Warning: only 1/3 messages were sent",
        "0x11",
        "0x01",
      ]),
  },
  {
    name:
      "QEMU 10: five messages, for which its ring has no room, fail as one, and four are served",
    // The driver adds requests until the ring is full and then sends what it has.
    script: `
      i2ctransfer -y 0 w1@0x20 0x10 r1 w1 0x11 r1 r1 2>&1 || :
      i2ctransfer -y 0 w1@0x20 0x10 r1 w1 0x11 r1`,
    check: (output) =>
      assertMatch(output, /Warning: only [0-4]\/5 messages were sent\n0x12\n0x34\n$/),
  },
  {
    name: "QEMU 10: the kernel's at24 driver writes and reads whole EEPROMs",
    script: `
      cd /sys/bus/i2c/devices
      echo 24c02 0x50 >i2c-0/new_device; echo 24c256 0x54 >i2c-0/new_device
      for chip in 0050 0054; do
        size=$(stat -c %s 0-$chip/eeprom)
        head -c $size /dev/urandom >/tmp/data
        cat /tmp/data >0-$chip/eeprom
        cmp /tmp/data 0-$chip/eeprom && echo "$chip $size"
      done
      echo 0x50 >i2c-0/delete_device; echo 0x54 >i2c-0/delete_device`,
    check: (output) => assertEquals(output, "0050 256\n0054 32768\n"),
  },
  {
    name: "QEMU 10: the I2C driver can be unbound and bound again",
    script: `
      cd /sys/bus/virtio/drivers/i2c_virtio
      device=$(basename virtio*)
      i2cset -y 0 0x50 0 0x77
      for round in 1 2 3; do
        echo $device >unbind; [ ! -e /dev/i2c-0 ]; echo $device >bind; i2cget -y 0 0x50 0
      done
      ! dmesg | grep -E 'BUG|WARNING'`,
    check(output) {
      assertEquals(output, "0x77\n0x77\n0x77\n");
      assertEquals(log.match(/ready:/g)?.length, 4, log);
    },
  },
], async (script) => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("i2c.yaml"), config);
  const args = ["--config", folder.file("i2c.yaml")];
  await using daemon = await Daemon.start("vhost-device-i2c", args);
  const output = await qemuOutput(script, { devices: [[daemon.socket(), "i2c"]] });
  await daemon.stop();
  log = daemon.log;
  return output;
});

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
