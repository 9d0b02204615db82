/** The SPI daemon behind QEMU 11, which is the first to have SPI: spidev on simulated chips. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { guestChecks, Monitor, qemuOutput, RunningGuest } from "../support/qemu.ts";
import { encodeHead, SpiGuest } from "../support/spi_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const config = `
guests:
  - simulated:
      parts:
        - part: loopback
        - { part: registers, values: { 0x0f: 0x33 }, read-only: [0x0f], failing: [0x7f] }
`;

/** What the daemon has logged once the guest has gone. */
let log = "";

/** There is no devicetree to name the chips. */
const chips = `
  for chip in 0 1; do
    [ -e /dev/spidev0.$chip ] || echo spidev $chip 1000000 >/sys/class/spi_master/spi0/new_device
  done`;

guestChecks([
  {
    name: "QEMU 11: what spi-pipe sends to a loopback comes back",
    script: `${chips}
      printf hello | spi-pipe -d /dev/spidev0.0 -b 5 -n 1; echo
      head -c 4096 /dev/urandom >/tmp/data
      spi-pipe -d /dev/spidev0.0 -b 4096 -n 1 </tmp/data | cmp - /tmp/data && echo 4096`,
    check: (output) => assertEquals(output, "hello\n4096\n"),
  },
  {
    name: "QEMU 11: each chip select has its chip",
    // A register's number with bit 7 to read it, and the byte that comes then.
    script: `${chips}
      printf '\\x8f\\0' | spi-pipe -d /dev/spidev0.1 -b 2 -n 1 | od -An -tx1
      printf '\\x05\\x5a' | spi-pipe -d /dev/spidev0.1 -b 2 -n 1 >/dev/null
      printf '\\x85\\0' | spi-pipe -d /dev/spidev0.1 -b 2 -n 1 | od -An -tx1`,
    check: (output) =>
      assertEquals([...output.matchAll(/ (\w\w)$/gm)].map(([, it]) => it), ["33", "5a"]),
  },
  {
    name: "QEMU 11: a transfer that fails is told of, and the next one is served",
    script: `${chips}
      printf '\\xff\\0' | spi-pipe -d /dev/spidev0.1 -b 2 -n 1 >/dev/null 2>/tmp/error || :
      grep -c . /tmp/error
      printf again | spi-pipe -d /dev/spidev0.0 -b 5 -n 1`,
    check: (output) => assertMatch(output, /^[1-9]\d*\nagain$/),
  },
  {
    name: "QEMU 11: the SPI driver can be unbound and bound again",
    script: `
      cd /sys/bus/virtio/drivers/spi_virtio
      device=$(basename virtio*)
      for round in 1 2 3; do
        echo $device >unbind
        [ ! -e /sys/class/spi_master/spi0 ]; [ ! -e /dev/spidev0.0 ]
        echo $device >bind
        ${chips}
        printf 'round %d\\n' $round | spi-pipe -d /dev/spidev0.0 -b 8 -n 1
      done
      ! dmesg | grep -E 'BUG|WARNING'`,
    check(output) {
      assertEquals(output, "round 1\nround 2\nround 3\n");
      assertEquals(log.match(/ready:/g)?.length, 4, log);
    },
  },
], async (script) => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("spi.yaml"), config);
  const args = ["--config", folder.file("spi.yaml")];
  await using daemon = await Daemon.start("vhost-device-spi", args);
  const output = await qemuOutput(script, { version: "11", devices: [[daemon.socket(), "spi"]] });
  await daemon.stop();
  log = daemon.log;
  return output;
});

Deno.test("QEMU 11: a guest that is paused while its transfer waits for the bus gets it done afterwards", async () => {
  using folder = new TemporaryFolder();
  const file = folder.file("spi.yaml");
  Deno.writeTextFileSync(file, "guests: [simulated: 1]\nmax-transfer-ms: 60000\n");
  await using daemon = await Daemon.start("vhost-device-spi", ["--config", file], { count: 2 });
  const guest = new RunningGuest(
    `echo spidev 0 1000000 >/sys/class/spi_master/spi0/new_device
     touch /meet/ready; until [ -e /meet/go ]; do usleep 10000; done
     touch /meet/sent; printf hello | spi-pipe -d /dev/spidev0.0 -b 5 -n 1`,
    {
      version: "11",
      devices: [[daemon.socket(), "spi"]],
      options: ["-M", `${folder.path}:/meet:rw`],
      qemuOptions: Monitor.options(folder.file("monitor")),
    },
  );
  const isThere = (name: string) =>
    [...Deno.readDirSync(folder.path)].some((entry) => entry.name === name);
  await guest.until("the guest's node", () => isThere("ready"));
  using monitor = await Monitor.connect(folder.file("monitor"));
  using other = new SpiGuest(daemon.connect(1));
  // A transfer of 16 s.
  const request = new Uint8Array(32 + 2000);
  request.set(encodeHead({ frequency: 1000 }));
  other.queues[0].submit(other.segments(request, 1));
  other.frontEnd.barrier();
  Deno.writeTextFileSync(folder.file("go"), "");
  await guest.until("its transfer", () => isThere("sent"));
  // From here to the bus there is nothing to be seen.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await monitor.execute("stop");
  await monitor.execute("cont");
  assert(!other.queues[0].hasUsed());
  other.frontEnd.close();
  assertEquals(await guest.output(), "hello");
  assertMatch(daemon.log, /guest 0: ready[^]*guest 0: ready/);
});
