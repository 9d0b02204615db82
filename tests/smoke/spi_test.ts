/** The SPI daemon behind a guest in QEMU 11 that is paused; what others do is in scenarios/spi.yaml. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { Monitor, RunningGuest } from "../support/qemu.ts";
import { encodeHead, SpiGuest } from "../support/spi_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

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
