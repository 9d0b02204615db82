/** Traces of what Linux does, as programs of others read them. */

import { assert, assertEquals } from "@std/assert";
import { ctlOutput } from "../support/ctl.ts";
import { Daemon } from "../support/daemon.ts";
import { convertToFst, decoded } from "../support/sigrok.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { levels, TraceFile } from "../support/trace.ts";
import { guestOutput, startGuest } from "../support/uml.ts";
import { spiDevicetree } from "./spi/devicetree.ts";

const I2C = "i2c:scl=SCL:sda=SDA";
const SPI = "spi:clk=SCLK:mosi=MOSI:miso=MISO:cs=CS0";

/** What `use` makes of a daemon with this configuration; then it has ended, and left a trace. */
async function traceOf(
  kind: string,
  config: string,
  folder: TemporaryFolder,
  use: (daemon: Daemon) => Promise<void>,
): Promise<string> {
  const path = folder.file(`${kind}.vcd`);
  Deno.writeTextFileSync(folder.file("config.yaml"), config);
  const args = ["--config", folder.file("config.yaml"), "--trace", path];
  const control = ["--control", folder.file("control")];
  await using daemon = await Daemon.start(`vhost-device-${kind}`, [...args, ...control]);
  await use(daemon);
  return path;
}

const CHIPS = `
adapters:
  - simulated:
      parts:
        - { part: 24c02, address: 0x50 }
        - { part: lm75, address: 0x48, temperature: 23.5 }
`;

Deno.test("sigrok finds in the trace of an EEPROM and a sensor what i2c-tools did with them", async () => {
  using folder = new TemporaryFolder();
  const path = await traceOf("i2c", CHIPS, folder, async (daemon) => {
    await guestOutput(
      `i2cset -y 0 0x50 0x10 0xab
       i2cset -y 0 0x50 0x20 1 2 3 4 i
       i2cget -y 0 0x50 0x10
       i2cget -y 0 0x50 0x20 i 5
       i2ctransfer -y 0 w2@0x50 0x28 0x77
       i2ctransfer -y 0 w1@0x50 0x28 r1
       i2cget -y 0 0x48 0 w`,
      { devices: [[daemon.socket(), "i2c"]] },
    );
  });
  assertEquals(decoded(path, `${I2C},eeprom24xx`, "ops").slice(0, 6), [
    "Byte write (addr=10, 1 byte): AB",
    "Page write (addr=20, 4 bytes): 01 02 03 04",
    "Random access read (addr=10, 1 byte): AB",
    "Sequential random read (addr=20, 5 bytes): 01 02 03 04 FF",
    "Byte write (addr=28, 1 byte): 77",
    "Random access read (addr=28, 1 byte): 77",
  ]);
  // The last one is the sensor's own.
  assertEquals(decoded(path, `${I2C},lm75`, "celsius").at(-1), "Temperature: 23.5 °C");
  const messages = decoded(path, I2C, "address-read", "address-write", "data-read", "data-write");
  assertEquals(messages.filter((line) => /: /.test(line)).slice(-5), [
    ...[
      "Address write: 48",
      "Data write: 00",
      "Address read: 48",
      "Data read: 17",
      "Data read: 80",
    ],
  ]);
  convertToFst(path);
});

Deno.test("the trace of a daemon that was killed is read by sigrok and GTKWave, to the last", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("killed.vcd");
  await using daemon = await Daemon.start("vhost-device-i2c", ["-l", "s:0x50", "--trace", path]);
  const guest = startGuest(
    "for at in $(seq 1 250); do i2cset -y 0 0x50 $at $at; done; sleep 60",
    { devices: [[daemon.socket(), "i2c"]] },
  );
  const trace = new TraceFile(path);
  trace.until("what happened", (trace) => trace.changes.length > 5000);
  await daemon.stop("SIGKILL");
  guest.kill("SIGTERM");
  await guest.output();
  const writes = decoded(path, `${I2C},eeprom24xx`, "ops");
  writes.forEach((line, index) => {
    const byte = (index + 1).toString(16).toUpperCase().padStart(2, "0");
    assertEquals(line, `Byte write (addr=${byte}, 1 byte): ${byte}`);
  });
  assert(writes.length > 50, `${writes.length} writes`);
  convertToFst(path);
});

const FLASH = `
  flash@0 {
    compatible = "jedec,spi-nor";
    reg = <0>;
    spi-max-frequency = <10000000>;
  };`;

/** `hello, flash` */
const HELLO = "68 65 6c 6c 6f 2c 20 66 6c 61 73 68";

Deno.test("sigrok finds in the trace of a flash what Linux' spi-nor did with it", async () => {
  using folder = new TemporaryFolder();
  const config = "guests: [{ simulated: { parts: [{ part: flash }] } }]";
  const path = await traceOf("spi", config, folder, async (daemon) => {
    const devicetree = folder.file("guest.dts");
    Deno.writeTextFileSync(devicetree, spiDevicetree(FLASH));
    const output = await guestOutput(
      `printf 'hello, flash' | dd of=/dev/mtd0 bs=12 seek=1 conv=notrunc status=none
       dd if=/dev/mtd0 bs=12 skip=1 count=2 status=none | od -An -tx1`,
      { devicetree, sockets: daemon.folder.path },
    );
    assertEquals(output.trim().split(/\s+/).slice(0, 12).join(" "), HELLO);
  });
  const commands = decoded(path, `${SPI},spiflash`, "pp", "read", "fast/read", "rdid", "wren");
  const found = (pattern: RegExp) => commands.filter((line) => pattern.test(line));
  assertEquals(found(/^Page program \(addr/), [
    `Page program (addr 0x00000c, 12 bytes): ${HELLO}`,
  ]);
  assertEquals(found(/^(Fast r|R)ead data \(addr/), [
    `Read data (addr 0x00000c, 12 bytes): ${HELLO}`,
    `Read data (addr 0x000018, 12 bytes): ${"ff ".repeat(12).trim()}`,
  ]);
  convertToFst(path);
});

const LINES = `
guests:
  - simulated:
      lines:
        - { name: button, direction: input }
        - { name: relay }
`;

Deno.test("a trace of lines agrees with gpiomon and gpioset edge for edge", async () => {
  using folder = new TemporaryFolder();
  const edges = 16;
  let seen: number[][] = [];
  const path = await traceOf("gpio", LINES, folder, async (daemon) => {
    const output = guestOutput(
      `gpiomon --format '%e %S' -n ${edges} -c 0 button
       gpioset -t 20ms,30ms,10ms,0 -c 0 relay=1`,
      { devices: [[daemon.socket(), "gpio"]] },
    );
    const control = ["-c", folder.file("control")];
    await ctlOutput(...control, "wait", "button.interrupt=both", "--timeout=60s");
    const trace = new TraceFile(folder.file("gpio.vcd"));
    for (let edge = 1; edge <= edges; edge++) {
      await ctlOutput(...control, "set", `button=${edge % 2}`);
      // Linux looks at the level when it gets to it: it has, once it is ready for the next edge.
      const done = "0" + "10".repeat(edge);
      trace.until(`edge ${edge}`, (trace) => levels(trace, "button_interrupt") === done);
    }
    seen = (await output).trim().split("\n").map((line) => line.split(" ").map(Number));
  });
  const trace = new TraceFile(path).read();
  assertEquals(levels(trace, "button").slice(1), "10".repeat(edges / 2));
  // 1 is rising, 2 falling.
  assertEquals(seen.map(([edge]) => edge), Array(edges / 2).fill([1, 2]).flat());
  // The guest has been told of each: from an interrupt to the next it was ready for another.
  assertEquals(levels(trace, "button_interrupt"), "0" + "10".repeat(edges));
  assertEquals(levels(trace, "button_rising"), "010");
  assertEquals(levels(trace, "relay"), "01010");
  assertEquals(levels(trace, "relay_output"), "010");
  // As far apart in the guest as in the trace, as well as a guest can tell.
  const button = trace.wires.findIndex(({ name }) => name === "button");
  const times = trace.changes.filter(({ wire }) => wire === button).slice(1)
    .map(({ time }) => time / 1e9);
  const total = times.at(-1)! - times[0];
  const guestTotal = seen.at(-1)![1] - seen[0][1];
  assert(Math.abs(total - guestTotal) < 0.5, `${total} s, in the guest ${guestTotal} s`);
  convertToFst(path);
});
