import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { Daemon } from "../support/daemon.ts";
import { until } from "../support/wait.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { testsInGuest } from "../support/tests_in_guest.ts";
import { guestOutput, startGuest } from "../support/uml.ts";
import { spiDevicetree } from "./spi/devicetree.ts";
import { pattern } from "./spi/spidev.ts";

const here = (name: string) => fileURLToPath(new URL(`./spi/${name}`, import.meta.url));

Deno.test("what programs in a guest do with Linux's SPI drivers", async (context) => {
  using folder = new TemporaryFolder();
  const config = Deno.readTextFileSync(here("drivers.yaml")).replace("@FOLDER@", folder.path);
  Deno.writeTextFileSync(folder.file("spi.yaml"), config);
  const contents = new Uint8Array(1024 * 1024).fill(0xff);
  contents.set(pattern(5000, 7), 0x8f000);
  Deno.writeFileSync(folder.file("flash"), contents);
  const args = ["--config", folder.file("spi.yaml")];
  await using daemon = await Daemon.start("vhost-device-spi", args, { count: 2 });
  await testsInGuest(context, "tests/guest/spi/drivers.ts", {
    devicetree: here("drivers.dts"),
    sockets: daemon.folder.path,
    options: ["-a", "spidev.bufsiz=65536"],
  });
  await context.step("the flash's file holds what the guest has written and erased", () => {
    const flash = Deno.readFileSync(folder.file("flash"));
    assertEquals(flash.slice(0x20003, 0x20003 + 5001), pattern(5001, 3));
    assertEquals(flash.slice(0x90000, 0xa0000), new Uint8Array(65536).fill(0xff));
  });
});

/** Runs a script in a guest whose controller has one chip. */
async function withChip(
  daemon: Daemon,
  chip: string,
  script: string,
  parameters: readonly string[] = [],
): Promise<string> {
  const file = daemon.folder.file("guest.dts");
  Deno.writeTextFileSync(file, spiDevicetree(chip));
  return await guestOutput(script, {
    devicetree: file,
    sockets: daemon.folder.path,
    options: parameters.flatMap((parameter) => ["-a", parameter]),
  });
}

const loopbackTest = `
  loopback@0 {
    compatible = "linux,spi-loopback-test";
    reg = <0>;
    spi-max-frequency = <100000000>;
  };`;

Deno.test("the kernel's spi-loopback-test passes, data, ranges and times", async () => {
  await using daemon = await Daemon.start("vhost-device-spi", ["-l", "s1"]);
  const log = await withChip(daemon, loopbackTest, "dmesg | grep spi-loopback-test", [
    "spi_loopback_test.loopback=1",
    "spi_loopback_test.delay_ms=0",
  ]);
  assertMatch(log, /Finished spi-loopback-tests with return: 0/, log);
});

const spidevNode = `
  spidev@0 {
    compatible = "rohm,dh2228fv";
    reg = <0>;
    spi-max-frequency = <1000000>;
  };`;

Deno.test("the driver can be unbound and bound again", async () => {
  await using daemon = await Daemon.start("vhost-device-spi", ["-l", "s1"]);
  const output = await withChip(
    daemon,
    spidevNode,
    `
    echo_it() { printf "$1" | spi-pipe -d /dev/spidev3.0 -b 5 -n 1; echo; }
    cd /sys/bus/virtio/drivers/spi_virtio
    device=$(basename "$(echo virtio*)")
    echo_it first
    for round in 1 2 3; do
      echo "$device" > unbind
      [ ! -e /dev/spidev3.0 ]
      echo "$device" > bind
      echo_it again
    done`,
  );
  assertEquals(output, "first\nagain\nagain\nagain\n");
});

Deno.test("a guest that is killed in the middle of a transfer can be booted again", async () => {
  using folder = new TemporaryFolder();
  const config = folder.file("spi.yaml");
  Deno.writeTextFileSync(config, "guests: [simulated: 1]\nmax-transfer-ms: 60000\n");
  await using daemon = await Daemon.start("vhost-device-spi", ["--config", config]);
  const file = daemon.folder.file("guest.dts");
  Deno.writeTextFileSync(file, spiDevicetree(spidevNode));
  const boot = { devicetree: file, sockets: daemon.folder.path };
  const send = "head -c 4096 /dev/zero | spi-pipe -d /dev/spidev3.0 -b 4096 -n 1";
  const fds: number[] = [];
  for (let round = 0; round < 5; round++) {
    // A transfer of 33 s.
    const slow = `spi-config -d /dev/spidev3.0 -s 1000; echo ready; ${send} -s 1000 >/dev/null`;
    const guest = startGuest(slow, boot);
    const reader = guest.stdout.getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 50));
    guest.kill("SIGTERM");
    reader.releaseLock();
    await Promise.all([guest.stdout.cancel(), guest.stderr.cancel(), guest.status]);
    assertEquals(await guestOutput(`${send} | wc -c`, boot), "4096\n");
    const ends = 2 * (round + 1);
    until(`${ends} ends`, () => daemon.log.match(/front-end gone/g)?.length === ends);
    fds.push(daemon.fdCount());
  }
  assertEquals(new Set(fds).size, 1, `${fds}`);
});

Deno.test("two guests use a controller at the same time", async () => {
  await using daemon = await Daemon.start("vhost-device-spi", ["-l", "s1"], { count: 2 });
  const guest = async (index: number) => {
    const file = daemon.folder.file(`guest${index}.dts`);
    Deno.writeTextFileSync(file, spiDevicetree(spidevNode).replace("socket0", `socket${index}`));
    const script = `
      for round in $(seq 200); do
        text=$(printf 'guest ${index} round %03d' $round)
        [ "$(printf "$text" | spi-pipe -d /dev/spidev3.0 -b 17 -n 1)" = "$text" ]
      done
      echo done`;
    return await guestOutput(script, { devicetree: file, sockets: daemon.folder.path });
  };
  assertEquals(await Promise.all([guest(0), guest(1)]), ["done\n", "done\n"]);
});

const largeFlash = `
  flash@0 {
    compatible = "jedec,spi-nor";
    reg = <0>;
    spi-max-frequency = <50000000>;
    spi-rx-bus-width = <4>;
  };`;

Deno.test("spi-nor finds a flash of 32 MiB by its parameters, reads over four lines and waits for it", async () => {
  using folder = new TemporaryFolder();
  const config = folder.file("spi.yaml");
  const part = "{ part: flash, size-kib: 32768, erase-ms: 3, program-us: 300 }";
  Deno.writeTextFileSync(config, `guests: [simulated: { parts: [${part}], rx-lines: 4 }]\n`);
  await using daemon = await Daemon.start("vhost-device-spi", ["--config", config]);
  const output = await withChip(
    daemon,
    largeFlash,
    `
    cat /sys/kernel/debug/spi-nor/spi3.0/params
    seq 1 2000 >/tmp/data
    size=$(stat -c %s /tmp/data)
    dd if=/tmp/data of=/dev/mtdblock0 bs=1M seek=20 conv=notrunc status=none
    sync
    dd if=/dev/mtd0 bs=1M skip=20 count=1 status=none | head -c "$size" | cmp - /tmp/data
    dd if=/dev/mtd0 bs=1M skip=4 count=1 status=none | head -c 4 | od -An -tx1`,
  );
  assertMatch(output, /^size\s+32\.0 MiB$/m);
  assertMatch(output, /^address nbytes\s+4$/m);
  assertMatch(output, /^ read\s+0x6c$/m);
  assertMatch(output, /^ read\s+1S-1S-4S$/m);
  assertMatch(output, /^ ff ff ff ff$/m);
  assertNotMatch(daemon.log, /refused|failed/);
});
