import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { Daemon } from "../support/daemon.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput } from "../support/uml.ts";

const devicetree = fileURLToPath(new URL("i2c_chips.dts", import.meta.url));

async function withDaemon(
  config: string,
  use: (daemon: Daemon, folder: TemporaryFolder) => Promise<void>,
  count = 1,
): Promise<void> {
  using folder = new TemporaryFolder();
  const file = folder.file("i2c.yaml");
  Deno.writeTextFileSync(file, config.replaceAll("@FOLDER@", folder.path));
  await using daemon = await Daemon.start("vhost-device-i2c", ["--config", file], { count });
  await use(daemon, folder);
}

function boot(daemon: Daemon, guest = 0) {
  return { devices: [[daemon.socket(guest), "i2c"]] as const };
}

function describe(daemon: Daemon, ...options: string[]) {
  return { devicetree, sockets: daemon.folder.path, options };
}

/** The addresses that i2cdetect has marked. */
function detected(output: string): number[] {
  return [...output.matchAll(/^([0-7]0):(.*)$/gm)].flatMap(([, row, cells]) =>
    [...cells.matchAll(/\b[0-9a-f]{2}\b/g)].map(([cell]) => parseInt(cell, 16))
      .filter((address) => address >> 4 === parseInt(row, 16) >> 4)
  );
}

const plain = `
adapters:
  - simulated:
      parts:
        - { part: 24c02, address: 0x50 }
        - { part: 24c256, address: 0x54 }
        - { part: 24c16, address: 0x58 }
        - { part: lm75, address: 0x48, temperature: 23.5 }
        - { part: registers, address: 0x20, values: { 0x10: [0x12, 0x34, 0x56] } }
        - { part: nak, address: 0x21, after: 2 }
        - { part: stretch, address: 0x22, microseconds: 20000 }
`;

Deno.test("i2cdetect finds exactly the addresses that are listed", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", ["-l", "s:80:72,s:0x23"]);
  const output = await guestOutput(
    "i2cdetect -y 0; echo quick; i2cdetect -y -q 0; echo read; i2cdetect -y -r 0",
    boot(daemon),
  );
  const scans = output.split(/quick|read/);
  assertEquals(scans.length, 3);
  for (const scan of scans) assertEquals(detected(scan), [0x23, 0x48, 0x50]);
  assertNotMatch(daemon.log, /warn|error|debug/);
});

Deno.test("i2cset and i2cget write and read bytes and words", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", ["-l", "s:80"]);
  const output = await guestOutput(
    `i2cset -y 0 0x50 0x10 0xab; i2cset -y 0 0x50 0x20 0x1234 w
     i2cget -y 0 0x50 0x10; i2cget -y 0 0x50 0x20 w; i2cget -y 0 0x50 0x20; i2cget -y 0 0x50
     i2cset -y 0 0x50 0x28 1 2 3 4 i; i2cget -y 0 0x50 0x28 i 5`,
    boot(daemon),
  );
  assertEquals(output.trim().split("\n"), [
    "0xab",
    "0x1234",
    "0x34",
    "0x12",
    "0x01 0x02 0x03 0x04 0xff",
  ]);
});

Deno.test("i2cdump shows all registers of a chip", async () => {
  await withDaemon(plain, async (daemon) => {
    const output = await guestOutput("i2cdump -y 0 0x20 b; i2cdump -y 0 0x20 i", boot(daemon));
    const rows = [...output.matchAll(/^10: (.{47})/gm)].map(([, row]) => row);
    assertEquals(rows.length, 2);
    for (const row of rows) assertStrictEquals(row, "12 34 56" + " 00".repeat(13));
    assertEquals([...output.matchAll(/^[0-9a-f]0: 00/gm)].length, 30);
  });
});

Deno.test("i2ctransfer sends several messages with repeated starts", async () => {
  await withDaemon(plain, async (daemon) => {
    const output = await guestOutput(
      `i2ctransfer -y 0 w1@0x20 0x10 r2 w1 0x12 r1 w1@0x50 0 r3
       i2ctransfer -y 0 w4@0x50 0x08 1 2 3 w1 0x08 r4
       i2ctransfer -y 0 w1@0x20 0x10 $(for i in $(seq 41); do echo r1; done) | wc -l`,
      boot(daemon),
    );
    assertEquals(output.trim().split("\n"), [
      "0x12 0x34",
      "0x56",
      "0xff 0xff 0xff",
      "0x01 0x02 0x03 0xff",
      "41",
    ]);
  });
});

Deno.test("a message that fails in the middle of a group ends it, and the next one is served", async () => {
  await withDaemon(plain, async (daemon) => {
    const output = await guestOutput(
      `i2ctransfer -y 0 w2@0x50 0 0x11 w4@0x21 0 1 2 3 w2@0x50 0 0x22 2>&1 || :
       i2ctransfer -y 0 w1@0x50 0 w1@0x33 0 r1@0x50 2>&1 || :
       i2cget -y 0 0x50 0; i2cget -y 0 0x21 0`,
      boot(daemon),
    );
    assertEquals(output.trim().split("\n"), [
      "Warning: only 1/3 messages were sent",
      "Warning: only 1/3 messages were sent",
      "0x11",
      "0x01",
    ]);
  });
});

Deno.test("the kernel's at24 driver writes and reads whole EEPROMs of one and two address bytes", async () => {
  const script = `
    for chip in 0050 0054 0058; do
      file=/sys/bus/i2c/devices/0-$chip/eeprom
      size=$(stat -c %s $file)
      head -c $size /dev/urandom >/tmp/data
      cat /tmp/data >$file
      cmp /tmp/data $file && echo "$chip $size"
    done`;
  await withDaemon(plain, async (daemon) => {
    const output = await guestOutput(script, describe(daemon));
    assertEquals(output.trim().split("\n"), ["0050 256", "0054 32768", "0058 2048"]);
  });
});

Deno.test("the at24 driver waits for the write cycle, and the file keeps the contents", async () => {
  const config = `
adapters:
  - simulated:
      parts:
        - { part: 24c02, address: 0x50, file: "@FOLDER@/eeprom", write-cycle-ms: 5 }
`;
  const contents = Array.from({ length: 100 }, (_, index) => `${index + 1}\n`).join("").slice(
    0,
    256,
  );
  await withDaemon(config, async (daemon, folder) => {
    const file = "/sys/bus/i2c/devices/0-0050/eeprom";
    await guestOutput(`seq 100 | head -c 256 >${file}`, describe(daemon));
    assertStrictEquals(Deno.readTextFileSync(folder.file("eeprom")), contents);
    daemon.untilLogged(/requests were served/);
    // While a page is being written, the next one is refused, and tried again.
    const pages = 256 / 8;
    const served = Number(/(\d+) requests were served/.exec(daemon.log)?.[1]);
    assert(served >= 2 * pages, `${served} requests`);
  });
});

Deno.test("the kernel's lm75 driver reads the simulated temperature through hwmon", async () => {
  await withDaemon(plain, async (daemon) => {
    const output = await guestOutput(
      `cd /sys/class/hwmon/hwmon0; cat name temp1_input temp1_max temp1_max_hyst
       echo 60000 >temp1_max; cat temp1_max`,
      describe(daemon),
    );
    assertEquals(output.trim().split("\n"), ["lm75", "23500", "80000", "75000", "60000"]);
  });
});

Deno.test("the temperature follows its file", async () => {
  const config = `
adapters:
  - simulated:
      parts:
        - { part: lm75, address: 0x48, temperature-file: "@FOLDER@/temperature" }
`;
  using outside = new TemporaryFolder();
  Deno.writeTextFileSync(outside.file("temperature"), "-12.5\n");
  await withDaemon(config.replaceAll("@FOLDER@", outside.path), async (daemon) => {
    const output = await guestOutput(
      `cd /sys/class/hwmon/hwmon0; cat temp1_input
       echo 42 >/outside/temperature; sleep 0.3; cat temp1_input
       echo hot >/outside/temperature; sleep 0.3; cat temp1_input`,
      describe(daemon, "-M", `${outside.path}:/outside:rw`),
    );
    assertEquals(output.trim().split("\n"), ["-12500", "42000", "42000"]);
    assertMatch(daemon.log, /warn .*temperature file .*'hot' is no number/);
  });
});

Deno.test("a chip that stretches the clock is waited for", async () => {
  await withDaemon(plain, async (daemon) => {
    const output = await guestOutput(
      "i2cset -y 0 0x22 1 0x5a; time -p i2cget -y 0 0x22 1",
      boot(daemon),
    );
    assertMatch(output, /^0x5a/);
  });
});

Deno.test("an SMBus-only adapter serves what SMBus can do, and nothing else", async () => {
  const config = `
adapters:
  - simulated:
      smbus-only: true
      parts:
        - { part: registers, address: 0x20 }
`;
  const script = `
    i2cdetect -y 0 | grep -c 20
    i2cset -y 0 0x20 0 0x11; i2cset -y 0 0x20 1 0x2233 w; i2cset -y 0 0x20 3 0x44 0x55 i
    i2cget -y 0 0x20 0 i 5
    i2ctransfer -y 0 w1@0x20 0 r33 | wc -w
    i2ctransfer -y 0 w1@0x20 0 r34 2>&1 || :
    i2ctransfer -y 0 w1@0x20 0 r1 r1 2>&1 || :
    i2ctransfer -y 0 r2@0x20 2>&1 || :`;
  await withDaemon(config, async (daemon) => {
    const output = await guestOutput(script, boot(daemon));
    assertEquals(output.trim().split("\n"), [
      "1",
      "0x11 0x33 0x22 0x44 0x55",
      "33",
      "Warning: only 0/2 messages were sent",
      "Warning: only 0/3 messages were sent",
      "Warning: only 0/1 messages were sent",
    ]);
  });
});

Deno.test("two guests hammer one chip with 10,000 transfers each, and every byte is right", async () => {
  const config = `
adapters:
  - simulated:
      parts:
        - { part: 24c512, address: 0x50 }
`;
  // Every byte is a write, and a write with a repeated start and a read.
  const script = (first: number) => `
    echo 24c512 0x50 >/sys/bus/i2c/devices/i2c-0/new_device
    file=/sys/bus/i2c/devices/0-0050/eeprom
    head -c 5000 /dev/urandom >/tmp/data
    echo ready >/meet/${first}
    until [ $(ls /meet | wc -l) = 2 ]; do sleep 0.01; done
    dd if=/tmp/data of=$file bs=1 seek=${first} status=none
    dd if=$file of=/tmp/back bs=1 skip=${first} count=5000 status=none
    cmp /tmp/data /tmp/back
    sha256sum </tmp/data`;
  using meet = new TemporaryFolder();
  await withDaemon(config, async (daemon) => {
    const options = ["-M", `${meet.path}:/meet:rw`];
    await Promise.all([0, 1].map(async (guest) => {
      const output = await guestOutput(script(guest * 32768), { ...boot(daemon, guest), options });
      assertMatch(output, /^[0-9a-f]{64} /);
    }));
    await daemon.stop();
    const served = [...daemon.log.matchAll(/(\d+) requests were served/g)].map(([, n]) => +n);
    assertEquals(served.length, 2);
    for (const count of served) assert(count >= 15_000, `${count} requests`);
  }, 2);
});

Deno.test("the driver can be unbound and bound again", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", ["-l", "s:80"]);
  const script = `
    cd /sys/bus/virtio/drivers/i2c_virtio
    i2cset -y 0 0x50 0 0x77
    for i in 1 2 3; do echo virtio0 >unbind; echo virtio0 >bind; i2cget -y 0 0x50 0; done`;
  assertEquals(await guestOutput(script, boot(daemon)), "0x77\n0x77\n0x77\n");
});

Deno.test("a driver without zero-length requests gets no service", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", ["-l", "s:80"]);
  const script = `
    cd /sys/bus/virtio/drivers/i2c_virtio
    echo virtio0 >unbind
    echo 0 >/sys/kernel/debug/virtio/virtio0/filter_feature_add
    echo virtio0 >bind || :
    i2cdetect -l; echo the end`;
  assertEquals(await guestOutput(script, boot(daemon)), "the end\n");
  assertMatch(daemon.log, /driver does not take I2C_F_ZERO_LENGTH_REQUEST/);
});
