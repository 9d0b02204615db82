/** Parts of one daemon interrupt a guest at lines of another, for Linux's drivers. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ControlClient } from "../support/control_client.ts";
import { type ControlDaemon, startControlled } from "../support/control_daemon.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput } from "../support/uml.ts";

const LINES = `
guests:
  - simulated:
      lines:
        - { name: accel-int }
        - { name: expander-int, value: 1 }
        - { name: ready }
`;

/** A guest with a GPIO chip and one more controller with a chip. */
function devicetree(kind: "spi" | "i2c", chip: string): string {
  const [id, compatible, bus] = kind === "spi"
    ? [45, "virtio,device2d", "spi3"]
    : [34, "virtio,device22", "i2c3"];
  return `/dts-v1/;
    / {
      compatible = "linux,uml-virtio-guest";
      #address-cells = <1>;
      #size-cells = <0>;
      aliases { ${bus} = &bus; };
      virtio-gpio {
        compatible = "virtio,uml";
        virtio-device-id = <41>;
        socket-path = "@SOCKETS@/gpio";
        gpio: gpio {
          compatible = "virtio,device29";
          gpio-controller;
          #gpio-cells = <2>;
          interrupt-controller;
          #interrupt-cells = <2>;
        };
      };
      virtio-bus {
        compatible = "virtio,uml";
        virtio-device-id = <${id}>;
        socket-path = "@SOCKETS@/bus";
        bus: bus {
          compatible = "${compatible}";
          #address-cells = <1>;
          #size-cells = <0>;
          ${chip}
        };
      };
    };`;
}

/** Runs a script in a guest; it says with the line `ready` when somebody outside is to go on. */
async function run(
  kind: "spi" | "i2c",
  chip: string,
  parts: string,
  script: string,
  outside: (part: ControlClient, lines: ControlClient, ready: () => Promise<void>) => Promise<void>,
): Promise<string> {
  await using gpio = await startControlled("gpio", LINES);
  await using it = await startControlled(kind, `gpio-control: ${gpio.path}\n${parts}`);
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("guest.dts"), devicetree(kind, chip));
  const link = (of: ControlDaemon, name: string) =>
    Deno.symlinkSync(of.daemon.socket(), folder.file(name));
  link(gpio, "gpio");
  link(it, "bus");
  using lines = await gpio.connect();
  using part = await it.connect();
  using watch = await gpio.connect();
  await watch.call("subscribe", { things: ["ready"] });
  const ready = async () => {
    for (;;) {
      const { name, value } = await watch.event();
      if (name === "ready" && value === 1) return;
    }
  };
  const guest = guestOutput(
    `ready() { gpioset -t 20ms,0 -c 0 ready=1; }\n${script}`,
    { devicetree: folder.file("guest.dts"), sockets: folder.path },
  );
  const [output] = await Promise.all([guest, Promise.race([outside(part, lines, ready), guest])]);
  assertMatch(it.daemon.log, /interrupts drive lines of the GPIO daemon at control socket/);
  return output;
}

const ACCEL = `
  accel@0 {
    compatible = "adi,adxl345"; reg = <0>; spi-max-frequency = <5000000>; spi-cpol; spi-cpha;
    interrupt-parent = <&gpio>; interrupts = <0 4>; interrupt-names = "INT1";
  };`;

Deno.test("an accelerometer's driver gets its interrupts: activity, data of its FIFO, a tap", async () => {
  const output = await run(
    "spi",
    ACCEL,
    "guests: [{ simulated: { parts: [{ part: adxl345, name: accel, z: 0, interrupt: accel-int }] } }]",
    `
    interrupts() { awk '/adxl345/ { print $2 }' /proc/interrupts; }
    cd /sys/bus/spi/devices/spi3.0/iio:device*
    echo 1 > events/in_accel_mag_rising_en
    sleep 0.05
    echo "at rest: $(interrupts)"
    ready
    until [ "$(interrupts)" -ge 3 ]; do sleep 0.01; done
    echo 0 > events/in_accel_mag_rising_en
    before=$(interrupts)
    sleep 0.05
    echo "switched off: $(($(interrupts) - before))"
    for axis in x y z; do echo 1 > scan_elements/in_accel_\${axis}_en; done
    echo 64 > buffer/length
    echo 8 > buffer/watermark
    echo 1 > buffer/enable
    dd if=/dev/iio:device0 bs=6 count=40 iflag=fullblock status=none | od -An -v -td2 -w6 | sort | uniq -c
    echo "more: $(($(interrupts) > before))"
    echo 0 > buffer/enable
    echo 16 > events/in_accel_gesture_singletap_value
    echo 0.15 > events/in_accel_gesture_singletap_timeout
    echo 1 > events/in_accel_x_gesture_singletap_en
    before=$(interrupts)
    sleep 0.05
    echo "untouched: $(($(interrupts) - before))"
    ready
    until [ "$(interrupts)" -gt "$before" ]; do sleep 0.01; done
    echo tapped
    ready`,
    async (part, _lines, ready) => {
      await ready();
      await part.call("set", { values: { "accel.x": 1, "accel.y": -0.5 } });
      await ready();
      let isSeen = false;
      const seen = ready().then(() => isSeen = true);
      // One that takes too long is no tap.
      while (!isSeen) {
        await part.call("pulse", { name: "accel.x", milliseconds: 10, value: 1.5 });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await seen;
    },
  );
  assertEquals(output.split("\n").map((line) => line.trim().replaceAll(/ +/g, " ")), [
    "at rest: 0",
    "switched off: 0",
    "40 256 -128 0",
    "more: 1",
    "untouched: 0",
    "tapped",
    "",
  ]);
});

const EXPANDER = `
  expander@20 {
    compatible = "nxp,pca9535"; reg = <0x20>;
    gpio-controller; #gpio-cells = <2>;
    interrupt-controller; #interrupt-cells = <2>;
    interrupt-parent = <&gpio>; interrupts = <1 8>;
  };`;

Deno.test("gpiomon in a guest sees a button at an expander, by the expander's interrupt", async () => {
  const output = await run(
    "i2c",
    EXPANDER,
    `adapters: [{ simulated: { parts: [
      { part: pca9535, name: expander, address: 0x20, interrupt: expander-int }] } }]`,
    `
    chip=$(gpiodetect | sed -n 's/^\\(gpiochip[0-9]*\\) .*(16 lines)$/\\1/p')
    gpiomon -c "$chip" --banner --format '%e %o' -n 3 5 12 | { read -r banner; ready; cat; }`,
    async (part, lines, ready) => {
      await ready();
      // The guest has set up the interrupt of both lines by the time that both are seen.
      for (const [property, value] of [["p05", 1], ["p14", 1], ["p05", 0]] as const) {
        await part.call("set", { values: { [`expander.${property}`]: value } });
        // The guest reads the inputs, which ends the interrupt.
        for (;;) {
          const calls = await part.call("get", { names: ["expander.interrupt"] });
          if (!calls["expander.interrupt"]) break;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      const at = await lines.call("get", { names: ["expander-int"] });
      assert([0, 1].includes(at["expander-int"]));
    },
  );
  // 1 is rising, 2 falling.
  assertEquals(output, "1 5\n1 12\n2 5\n");
});
