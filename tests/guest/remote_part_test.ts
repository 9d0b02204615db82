import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { startControlled } from "../support/control_daemon.ts";
import { PartProgram } from "../support/part_program.ts";
import { guestOutput } from "../support/uml.ts";

const PROGRAM = fileURLToPath(new URL("../../examples/part/thermometer.py", import.meta.url));

const DEVICETREE = `/dts-v1/;
  / {
    compatible = "linux,uml-virtio-guest";
    #address-cells = <1>;
    #size-cells = <0>;
    aliases { i2c3 = &i2c; };
    virtio-i2c {
      compatible = "virtio,uml";
      virtio-device-id = <34>;
      socket-path = "@SOCKETS@/socket0";
      i2c: i2c {
        compatible = "virtio,device22";
        #address-cells = <1>;
        #size-cells = <0>;
        sensor@48 { compatible = "ti,tmp100"; reg = <0x48>; };
      };
    };
  };`;

Deno.test("a part in Python is a sensor to Linux's driver, and silent when its program has gone", async () => {
  await using it = await startControlled(
    "i2c",
    "adapters: [{ simulated: { parts: [{ part: remote, address: 0x48, name: thermometer }] } }]",
  );
  await using program = await PartProgram.start(PROGRAM, it.path, "thermometer");
  using control = await it.connect();
  await control.call("set", { values: { "thermometer.temperature": -12.5 } });
  await control.call("subscribe", { things: ["thermometer"] });
  const file = it.daemon.folder.file("guest.dts");
  Deno.writeTextFileSync(file, DEVICETREE);
  const guest = guestOutput(
    `
    cd /sys/bus/i2c/devices/3-0048/hwmon/hwmon*
    echo "at first $(cat temp1_input)"
    echo 60000 >temp1_max
    until [ "$(cat temp1_input)" != -12500 ]; do sleep 0.05; done
    echo "then $(cat temp1_input)"
    echo 70000 >temp1_max
    until ! cat temp1_input >/dev/null 2>/tmp/error; do sleep 0.05; done
    sed 's/.*: //' /tmp/error`,
    { devicetree: file, sockets: it.daemon.folder.path },
  );
  const outside = async () => {
    const untilLimit = async (limit: number) => {
      for (;;) {
        const { name, value } = await control.event();
        if (name === "thermometer.limit" && value === limit) return;
      }
    };
    await untilLimit(60);
    await control.call("set", { values: { "thermometer.temperature": 61.25 } });
    await untilLimit(70);
    Deno.kill(program.pid, "SIGTERM");
  };
  const [output] = await Promise.all([guest, Promise.race([outside(), guest])]);
  assertMatch(output, /^at first -12500\nthen 61250\n(No such device or address|.*error)\n$/);
  assertEquals(
    it.daemon.log.match(/the part at address 0x48 does not answer: no program serves it/g)?.length,
    1,
  );
});
