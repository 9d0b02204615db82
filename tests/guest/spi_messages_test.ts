import { assert, assertEquals } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { moduleProgram } from "../support/module_program.ts";
import type { RecordedRequest } from "../support/spi_recorder.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput } from "../support/uml.ts";
import { testsInGuest } from "../support/tests_in_guest.ts";
import { spiDevicetree } from "./spi/devicetree.ts";
import { type ChipName, chipNames, chips, type Recording } from "./spi/messages/chips.ts";

const RECORDER = new URL("../support/spi_recorder.ts", import.meta.url);
const REPLAY = "tests/guest/spi/messages/replay.ts";

/** Messages that there have to be for the test to mean something, as the lengths of transfers. */
const WANTED: [chip: ChipName, lengths: number[]][] = [
  ["at25", [1]],
  ["at25", [1, 2, 7]],
  ["nor", [1, 3, 256]],
  ["nor", [1, 3]],
  ["nand", [1, 3]],
  ["nand", [1, 1, 1]],
  ["adxl355", [1, 2]],
  ["adxl355", [2]],
  ["spidev", [2]],
  ["spidev", [4]],
];

const devicetree = spiDevicetree(
  chipNames.map((name, at) =>
    `chip@${at} {
      reg = <${at}>;
      spi-max-frequency = <10000000>;
      ${chips[name].devicetree}
    };`
  ).join("\n"),
);

const script = `
  mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true
  ${
  chipNames.map((name, at) => `(cd /sys/bus/spi/devices/spi3.${at}\n${chips[name].script})`)
    .join("\n")
}
  cat /sys/kernel/tracing/trace`;

/** Messages as the guest's SPI core has carried them out, by chip select. */
function messagesOf(trace: string): number[][][] {
  const messages: number[][][] = chipNames.map(() => []);
  for (const line of trace.split("\n")) {
    const event = /: spi_(message|transfer)_start: spi3\.(\d) \S+(?: len=(\d+))?/.exec(line);
    if (event === null) continue;
    const [, kind, chipSelect, length] = event;
    const own = messages[Number(chipSelect)];
    // Transfers without data are delays, which the guest's driver does not pass on.
    if (kind === "message") own.push([]);
    else if (length !== "0") own.at(-1)!.push(Number(length));
  }
  return messages;
}

function readRequests(record: string): RecordedRequest[] {
  return Deno.readTextFileSync(record).trim().split("\n").map((line) => JSON.parse(line));
}

/** Has drivers do something in a guest, and notes what they send. */
async function record(): Promise<Recording> {
  using folder = new TemporaryFolder();
  const program = moduleProgram(folder.file("recorder"), RECORDER);
  const record = folder.file("requests");
  const models = chipNames.map((name) => chips[name].model).join(",");
  const args = ["--chips", models, "--record", record];
  await using daemon = await Daemon.start("recorder", args, { program });
  const file = folder.file("guest.dts");
  Deno.writeTextFileSync(file, devicetree);
  const trace = await guestOutput(script, {
    devicetree: file,
    sockets: daemon.folder.path,
    options: ["-a", "trace_event=spi", "-a", "trace_buf_size=4M"],
  });
  const requests = readRequests(record);
  const messages = messagesOf(trace);
  for (const [chipSelect, expected] of messages.entries()) {
    // What was recorded is all that the kernel has sent.
    const lengths = requests.filter((it) => it.chipSelect === chipSelect)
      .map(({ tx, rx }) => Math.max(tx.length, rx));
    assertEquals(lengths, expected.flat(), chipNames[chipSelect]);
  }
  const byName = Object.fromEntries(chipNames.map((name, index) => [name, messages[index]]));
  return { requests, messages: byName as Record<ChipName, number[][]> };
}

Deno.test("messages of drivers end on a real node where the drivers' messages end", async (t) => {
  using folder = new TemporaryFolder();
  const recording = await record();
  const { messages } = recording;
  await t.step("what was recorded is what the rules are for", () => {
    for (const [chip, wanted] of WANTED) {
      assert(
        messages[chip].some((lengths) => `${lengths}` === `${wanted}`),
        `${chip} sends no ${wanted}: ${JSON.stringify(messages[chip].slice(0, 50))}`,
      );
    }
  });
  Deno.writeTextFileSync(folder.file("recording.json"), JSON.stringify(recording));
  const options = ["-a", "uml_sim.spi=1", "-M", folder.path];
  await testsInGuest(t, REPLAY, { options, limit: 300, args: [folder.path] });
});

const muxed = `/dts-v1/;
  / {
    compatible = "linux,uml-virtio-guest";
    #address-cells = <1>;
    #size-cells = <0>;
    aliases { spi3 = &spi; };
    virtio-gpio {
      compatible = "virtio,uml";
      virtio-device-id = <41>;
      socket-path = "@SOCKETS@/gpio";
      gpio: gpio {
        compatible = "virtio,device29";
        gpio-controller;
        #gpio-cells = <2>;
      };
    };
    mux: mux-controller {
      compatible = "gpio-mux";
      #mux-control-cells = <0>;
      mux-gpios = <&gpio 0 0>;
      idle-state = <1>;
    };
    virtio-spi {
      compatible = "virtio,uml";
      virtio-device-id = <45>;
      socket-path = "@SOCKETS@/spi";
      spi: spi {
        compatible = "virtio,device2d";
        #address-cells = <1>;
        #size-cells = <0>;
        spi@0 {
          compatible = "spi-mux";
          reg = <0>;
          #address-cells = <1>;
          #size-cells = <0>;
          spi-max-frequency = <10000000>;
          mux-controls = <&mux>;
          eeprom: eeprom@0 {
            reg = <0>;
            spi-max-frequency = <10000000>;
            ${chips.at25.devicetree}
          };
        };
      };
    };
  };`;

Deno.test("spi-mux on a virtio GPIO line selects a chip for each message, from its start to its end", async () => {
  using folder = new TemporaryFolder();
  const program = moduleProgram(folder.file("recorder"), RECORDER);
  await using gpio = await Daemon.start("vhost-device-gpio", ["-l", "s1", "--log-level", "debug"]);
  const record = folder.file("requests");
  const args = ["--chips", "at25", "--record", record, "--beside", gpio.folder.file("log")];
  await using spi = await Daemon.start("recorder", args, { program });
  Deno.symlinkSync(spi.socket(), folder.file("spi"));
  Deno.symlinkSync(gpio.socket(), folder.file("gpio"));
  const file = folder.file("guest.dts");
  Deno.writeTextFileSync(file, muxed);
  const trace = await guestOutput(
    `
    mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true
    while [ ! -e /sys/bus/spi/devices/spi4.0/eeprom ]; do sleep 0.02; done
    cd /sys/bus/spi/devices/spi4.0
    ${chips.at25.script}
    cat /sys/kernel/tracing/trace`,
    { devicetree: file, sockets: folder.path, options: ["-a", "trace_event=spi"] },
  );
  const log = new TextEncoder().encode(gpio.log);
  const onWire: number[][] = [];
  for (const { tx, rx, beside } of readRequests(record)) {
    // What the line's daemon had logged, and so done, when the transfer came.
    const before = new TextDecoder().decode(log.subarray(0, beside));
    const levels = [...before.matchAll(/line 0 .*: value (\d)/g)].map(([, level]) => level);
    assertEquals(levels.at(-1), "0", "the chip is not selected");
    (onWire[levels.length] ??= []).push(Math.max(tx.length, rx));
  }
  assertEquals(onWire.filter((lengths) => lengths !== undefined), messagesOf(trace)[0]);
  assertEquals([...gpio.log.matchAll(/line 0 .*: value (\d)/g)].at(-1)?.[1], "1");
});
