/**
 * Paths below `/dev`, which Deno's own functions refuse to programs that may not do everything.
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { FrontEnd } from "../support/front_end.ts";
import { I2cGuest, OK } from "../support/i2c_driver.ts";
import { isListening } from "../support/process_state.ts";
import { SpiGuest } from "../support/spi_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";

const PARENT = "/dev/shm";

Deno.test("a socket below /dev is served, a stale one replaced, and taken away at the end", async () => {
  using folder = new TemporaryFolder(PARENT);
  const args = ["-s", folder.file("socket"), "-l", "s1"];
  const path = folder.file("socket0");
  for (const [signal, left] of [["SIGKILL", ["socket0"]], ["SIGTERM", []]] as const) {
    await using daemon = await Daemon.start("vhost-device-gpio", args, { socketOption: false });
    until("the socket", () => isListening(path));
    FrontEnd.connect(path).close();
    await daemon.stop(signal);
    assertEquals<readonly string[]>(
      [...Deno.readDirSync(folder.path)].map(({ name }) => name),
      left,
    );
  }
});

Deno.test("what simulated I2C chips read and write may be below /dev", async () => {
  using folder = new TemporaryFolder(PARENT);
  const [eeprom, temperature] = [folder.file("eeprom"), folder.file("temperature")];
  Deno.writeTextFileSync(temperature, "21.5\n");
  const config = folder.file("i2c.yaml");
  Deno.writeTextFileSync(
    config,
    `adapters:
  - simulated:
      parts:
        - { part: 24c02, address: 0x50, file: ${eeprom} }
        - { part: lm75, address: 0x48, temperature-file: ${temperature} }
`,
  );
  await using daemon = await Daemon.start("vhost-device-i2c", ["--config", config]);
  using guest = new I2cGuest(daemon.connect());
  assertStrictEquals(guest.write(0x50, 0x10, 1, 2), OK);
  assertEquals([...Deno.readFileSync(eeprom).subarray(0x0f, 0x13)], [0xff, 1, 2, 0xff]);
  assertEquals(guest.writeRead(0x48, [0], 2), [21, 0x80]);
});

Deno.test("a flash's file may be below /dev", async () => {
  using folder = new TemporaryFolder(PARENT);
  const config = folder.file("spi.yaml");
  const flash = folder.file("flash");
  Deno.writeTextFileSync(
    config,
    `guests: [simulated: { parts: [{ part: flash, file: ${flash} }] }]\n`,
  );
  await using daemon = await Daemon.start("vhost-device-spi", ["--config", config]);
  using guest = new SpiGuest(daemon.connect());
  guest.transfer({}, { tx: [0x06] });
  guest.transfer({}, { tx: [0x02, 0, 1, 0, 0x12, 0x34] });
  assertEquals([...Deno.readFileSync(flash).subarray(0x100, 0x103)], [0x12, 0x34, 0xff]);
});
