import { assertEquals, assertNotMatch } from "@std/assert";
import { startControlled } from "../support/control_daemon.ts";
import { guestOutput } from "../support/uml.ts";
import { spiDevicetree } from "./spi/devicetree.ts";

const PARTS = `
guests:
  - simulated:
      parts:
        - { part: at25, name: eeprom, size: 65536 }
        - { part: at25, name: small, size: 512 }
        - { part: fram, name: fram, size-kib: 32, serial: 0x123456789a }
        - { part: mcp3008, name: adc, reference: 2.048, ch0: 0.5, ch6: 1, ch7: 2.5 }
        - { part: mcp3208, name: fine, reference: 4.096, ch3: 1.234 }
        - { part: max31855, name: hot, temperature: -12.25, cold-junction: 21.5 }
        - { part: adxl345, name: accel, x: -0.5, y: 0.25 }
`;

const chips = `
  eeprom@0 {
    compatible = "atmel,at25"; reg = <0>; spi-max-frequency = <10000000>;
    size = <65536>; pagesize = <128>; address-width = <16>;
  };
  small@1 {
    compatible = "atmel,at25"; reg = <1>; spi-max-frequency = <10000000>;
    size = <512>; pagesize = <8>; address-width = <9>;
  };
  fram@2 { compatible = "cypress,fm25"; reg = <2>; spi-max-frequency = <10000000>; };
  adc@3 { compatible = "microchip,mcp3008"; reg = <3>; spi-max-frequency = <1000000>; };
  adc@4 { compatible = "microchip,mcp3208"; reg = <4>; spi-max-frequency = <1000000>; };
  hot@5 { compatible = "maxim,max31855k"; reg = <5>; spi-max-frequency = <4000000>; };
  accel@6 {
    compatible = "adi,adxl345"; reg = <6>; spi-max-frequency = <5000000>; spi-cpol; spi-cpha;
  };`;

const SCRIPT = `
chip() { echo /sys/bus/spi/devices/spi3.$1; }
iio() { echo $(chip $1)/iio:device*; }
show() { echo "$1 $(cat "$2" 2>&1 | sed 's/.*: //')"; }

seq 1 9000 | head -c 20000 >/tmp/data
dd if=/tmp/data of=$(chip 0)/eeprom bs=20000 seek=77 oflag=seek_bytes conv=notrunc status=none
dd if=$(chip 0)/eeprom bs=20000 skip=77 count=1 iflag=skip_bytes,fullblock status=none | cmp - /tmp/data
show page "$(chip 0)/modalias"

head -c 300 /tmp/data >/tmp/small
dd if=/tmp/small of=$(chip 1)/eeprom bs=300 seek=200 oflag=seek_bytes conv=notrunc status=none
dd if=$(chip 1)/eeprom bs=300 skip=200 iflag=skip_bytes,fullblock status=none | head -c 300 | cmp - /tmp/small

show jedec_id $(chip 2)/jedec_id
show sernum $(chip 2)/sernum
echo size $(stat -c %s $(chip 2)/fram)
head -c 9000 /tmp/data | dd of=$(chip 2)/fram bs=9000 seek=20000 oflag=seek_bytes conv=notrunc status=none
dd if=$(chip 2)/fram bs=9000 skip=20000 count=1 iflag=skip_bytes,fullblock status=none | cmp - <(head -c 9000 /tmp/data)

for channel in 0 6 7 6-voltage7 7-voltage6; do show adc$channel $(iio 3)/in_voltage\${channel}_raw; done
show fine $(iio 4)/in_voltage3_raw
show hot $(iio 5)/in_temp_raw
show cold $(iio 5)/in_temp_ambient_raw
show scale $(iio 6)/in_accel_scale
for axis in x y z; do show $axis $(iio 6)/in_accel_\${axis}_raw; done

# Now somebody outside may go on.
printf go | dd of=$(chip 2)/fram conv=notrunc status=none
until [ "$(head -c 4 $(chip 2)/fram)" = done ]; do sleep 0.02; done
show adc0 $(iio 3)/in_voltage0_raw
show hot $(iio 5)/in_temp_raw
show x $(iio 6)/in_accel_x_raw
`;

Deno.test("Linux's drivers find the parts of a bus, and what is set from outside", async () => {
  await using it = await startControlled("spi", PARTS);
  using control = await it.connect();
  await control.call("subscribe", { things: ["fram"] });
  const file = it.daemon.folder.file("guest.dts");
  Deno.writeTextFileSync(file, spiDevicetree(chips));
  const guest = guestOutput(SCRIPT, { devicetree: file, sockets: it.daemon.folder.path });
  const outside = async () => {
    for (;;) {
      const { name, at, length } = await control.event();
      if (name === "fram.contents" && at === 0 && length === 2) break;
    }
    const values = { "adc.ch0": 2, "hot.fault": "open", "accel.x": -0.25 };
    await control.call("set", { values });
    // The accelerometer takes its next sample after 5 ms.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const data = [...new TextEncoder().encode("done")];
    await control.call("write", {
      name: "fram",
      data: data.map((byte) => byte.toString(16)).join(""),
    });
  };
  const [output] = await Promise.all([guest, Promise.race([outside(), guest])]);
  assertEquals(output.trim().split("\n"), [
    "page spi:at25",
    "jedec_id 7f7f7f7f7f7fc22200",
    // The driver shows the last byte, the checksum, first.
    "sernum 9b 9a 78 56 34 12 00 00",
    "size 32768",
    "adc0 250",
    "adc6 500",
    "adc7 1023",
    "adc6-voltage7 0",
    "adc7-voltage6 750",
    "fine 1234",
    "hot -49",
    "cold 344",
    "scale 0.004789",
    "x -128",
    "y 64",
    "z 256",
    "adc0 1000",
    "hot Invalid argument",
    "x -64",
  ]);
  assertNotMatch(it.daemon.log, /refused|failed|does not understand/);
});
