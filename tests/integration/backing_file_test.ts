import { assertEquals } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { I2cGuest } from "../support/i2c_driver.ts";
import { assertRefused, run } from "../support/refusals.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

/** A configuration file of each daemon, with a part that keeps its contents in a file. */
function i2c(folder: TemporaryFolder, ...files: string[]): string {
  const parts = files.map((file, index) =>
    `{ part: 24c02, address: ${80 + index}, file: ${file} }`
  );
  const path = folder.file("i2c.yaml");
  Deno.writeTextFileSync(path, `adapters: [{ simulated: { parts: [${parts}] } }]\n`);
  return path;
}

function spi(folder: TemporaryFolder, file: string): string {
  const path = folder.file("spi.yaml");
  Deno.writeTextFileSync(
    path,
    `guests: [{ simulated: { parts: [{ part: flash, file: ${file} }] } }]\n`,
  );
  return path;
}

for (const [what, link] of [["hard", Deno.linkSync], ["symbolic", Deno.symlinkSync]] as const) {
  Deno.test(`two daemons never write one file, with a ${what} link to it`, async () => {
    using folder = new TemporaryFolder();
    const [file, other] = [folder.file("eeprom"), folder.file("other")];
    {
      await using daemon = await Daemon.start("vhost-device-i2c", ["--config", i2c(folder, file)]);
      using guest = new I2cGuest(daemon.connect());
      guest.write(80, 0, 7);
      link(file, other);
      const args = ["-s", folder.file("socket"), "--config", spi(folder, other)];
      assertRefused(await run("vhost-device-spi", args), {
        program: "vhost-device-spi",
        code: 1,
        value: `flash file '${other}' is in use by another process`,
        remedy: "end that one or choose another file",
      });
    }
    // Gone, however it has ended, a daemon has nothing any more.
    await using _daemon = await Daemon.start("vhost-device-spi", ["--config", spi(folder, other)]);
    assertEquals(Deno.readFileSync(file).length, 256 * 1024);
    assertEquals(Deno.readFileSync(file)[0], 7);
  });

  Deno.test(`two parts of a daemon never write one file, with a ${what} link to it`, async () => {
    using folder = new TemporaryFolder();
    const [file, other] = [folder.file("eeprom"), folder.file("other")];
    Deno.writeFileSync(file, new Uint8Array(256));
    link(file, other);
    const args = ["-s", folder.file("socket"), "--config", i2c(folder, file, other)];
    assertRefused(await run("vhost-device-i2c", args), {
      program: "vhost-device-i2c",
      value: `24c02 file '${other}' is '${file}' of another part, a 24c02`,
      remedy: "give each a file of its own",
    });
  });
}
